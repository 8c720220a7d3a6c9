-- What all drivers of Neovim's own LSP client share: their plan, waiting, the server's beginning and end.

if vim.fn.has('nvim-0.11') == 0 then
  os.exit(77)
end

local driving = { plan = vim.json.decode(assert(os.getenv('TRUNKLINE_TEST_PLAN'))) }
local client, exit_code

function driving.wait_for(what, condition)
  assert(vim.wait(driving.plan.patienceMs, condition, 5), 'still waiting for ' .. what)
end

-- A client of the server that the plan names, after the handshake.
function driving.start(config)
  client = assert(vim.lsp.get_client_by_id(assert(vim.lsp.start(vim.tbl_extend('error', config, {
    name = 'trunkline',
    cmd = driving.plan.server,
    on_exit = function(code, signal)
      exit_code = signal == 0 and code or -signal
    end,
  })))))
  driving.wait_for('initialize', function()
    return client.initialized
  end)
  return client
end

-- Like `start`, for a client that announces Trunkline and takes its notifications.
function driving.start_announced(trunkline, config)
  local experimental = { trunkline = vim.tbl_extend('error', trunkline, { versions = { '1.0' }, events = true }) }
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  config.capabilities = vim.tbl_deep_extend('force', capabilities, { experimental = experimental })
  for _, method in ipairs({ 'session/changed', 'server/statusChanged', 'model/changed', 'provider/changed' }) do
    config.handlers[method] = function() end
  end
  return driving.start(config)
end

function driving.ask(method, params)
  local answer = assert(client:request_sync(method, params, driving.plan.patienceMs))
  assert(not answer.err, answer.err and vim.inspect(answer.err))
  return answer.result
end

-- Ask for something in a session, as `key`.
function driving.prompt(session_id, key, text)
  driving.ask('session/prompt', {
    sessionId = session_id,
    requestKey = key,
    input = { { type = 'text', text = text } },
  })
end

-- Take leave of the server; its exit code.
function driving.stop()
  client:stop()
  driving.wait_for('the server to exit', function()
    return exit_code ~= nil
  end)
  return exit_code
end

return driving
