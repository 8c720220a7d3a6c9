-- A session over `trunkline attach`, whose server is killed on the way: nvim --headless --clean -l attach.lua
-- TRUNKLINE_TEST_PLAN: {server, model, questions, patienceMs}. Printed: {seqs, statuses}.

local driving = dofile(vim.fs.dirname(arg[0]) .. '/driving.lua')
local seen = { seqs = {}, statuses = {} }

driving.start_announced({}, {
  handlers = {
    ['session/event'] = function(_, params)
      table.insert(seen.seqs, { params.seqFrom or params.seq, params.seq })
      if params.type == 'turn.completed' then
        table.insert(seen.statuses, params.status)
      end
    end,
  },
})
local session = driving.ask('session/create', { model = driving.plan.model, title = 'Talk' }).session
for number, question in ipairs(driving.plan.questions) do
  driving.prompt(session.sessionId, 'question ' .. number, question)
  driving.wait_for('turn ' .. number, function()
    return #seen.statuses == number
  end)
end
local exit_code = driving.stop()
assert(exit_code == 0, 'the relay ended with ' .. exit_code)
io.stdout:write(vim.json.encode(seen))
