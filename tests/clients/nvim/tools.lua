-- A session whose model works in Neovim: nvim --headless --clean -l tools.lua
-- support/editor_tools.py says what TRUNKLINE_TEST_PLAN holds and what is printed.

local driving = dofile(vim.fs.dirname(arg[0]) .. '/driving.lua')
local plan = driving.plan
local seen = { permissions = {} }

local function text()
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n') .. '\n'
end

vim.cmd.edit(plan.file)
driving.start_announced({ permissions = vim.empty_dict() }, {
  root_dir = plan.folder,
  handlers = {
    ['permission/request'] = function(_, params)
      table.insert(seen.permissions, params.subject)
      return { outcome = 'selected', optionId = params.options[1].optionId }
    end,
    ['session/event'] = function(_, params)
      if params.type == 'turn.completed' then
        seen.status = params.status
      end
    end,
  },
})

local typed = vim.split(plan.typed, '\n', { trimempty = true })
vim.api.nvim_buf_set_lines(0, 0, 0, false, typed)
-- As if the user had stopped typing: what comes next can be undone without this.
vim.cmd('let &undolevels = &undolevels')

local session = driving.ask('session/create', { model = plan.model, title = 'Tools' }).session
driving.prompt(session.sessionId, 'one', 'Translate the notes.')
driving.wait_for('the turn to end', function()
  return seen.status
end)
seen.edited = text()
seen.buffers = {}
for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
  local name = vim.fs.basename(vim.api.nvim_buf_get_name(buffer))
  seen.buffers[name] = vim.api.nvim_buf_get_lines(buffer, 0, -1, false)
end
vim.cmd.undo()
seen.undone = text()

seen.exitCode = driving.stop()
io.stdout:write(vim.json.encode(seen), '\n')
os.exit(0)
