-- A session whose model works in Neovim: nvim --headless --clean -l tools.lua
-- support/editor_tools.py says what TRUNKLINE_TEST_PLAN holds and what is printed.

if vim.fn.has('nvim-0.11') == 0 then
  os.exit(77)
end

local plan = vim.json.decode(assert(os.getenv('TRUNKLINE_TEST_PLAN')))
local seen = { permissions = {} }
local exit_code

local function wait_for(what, condition)
  assert(vim.wait(plan.patienceMs, condition, 5), 'still waiting for ' .. what)
end

local function text()
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n') .. '\n'
end

vim.cmd.edit(plan.file)
local client = assert(vim.lsp.get_client_by_id(assert(vim.lsp.start({
  name = 'trunkline',
  cmd = plan.server,
  root_dir = plan.folder,
  capabilities = vim.tbl_deep_extend('force', vim.lsp.protocol.make_client_capabilities(), {
    experimental = {
      trunkline = { versions = { '1.0' }, events = true, permissions = vim.empty_dict() },
    },
  }),
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
    ['session/changed'] = function() end,
    ['server/statusChanged'] = function() end,
    ['model/changed'] = function() end,
    ['provider/changed'] = function() end,
  },
  on_exit = function(code, signal)
    exit_code = signal == 0 and code or -signal
  end,
}))))
wait_for('initialize', function()
  return client.initialized
end)

local function ask(method, params)
  local answer = assert(client:request_sync(method, params, plan.patienceMs))
  assert(not answer.err, answer.err and vim.inspect(answer.err))
  return answer.result
end

local typed = vim.split(plan.typed, '\n', { trimempty = true })
vim.api.nvim_buf_set_lines(0, 0, 0, false, typed)
-- As if the user had stopped typing: what comes next can be undone without this.
vim.cmd('let &undolevels = &undolevels')

local session = ask('session/create', { model = plan.model, title = 'Tools' }).session
ask('session/prompt', {
  sessionId = session.sessionId,
  requestKey = 'one',
  input = { { type = 'text', text = 'Translate the notes.' } },
})
wait_for('the turn to end', function()
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

client:stop()
wait_for('the server to exit', function()
  return exit_code ~= nil
end)
seen.exitCode = exit_code
io.stdout:write(vim.json.encode(seen), '\n')
os.exit(0)
