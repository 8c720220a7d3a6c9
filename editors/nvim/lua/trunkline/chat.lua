--- Chats: the session, its buffer, and what the user does with it. Drawing is the transcript view's.

local client = require('trunkline.client')
local trunkline = require('trunkline')
local View = require('trunkline.view')

local M = {}

---@class trunkline.Chat
---@field session_id string
---@field view trunkline.View
---@field seen? integer The last event that is drawn; nil until the server has answered `session/attach`.

---@type table<string, trunkline.Chat>
local chats = {}
---@type trunkline.Chat?
local latest

--- Deltas may wait that long for more, so that a fast model costs the editor little.
local MAX_LATENCY_MS = 50

--- The chat of the buffer, or the one that was used last.
local function current()
  local id = vim.b.trunkline_session
  latest = id and chats[id] or latest
  return latest
end

local function attach(chat, act)
  chat.seen = nil
  client.request('session/attach', {
    sessionId = chat.session_id,
    role = 'controller',
    delivery = { maxLatencyMs = MAX_LATENCY_MS },
  }, function(result)
    chat.seen = result.headSeq
    chat.view:draw(result.snapshot)
    if act then
      act()
    end
  end)
end

--- Show a session and follow it, then `act`.
---@param session_id string
---@param act? fun()
function M.open(session_id, act)
  local chat = chats[session_id]
  if not chat or not chat.view:is_alive() then
    chat = { session_id = session_id, view = View.new(session_id) }
    chats[session_id] = chat
    local map = function(modes, keys, action, what)
      vim.keymap.set(modes, keys, action, { buffer = chat.view.buffer, desc = what })
    end
    map('n', '<CR>', M.compose, 'Write to the model')
    map('n', '<C-c>', M.interrupt, 'Interrupt the model')
    vim.api.nvim_create_autocmd('BufUnload', {
      buffer = chat.view.buffer,
      callback = function()
        M.close(chat)
      end,
    })
  end
  latest = chat
  chat.view:show()
  if chat.seen then
    if act then
      act()
    end
  else
    attach(chat, act)
  end
end

--- Follow a session no more.
function M.close(chat)
  if chats[chat.session_id] ~= chat then
    return
  end
  chats[chat.session_id] = nil
  if latest == chat then
    latest = nil
  end
  if chat.seen then
    client.request('session/detach', { sessionId = chat.session_id })
  end
end

--- Ask in a chat. What cannot be sent comes back into the prompt.
---@param text string
function M.prompt(text)
  local chat = current()
  if not chat or vim.trim(text) == '' then
    return
  end
  local params = {
    sessionId = chat.session_id,
    input = { { type = 'text', text = text } },
    requestKey = ('nvim-%d-%d'):format(vim.uv.os_getpid(), vim.uv.hrtime()),
  }
  M.open(chat.session_id, function()
    client.request('session/prompt', params, nil, function(err)
      trunkline.say(client.explain(err), vim.log.levels.ERROR)
      M.compose(vim.split(text, '\n'))
    end)
  end)
end

--- Write a prompt in a window below the chat: <CR>, or <C-s> while typing, sends it.
---@param lines? string[] What it begins with.
function M.compose(lines)
  local chat = current()
  if not chat then
    return
  end
  local buffer = chat.view:show_prompt(lines or {})
  local function send()
    local text = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), '\n')
    vim.cmd.stopinsert()
    chat.view:hide_prompt()
    latest = chat
    M.prompt(text)
  end
  vim.keymap.set('n', '<CR>', send, { buffer = buffer, desc = 'Send' })
  vim.keymap.set({ 'n', 'i' }, '<C-s>', send, { buffer = buffer, desc = 'Send' })
  vim.keymap.set('n', '<C-c>', M.interrupt, { buffer = buffer, desc = 'Interrupt the model' })
end

--- `:Trunkline chat`: go on with the latest chat, or begin one.
---@param how { new: boolean, quoted: string[], text: string }
function M.begin(how)
  local function say()
    if how.text == '' then
      M.compose(how.quoted)
    else
      M.prompt(table.concat(vim.list_extend(how.quoted, { how.text }), '\n'))
    end
  end
  local chat = current()
  if chat and not how.new then
    M.open(chat.session_id, say)
    return
  end
  local model = require('trunkline.choices').chosen_model
  client.request('session/create', model and { model = model } or vim.empty_dict(), function(result)
    M.open(result.session.sessionId, say)
  end)
end

--- End the turn that is running.
function M.interrupt()
  local chat = current()
  if chat and chat.seen then
    client.request('session/interrupt', { sessionId = chat.session_id })
  end
end

--- The id of the session of the latest chat.
---@return string?
function M.session_id()
  local chat = current()
  return chat and chat.session_id
end

-- What the server says

function M.on_event(event)
  local chat = chats[event.sessionId]
  -- Before the answer to `session/attach` events are those of an earlier attachment: the snapshot has them.
  if chat and chat.seen and event.seq > chat.seen then
    chat.seen = event.seq
    chat.view:take(event)
  end
end

function M.on_lagged(session_id)
  local chat = chats[session_id]
  if chat then
    attach(chat)
  end
end

function M.on_closed(session_id, err)
  local chat = chats[session_id]
  if chat then
    chat.seen = nil
    chat.view:note(err and client.explain(err) or 'The session is closed.')
  end
end

function M.on_disconnected()
  for _, chat in pairs(chats) do
    chat.seen = nil
    chat.view:note('There is no connection to the server any more; `:Trunkline chat` makes another one.')
  end
end

return M
