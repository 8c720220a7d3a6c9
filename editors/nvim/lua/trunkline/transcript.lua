--- Items of a session as lines of Markdown.

local M = {}

--- The lines of a text.
---@param text string
---@return string[]
function M.lines(text)
  return vim.split((text:gsub('\r\n?', '\n')), '\n', { plain = true })
end

---@param text string
---@return string[]
function M.quote(text)
  return vim.tbl_map(function(line)
    return line == '' and '>' or '> ' .. line
  end, M.lines(text))
end

--- A tool call in one line.
function M.call(call)
  local arguments = call.argumentsText or vim.json.encode(call.arguments)
  return ('> `%s` %s'):format(call.name, (arguments:gsub('%s+', ' ')))
end

--- What a tool said: its first line, and how much more there is.
local function result(part)
  local texts = {}
  for _, piece in ipairs(part.content) do
    table.insert(texts, piece.text or ('[%s]'):format(piece.mimeType))
  end
  local lines = M.lines(table.concat(texts, '\n'))
  local more = #lines > 1 and (' (and %d more lines)'):format(#lines - 1) or ''
  return { ('> %s %s%s'):format(part.isError and '✗' or '→', lines[1], more) }
end

local function text(part)
  local lines = M.lines(part.text)
  for _, citation in ipairs(part.citations or {}) do
    if citation.url then
      table.insert(lines, ('- <%s>'):format(citation.url))
    end
  end
  return lines
end

local parts = {
  text = text,
  reasoning = function(part)
    return M.quote(part.text)
  end,
  toolCall = function(part)
    return { M.call(part) }
  end,
  toolResult = result,
}

--- The lines of an item. Its parts stand apart by an empty line.
---@param item table `Item` of the protocol.
---@return string[]
function M.item(item)
  local lines = {}
  local content = item.message.content
  if type(content) == 'string' then
    content = { { type = 'text', text = content } }
  end
  for _, notice in ipairs(item.notices or {}) do
    vim.list_extend(lines, M.quote(notice.message))
    table.insert(lines, '')
  end
  for index, part in ipairs(content) do
    if index > 1 then
      table.insert(lines, '')
    end
    local known = parts[part.type]
    vim.list_extend(lines, known and known(part) or { ('> [%s]'):format(part.mimeType or part.type) })
  end
  return lines
end

--- Who speaks.
---@param role string
---@param model? string
---@return string
function M.speaker(role, model)
  return role == 'user' and 'You' or model or 'Model'
end

--- What a turn took.
---@return string[]
function M.cost(turn)
  if not turn.usage then
    return {}
  end
  local said = ('> %d in, %d out'):format(turn.usage.inputTokens, turn.usage.outputTokens)
  local cost = turn.cost
  if cost then
    local about = cost.estimated and 'about ' or ''
    said = ('%s, %s%.4f %s'):format(said, about, tonumber(cost.amount), cost.currency)
  end
  return { said }
end

--- How a turn ended, where that is worth a line.
---@return string[]
function M.ending(turn)
  if turn.error then
    return M.quote('**' .. require('trunkline.client').explain(turn.error) .. '**')
  elseif turn.status == 'interrupted' then
    return { '> *Interrupted.*' }
  end
  return {}
end

return M
