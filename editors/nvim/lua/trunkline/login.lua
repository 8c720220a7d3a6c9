--- Signing in to a provider: a key that is typed and sent once, or the provider's own page.

local client = require('trunkline.client')
local trunkline = require('trunkline')

local M = {}

local words = {
  apiKey = 'Type a key',
  browser = 'Sign in in the browser',
  device = 'Sign in with a code on another device',
}

local function ask_for_key(provider)
  local secret = vim.fn.inputsecret(('Key for %s: '):format(provider.name))
  if secret == '' then
    return
  end
  local params = { providerId = provider.providerId, secret = secret, verify = true }
  client.request_secretly('auth/set', params, function(result)
    local verified = result.verification
    if verified and verified.error then
      trunkline.say(client.explain(verified.error), vim.log.levels.WARN)
    else
      trunkline.say(('the key for %s is stored'):format(provider.name))
    end
  end)
end

local function ask_for_code(login_id)
  local code = vim.fn.inputsecret('Code that the page shows: ')
  if code == '' then
    client.request('auth/cancelLogin', { loginId = login_id })
  else
    client.request_secretly('auth/submitCode', { loginId = login_id, code = code })
  end
end

local function sign_in(provider, method)
  if method == 'apiKey' then
    ask_for_key(provider)
    return
  end
  local params = { providerId = provider.providerId, method = method }
  client.request('auth/login', params, function(result)
    local code = result.userCode and (' and enter the code ' .. result.userCode) or ''
    trunkline.say(('go to %s%s'):format(result.url or 'the page that opens', code))
    if result.url then
      vim.ui.open(result.url)
    end
    if result.needsCode then
      ask_for_code(result.loginId)
    end
  end)
end

local function choose_method(provider)
  local methods = provider.auth.methods
  if #methods < 2 then
    sign_in(provider, methods[1] or 'apiKey')
    return
  end
  vim.ui.select(methods, {
    prompt = 'How?',
    format_item = function(method)
      return words[method] or method
    end,
  }, function(method)
    if method then
      sign_in(provider, method)
    end
  end)
end

--- `:Trunkline login`
---@param provider_id? string A list is shown without it.
function M.begin(provider_id)
  client.request('provider/list', vim.empty_dict(), function(result)
    local providers = vim.tbl_filter(function(provider)
      return provider_id == nil or provider.providerId == provider_id
    end, result.providers)
    if provider_id then
      if providers[1] then
        choose_method(providers[1])
      else
        trunkline.say(('there is no provider %s'):format(provider_id), vim.log.levels.ERROR)
      end
      return
    end
    vim.ui.select(providers, {
      prompt = 'Provider',
      format_item = function(provider)
        return ('%s (%s)'):format(provider.name, provider.state)
      end,
    }, function(provider)
      if provider then
        choose_method(provider)
      end
    end)
  end)
end

--- `auth/loginCompleted`
function M.on_completed(params)
  if params.ok then
    trunkline.say(('you are signed in to %s'):format(params.key and params.key.providerId or 'the provider'))
  else
    trunkline.say(client.explain(params.error), vim.log.levels.ERROR)
  end
end

return M
