--- What the user chooses from a list: a model, a session, whether a tool may do something.

local client = require('trunkline.client')
local trunkline = require('trunkline')

local M = {}

--- The model of sessions that are begun from now on; nil is what the server takes by itself.
---@type string?
M.chosen_model = nil

local function use(model)
  M.chosen_model = model
  local session_id = require('trunkline.chat').session_id()
  if session_id then
    client.request('session/update', { sessionId = session_id, model = model })
  end
end

local function described(model)
  local said = { model.model, model.name }
  if model.contextWindow then
    table.insert(said, ('%dk tokens'):format(model.contextWindow / 1000))
  end
  local pricing = model.pricing
  if pricing and pricing.input and pricing.output then
    local format = '%s / %s %s per million'
    table.insert(said, format:format(pricing.input, pricing.output, pricing.currency))
  end
  return table.concat(said, '  ')
end

--- Use another model, in the latest chat and in new ones.
---@param model? string A list is shown without it.
function M.model(model)
  if model then
    use(model)
    return
  end
  client.request('model/list', vim.empty_dict(), function(result)
    if #result.models == 0 then
      trunkline.say('no provider can be used yet: `:Trunkline login`', vim.log.levels.WARN)
      return
    end
    vim.ui.select(result.models, { prompt = 'Model', format_item = described }, function(choice)
      if choice then
        use(choice.model)
      end
    end)
  end)
end

--- Open a session that there is already.
function M.session()
  client.request('session/list', vim.empty_dict(), function(result)
    if #result.sessions == 0 then
      trunkline.say('there is no session yet: `:Trunkline chat`')
      return
    end
    vim.ui.select(result.sessions, {
      prompt = 'Session',
      format_item = function(session)
        local title = session.title or 'Without a title'
        return ('%s  %s  %s, %d turns'):format(title, session.model, session.state, session.turnCount)
      end,
    }, function(choice)
      if choice then
        require('trunkline.chat').open(choice.sessionId)
      end
    end)
  end)
end

--- Answer `permission/request`; nothing that is not chosen is allowed.
---@param params table
---@return table result
function M.permission(params)
  local co = assert(coroutine.running())
  local arguments = params.subject.arguments and vim.json.encode(params.subject.arguments) or ''
  vim.ui.select(params.options, {
    prompt = ('%s %s'):format(params.title, arguments),
    kind = 'trunkline_permission',
    format_item = function(option)
      return option.label
    end,
  }, function(choice)
    -- Scheduled, because some dialogs answer before there is anybody to go on.
    vim.schedule(function()
      coroutine.resume(co, choice)
    end)
  end)
  local choice = coroutine.yield()
  return choice and { outcome = 'selected', optionId = choice.optionId } or { outcome = 'cancelled' }
end

return M
