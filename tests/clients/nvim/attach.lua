-- A session over `trunkline attach`, whose server is killed on the way: nvim --headless --clean -l attach.lua
-- TRUNKLINE_TEST_PLAN: {server, model, questions, patienceMs}. Printed: {seqs, statuses}.

if vim.fn.has('nvim-0.11') == 0 then
  os.exit(77)
end

local plan = vim.json.decode(assert(os.getenv('TRUNKLINE_TEST_PLAN')))
local seen = { seqs = {}, statuses = {} }
local exit_code

local function wait_for(what, condition)
  assert(vim.wait(plan.patienceMs, condition, 5), 'still waiting for ' .. what)
end

local client = assert(vim.lsp.get_client_by_id(assert(vim.lsp.start({
  name = 'trunkline',
  cmd = plan.server,
  capabilities = vim.tbl_deep_extend('force', vim.lsp.protocol.make_client_capabilities(), {
    experimental = { trunkline = { versions = { '1.0' }, events = true } },
  }),
  handlers = {
    ['session/event'] = function(_, params)
      table.insert(seen.seqs, { params.seqFrom or params.seq, params.seq })
      if params.type == 'turn.completed' then
        table.insert(seen.statuses, params.status)
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

local session = ask('session/create', { model = plan.model, title = 'Talk' }).session
for number, question in ipairs(plan.questions) do
  ask('session/prompt', {
    sessionId = session.sessionId,
    input = { { type = 'text', text = question } },
    requestKey = 'question ' .. number,
  })
  wait_for('turn ' .. number, function()
    return #seen.statuses == number
  end)
end
client:stop()
wait_for('the end', function()
  return exit_code ~= nil
end)
assert(exit_code == 0, 'the relay ended with ' .. exit_code)
io.stdout:write(vim.json.encode(seen))
