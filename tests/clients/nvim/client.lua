-- Drives the server with Neovim's own LSP client: nvim --headless --clean -l client.lua
-- support/editors.py says what TRUNKLINE_TEST_PLAN holds and what is printed.

local driving = dofile(vim.fs.dirname(arg[0]) .. '/driving.lua')
local plan = driving.plan
local seen = { editor = 'Neovim ' .. tostring(vim.version()), received = {} }

-- Values of a chat's token are its events; any other progress is the editor's business.
local chats = {}
local handlers = {
  ['$/progress'] = function(err, params, ctx)
    local on_event = chats[params.token]
    if on_event then
      on_event(params.value)
    else
      table.insert(seen.received, '$/progress')
      vim.lsp.handlers['$/progress'](err, params, ctx)
    end
  end,
}
-- The client looks here before it takes its own handler: note the method and leave the rest to Neovim.
setmetatable(handlers, {
  __index = function(_, method)
    table.insert(seen.received, method)
  end,
})

vim.cmd.edit(plan.file)
local client = driving.start({ root_dir = vim.fs.dirname(plan.file), handlers = handlers })
seen.serverName = client.server_info.name
seen.capabilities = client.server_capabilities

-- Ask for a chat and wait for its result; it is cancelled once its text is cancel_at.
local function finish_chat(model, token, cancel_at)
  local chat = { events = {}, text = '' }
  local sent, request_id
  chats[token] = function(event)
    table.insert(chat.events, event)
    if event.type == 'text.delta' then
      chat.text = chat.text .. event.text
      if chat.text == cancel_at then
        client:cancel_request(request_id)
      end
    end
  end
  local params = {
    model = model,
    messages = { { role = 'user', content = plan.question } },
    partialResultToken = token,
  }
  sent, request_id = client:request('chat/stream', params, function(err, result)
    chat.error, chat.result, chat.eventsBefore = err, result, #chat.events
  end)
  assert(sent, 'the server has gone')
  driving.wait_for('the result of the chat', function()
    return chat.result or chat.error
  end)
  return chat
end

seen.models = driving.ask('model/list', { providerIds = { plan.provider } }).models
seen.chat = finish_chat(seen.models[1].model, 'chat')
seen.cancelled = finish_chat(plan.slowModel, 7, plan.slowAnswer)
driving.wait_for('the connection to the provider to close', function()
  return vim.uv.fs_stat(plan.closedFile) ~= nil
end)

seen.exitCode = driving.stop()
io.stdout:write(vim.json.encode(seen), '\n')
os.exit(0)
