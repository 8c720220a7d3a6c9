-- A complete client of Trunkline in plain Neovim, 0.11 or later:
--   nvim --headless --clean -l client.lua MODEL QUESTION
-- In a plugin, the same four steps: start, answer progress, request, stop.

local model, question = arg[1], arg[2]
local patience_ms = 120000

local function write(text)
  io.stdout:write(text)
  io.stdout:flush()
end

-- Events of an answer come as progress with the token that the request named.
local function on_progress(err, params, ctx)
  if params.token ~= 'answer' then
    return vim.lsp.handlers['$/progress'](err, params, ctx)
  end
  if params.value.type == 'text.delta' then
    write(params.value.text)
  end
end

local has_ended = false
local client_id = assert(vim.lsp.start({
  name = 'trunkline',
  cmd = { 'trunkline', '--stdio' },
  root_dir = vim.fn.getcwd(),
  handlers = { ['$/progress'] = on_progress },
  on_exit = function()
    has_ended = true
  end,
}))
local client = assert(vim.lsp.get_client_by_id(client_id))
assert(vim.wait(10000, function()
  return client.initialized
end), 'the server does not start')

local answer, failure
client:request('chat/stream', {
  model = model,
  messages = { { role = 'user', content = question } },
  partialResultToken = 'answer',
}, function(err, result)
  answer, failure = result, err
end)
vim.wait(patience_ms, function()
  return answer ~= nil or failure ~= nil
end)

if answer then
  local cost = answer.cost and answer.cost.amount or '?'
  write(('\n%d tokens, %s USD\n'):format(answer.usage.outputTokens, cost))
else
  local data = failure and failure.data or {}
  io.stderr:write(failure and failure.message or 'no answer in time', ' ', data.hint or '', '\n')
end

client:stop()
vim.wait(5000, function()
  return has_ended
end)
os.exit(answer and 0 or 1)
