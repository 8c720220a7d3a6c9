-- The one command. Everything else is loaded when it is used.

if vim.g.loaded_trunkline then
  return
end
vim.g.loaded_trunkline = true

vim.api.nvim_create_user_command('Trunkline', function(call)
  require('trunkline').run(call)
end, {
  nargs = '*',
  range = true,
  bang = true,
  desc = 'Talk with AI models',
  complete = function(lead, line)
    return require('trunkline').complete(lead, line)
  end,
})
