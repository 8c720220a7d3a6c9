--- `:checkhealth trunkline`

local M = {}

function M.check()
  local health = vim.health
  health.start('trunkline')
  if vim.fn.has('nvim-0.10') == 0 then
    health.error('Neovim 0.10 or newer is needed')
    return
  end
  local command = require('trunkline').options.command
  if vim.fn.executable(command[1]) == 0 then
    health.error(('`%s` is not on PATH'):format(command[1]), {
      'Install it: `pipx install trunkline`',
      'Or name it: `require("trunkline").setup({ command = { "/path/of/trunkline" } })`',
    })
    return
  end
  local told = vim.system(vim.list_extend(vim.deepcopy(command), { '--version' }), { text = true }):wait(10000)
  if told.code == 0 then
    health.ok(vim.trim(told.stdout))
  else
    health.error(('`%s --version` fails'):format(table.concat(command, ' ')), vim.trim(told.stderr))
  end
  local clients = vim.lsp.get_clients({ name = 'trunkline' })
  health.info(#clients > 0 and 'A server is running' or 'No server is running: one starts when it is needed')
end

return M
