--- The connection to a server: at most one, made when something is asked.
---
--- The server of this Neovim is told of the buffers that are files of the project, so that models read what is not
--- saved yet. A server that is attached to works on files of its own and is told of none.

local trunkline = require('trunkline')

local M = {}

local is_011 = vim.fn.has('nvim-0.11') == 1
local group = vim.api.nvim_create_augroup('trunkline', {})

---@class trunkline.Connection
---@field client vim.lsp.Client
---@field waiting? fun()[] What to do when it is initialised; nil from then on.
---@field root string The project.
---@field is_own boolean Whether the server was started for this Neovim.

---@type trunkline.Connection?
local connection

--- What this client does that LSP does not know; the notifications it has no use for are not sent.
local trunkline_capabilities = {
  versions = { '1.0' },
  events = true,
  permissions = vim.empty_dict(),
  optOut = {
    'auth/changed',
    'model/changed',
    'provider/changed',
    'server/notice', -- window/showMessage says it too
    'server/statusChanged',
    'session/changed',
  },
}

local handlers = {
  ['session/event'] = function(_, event)
    require('trunkline.chat').on_event(event)
  end,
  ['session/lagged'] = function(_, params)
    require('trunkline.chat').on_lagged(params.sessionId)
  end,
  ['session/closed'] = function(_, params)
    require('trunkline.chat').on_closed(params.sessionId, params.error)
  end,
  ['auth/loginCompleted'] = function(_, params)
    require('trunkline.login').on_completed(params)
  end,
  ['workspace/applyEdit'] = function(err, params, ctx)
    local answer = vim.lsp.handlers['workspace/applyEdit'](err, params, ctx)
    -- Neovim holds changes back for a while, except before a request; a model may read right after its edit.
    M.request('server/status', vim.empty_dict())
    return answer
  end,
  ['permission/request'] = function(_, params)
    return require('trunkline.choices').permission(params)
  end,
}

--- A JSON-RPC error for people.
---@param err table
---@return string
function M.explain(err)
  local hint = type(err.data) == 'table' and err.data.hint
  return hint and (err.message .. ' ' .. hint) or err.message
end

local function share(buffer)
  local name = vim.api.nvim_buf_get_name(buffer)
  local is_file = vim.bo[buffer].buftype == '' and vim.startswith(name, connection.root .. '/')
  if is_file and vim.api.nvim_buf_is_loaded(buffer) then
    vim.lsp.buf_attach_client(buffer, connection.client.id)
  end
end

local function share_buffers()
  vim.tbl_map(share, vim.api.nvim_list_bufs())
  vim.api.nvim_create_autocmd({ 'BufReadPost', 'BufNewFile', 'BufFilePost' }, {
    group = group,
    callback = function(event)
      share(event.buf)
    end,
  })
end

local function capabilities()
  local known = vim.lsp.protocol.make_client_capabilities()
  -- The encoding that all servers have: buffers may have other clients, and Neovim wants these to agree.
  known.general.positionEncodings = { 'utf-16' }
  known.experimental = { trunkline = trunkline_capabilities }
  return known
end

---@param arguments string[] What follows the command.
---@param is_own boolean
local function start(arguments, is_own)
  local made = { waiting = {}, root = vim.fs.root(0, '.git') or assert(vim.uv.cwd()), is_own = is_own }
  connection = made
  local config = {
    name = 'trunkline',
    cmd = vim.list_extend(vim.deepcopy(trunkline.options.command), arguments),
    root_dir = made.root,
    capabilities = capabilities(),
    settings = { trunkline = trunkline.options.settings },
    handlers = handlers,
    on_init = function()
      if made.is_own then
        share_buffers()
      end
      local waiting = made.waiting
      made.waiting = nil
      for _, act in ipairs(waiting) do
        act()
      end
    end,
    on_exit = vim.schedule_wrap(function(code)
      if connection == made and vim.v.exiting == vim.NIL then
        M.forget()
        local log = vim.lsp.log.get_filename()
        trunkline.say(('the server has ended (%d); see %s'):format(code, log), vim.log.levels.ERROR)
      end
    end),
  }
  local id
  if is_011 then
    id = vim.lsp.start(config, { attach = false })
  else
    id = vim.lsp.start_client(config)
  end
  made.client = id and vim.lsp.get_client_by_id(id)
  if not made.client then -- Neovim has said why
    connection = nil
  end
end

--- Do without the connection: the next request makes another one.
function M.forget()
  connection = nil
  vim.api.nvim_clear_autocmds({ group = group })
  require('trunkline.chat').on_disconnected()
end

--- End the connection; a server that was attached to goes on.
function M.stop()
  local ended = connection
  if not ended then
    return
  end
  M.forget()
  if is_011 then
    ended.client:stop()
  else
    ended.client.stop()
  end
end

--- Talk to a server that runs already, from now on.
---@param arguments string[] Of `trunkline attach`.
function M.attach(arguments)
  M.stop()
  start(vim.list_extend({ 'attach' }, arguments), false)
end

---@param method string
---@param params table
---@param on_result? fun(result: table)
---@param on_error? fun(err: table) Shows the error where it is absent.
function M.request(method, params, on_result, on_error)
  if not connection then
    start({ '--stdio' }, true)
  end
  if not connection then
    return
  end
  if connection.waiting then
    table.insert(connection.waiting, function()
      M.request(method, params, on_result, on_error)
    end)
    return
  end
  local function answered(err, result)
    if err then
      (on_error or function()
        trunkline.say(M.explain(err), vim.log.levels.ERROR)
      end)(err)
    elseif on_result then
      on_result(result)
    end
  end
  if is_011 then
    connection.client:request(method, params, answered)
  else
    connection.client.request(method, params, answered)
  end
end

--- As `request`, for params that hold a key: they are in no log, whatever its level.
function M.request_secretly(method, params, on_result)
  -- The connection must be there: what waits for it is sent, and logged, later.
  assert(connection and not connection.waiting)
  local level = vim.lsp.log.get_level()
  vim.lsp.log.set_level(vim.log.levels.OFF)
  local is_sent, err = pcall(M.request, method, params, on_result)
  vim.lsp.log.set_level(level)
  assert(is_sent, err)
end

return M
