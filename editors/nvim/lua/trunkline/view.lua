--- The buffer of a session: what was said, as Markdown that grows at its end, and the prompt below it.
---
--- Nobody but this module writes to the buffer, so a message that is being written is always its end, and is replaced
--- there by `item.completed`.

local transcript = require('trunkline.transcript')

local PROMPT_HEIGHT = 5

---@class trunkline.View
---@field buffer integer
---@field prompt? integer The buffer of the prompt.
---@field speaker? string Whose heading came last.
---@field open? { id: string, first: integer, kind?: string } The message that is being written, the index of its first
---  line, and of what kind its last delta was.
---@field session table { title, model, state }
local View = {}
View.__index = View

---@param session_id string
---@return trunkline.View
function View.new(session_id)
  -- A buffer that was deleted still has its name.
  local buffer = vim.fn.bufadd('trunkline://' .. session_id)
  vim.bo[buffer].buftype = 'nofile'
  vim.bo[buffer].swapfile = false
  vim.bo[buffer].buflisted = true
  vim.fn.bufload(buffer)
  vim.b[buffer].trunkline_session = session_id
  vim.bo[buffer].filetype = 'markdown'
  vim.bo[buffer].undolevels = -1
  vim.bo[buffer].modifiable = false
  return setmetatable({ buffer = buffer, session = {} }, View)
end

function View:is_alive()
  return vim.api.nvim_buf_is_loaded(self.buffer)
end

--- Put the buffer into a window and the cursor there.
function View:show()
  local window = vim.fn.bufwinid(self.buffer)
  if window == -1 then
    vim.cmd.vsplit()
    window = vim.api.nvim_get_current_win()
    vim.api.nvim_win_set_buf(window, self.buffer)
    vim.wo[window].wrap = true
    vim.wo[window].linebreak = true
    vim.wo[window].winbar = '%{get(b:, "trunkline_status", "")}'
  end
  vim.api.nvim_set_current_win(window)
  vim.api.nvim_win_set_cursor(window, { vim.api.nvim_buf_line_count(self.buffer), 0 })
end

--- Open the prompt below the chat, in insert mode.
---@param lines string[] Put behind what is in it already.
---@return integer buffer
function View:show_prompt(lines)
  if not (self.prompt and vim.api.nvim_buf_is_valid(self.prompt)) then
    self.prompt = vim.api.nvim_create_buf(false, true)
    vim.bo[self.prompt].filetype = 'markdown'
    vim.b[self.prompt].trunkline_session = vim.b[self.buffer].trunkline_session
  end
  local window = vim.fn.bufwinid(self.prompt)
  if window == -1 then
    self:show()
    vim.cmd(('belowright %dsplit'):format(PROMPT_HEIGHT))
    window = vim.api.nvim_get_current_win()
    vim.api.nvim_win_set_buf(window, self.prompt)
    vim.wo[window].winbar = 'Prompt: <CR> sends, <C-s> while typing'
  end
  vim.api.nvim_set_current_win(window)
  local is_empty = vim.api.nvim_buf_line_count(self.prompt) == 1
    and vim.api.nvim_buf_get_lines(self.prompt, 0, 1, false)[1] == ''
  if #lines > 0 then
    vim.api.nvim_buf_set_lines(self.prompt, is_empty and 0 or -1, -1, false, lines)
  end
  vim.api.nvim_win_set_cursor(window, { vim.api.nvim_buf_line_count(self.prompt), 0 })
  vim.cmd.startinsert({ bang = true })
  return self.prompt
end

--- Empty the prompt and close its window.
function View:hide_prompt()
  vim.api.nvim_buf_set_lines(self.prompt, 0, -1, false, {})
  local window = vim.fn.bufwinid(self.prompt)
  if window ~= -1 then
    vim.api.nvim_win_close(window, true)
  end
end

--- Change lines as `nvim_buf_set_lines` does; windows that show the end go on showing it.
function View:_set_lines(first, last, lines)
  local count = vim.api.nvim_buf_line_count(self.buffer)
  local following = vim.tbl_filter(function(window)
    return vim.api.nvim_win_get_cursor(window)[1] == count
  end, vim.fn.win_findbuf(self.buffer))
  vim.bo[self.buffer].modifiable = true
  vim.api.nvim_buf_set_lines(self.buffer, first, last, false, lines)
  vim.bo[self.buffer].modifiable = false
  local row = vim.api.nvim_buf_line_count(self.buffer)
  for _, window in ipairs(following) do
    vim.api.nvim_win_set_cursor(window, { row, 0 })
  end
end

--- Add lines at the end, an empty one before them.
function View:_add(lines)
  if #lines > 0 then
    self:_set_lines(-1, -1, vim.list_extend({ '' }, lines))
  end
end

--- Go on with the last line.
function View:_append(text)
  local lines = transcript.lines(text)
  local last = vim.api.nvim_buf_line_count(self.buffer) - 1
  lines[1] = vim.api.nvim_buf_get_lines(self.buffer, last, last + 1, false)[1] .. lines[1]
  self:_set_lines(last, -1, lines)
end

function View:_show_status()
  local session = self.session
  local said = { session.title or 'New session', session.model, session.state ~= 'idle' and session.state or nil }
  vim.b[self.buffer].trunkline_status = table.concat(said, ' · ')
end

--- Draw everything anew.
---@param snapshot table `Snapshot` of the protocol.
function View:draw(snapshot)
  self.speaker, self.open = nil, nil
  self.session = snapshot.session
  self:_set_lines(0, -1, {})
  if snapshot.hasMore then
    self:_set_lines(0, -1, { '> *There are earlier turns.*' })
  end
  for _, turn in ipairs(snapshot.turns) do
    for _, item in ipairs(turn.items) do
      self:_begin(item.itemId, item.message.role, item.model)
      self:_complete(item)
    end
    if turn.compaction then
      self:_summed_up()
    end
    self:_end_turn(turn)
  end
  local item = snapshot.openItem
  if item then
    self:_begin(item.itemId, item.message.role, item.model)
    self:_set_lines(self.open.first, -1, transcript.item(item))
  end
  self:_show_status()
end

--- A message begins, under the heading of who speaks.
function View:_begin(id, role, model)
  local speaker = role == 'tool' and self.speaker or transcript.speaker(role, model)
  if speaker ~= self.speaker then
    self.speaker = speaker
    local heading = '## ' .. speaker
    if vim.api.nvim_buf_line_count(self.buffer) == 1 then
      self:_set_lines(0, -1, { heading })
    else
      self:_add({ heading })
    end
  end
  self:_add({ '' })
  self.open = { id = id, first = vim.api.nvim_buf_line_count(self.buffer) - 1 }
end

--- More of the message that is being written.
---@param kind string Other kinds begin a paragraph of their own.
function View:_stream(event, kind, text)
  if not self.open or self.open.id ~= event.itemId then
    return
  end
  if self.open.kind and self.open.kind ~= kind then
    self:_append('\n\n')
  end
  if kind == 'reasoning' then
    text = (self.open.kind == kind and '' or '> ') .. text:gsub('\n', '\n> ')
  end
  self.open.kind = kind
  self:_append(text)
end

--- A message is whole: what was streamed of it is replaced, as far as it differs. Most of it does not, and drawing a
--- long message anew would hold up who is typing.
function View:_complete(item)
  if not self.open or self.open.id ~= item.itemId then
    return
  end
  local lines = transcript.item(item)
  local shown = vim.api.nvim_buf_get_lines(self.buffer, self.open.first, -1, false)
  local same = 0
  while same < #lines and lines[same + 1] == shown[same + 1] do
    same = same + 1
  end
  if same < #lines or same < #shown then
    self:_set_lines(self.open.first + same, -1, vim.list_slice(lines, same + 1))
  end
  self.open = nil
end

function View:_summed_up()
  self:_add({ '> *The conversation until here was summed up for the model.*' })
end

function View:_end_turn(turn)
  if turn.status == 'running' or turn.status == 'queued' then
    return
  end
  self:_add(transcript.ending(turn))
  self:_add(transcript.cost(turn))
end

--- Something that is not in the session.
---@param text string
function View:note(text)
  if self:is_alive() then
    self:_add(transcript.quote(text))
  end
end

local take = {
  ['item.started'] = function(view, event)
    view:_begin(event.itemId, event.item.role, event.item.model)
  end,
  ['text.delta'] = function(view, event)
    view:_stream(event, 'text', event.text)
  end,
  ['reasoning.delta'] = function(view, event)
    view:_stream(event, 'reasoning', event.text)
  end,
  ['toolCall.completed'] = function(view, event)
    view:_stream(event, event.call.callId, transcript.call(event.call))
  end,
  ['retry.scheduled'] = function(view, event)
    local said = ('%s Trying again in %.1f s.'):format(event.error.message, event.delayMs / 1000)
    view:_stream(event, 'retry', '> *' .. said .. '*')
  end,
  ['item.completed'] = function(view, event)
    view:_complete(event.item)
  end,
  ['context.compacted'] = View._summed_up,
  ['turn.completed'] = View._end_turn,
  ['session.updated'] = function(view, event)
    view.session.title = event.title or view.session.title
    view.session.model = event.model or view.session.model
    view:_show_status()
  end,
  ['state'] = function(view, event)
    view.session.state = event.state
    view:_show_status()
  end,
}

--- Draw an event. Those of other types change nothing that is shown.
---@param event table `SessionEvent` of the protocol.
function View:take(event)
  if take[event.type] and self:is_alive() then
    take[event.type](self, event)
  end
end

return View
