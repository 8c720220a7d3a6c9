--- What the user says to Trunkline: options, and `:Trunkline`.

local M = {}

---@class trunkline.Options
---@field command string[] How the program is started; `--stdio` or `attach ...` follows.
---@field settings table The settings section `trunkline`, see docs/configuration.md.

---@type trunkline.Options
M.options = { command = { 'trunkline' }, settings = {} }

--- Change options. Nobody has to call this.
---@param options? trunkline.Options
function M.setup(options)
  M.options = vim.tbl_extend('force', M.options, options or {})
end

---@param message string
---@param level? integer of vim.log.levels
function M.say(message, level)
  vim.notify('Trunkline: ' .. message, level or vim.log.levels.INFO)
end

--- The lines of a range as Markdown, to be sent with a question.
local function quoted(first, last)
  local lines = vim.api.nvim_buf_get_lines(0, first - 1, last, false)
  local name = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(0), ':.')
  table.insert(lines, 1, '```' .. vim.bo.filetype)
  table.insert(lines, 1, ('%s, lines %d to %d:'):format(name, first, last))
  vim.list_extend(lines, { '```', '' })
  return lines
end

local commands = {
  chat = function(call, words)
    local lines = call.range > 0 and quoted(call.line1, call.line2) or {}
    require('trunkline.chat').begin({ new = call.bang, quoted = lines, text = table.concat(words, ' ') })
  end,
  model = function(_, words)
    require('trunkline.choices').model(words[1])
  end,
  login = function(_, words)
    require('trunkline.login').begin(words[1])
  end,
  sessions = function()
    require('trunkline.choices').session()
  end,
  attach = function(_, words)
    require('trunkline.client').attach(words)
    require('trunkline.choices').session()
  end,
  detach = function()
    require('trunkline.client').stop()
  end,
  stop = function()
    require('trunkline.chat').interrupt()
  end,
}

--- `:Trunkline WORD ...`
function M.run(call)
  local words = vim.deepcopy(call.fargs)
  local name = table.remove(words, 1) or 'chat'
  local command = commands[name]
  if command then
    command(call, words)
  else
    M.say(('there is no `:Trunkline %s`; see :help trunkline'):format(name), vim.log.levels.ERROR)
  end
end

--- The names that go on with `lead`.
function M.complete(lead, line)
  if line:match('Trunkline!?%s+%S+%s') then
    return {}
  end
  local names = vim.tbl_filter(function(name)
    return vim.startswith(name, lead)
  end, vim.tbl_keys(commands))
  table.sort(names)
  return names
end

return M
