--- Asks the model in a chat, and writes down how late a timer of this Neovim is until the answer has ended.
---
--- `g:lag` has `command` (of the server), `treesitter` (instead of syntax), `model`, `question` ('' to wait only), `ending` (of the answer), `ms` (to wait
--- when nothing is asked) and `out`: one number a line, milliseconds.

local EVERY_MS = 5
--- Looking for the end costs something too, so it is done seldom.
local LOOK_MS = 200
local STATUS_LINES = 6

local lag = vim.g.lag
local begun = vim.uv.hrtime()
local late = {}
local last
local timer = assert(vim.uv.new_timer())
local looking = assert(vim.uv.new_timer())

local function watch()
  timer:start(0, EVERY_MS, function()
    local now = vim.uv.hrtime() / 1e6
    if last then
      table.insert(late, now - last - EVERY_MS)
    end
    last = now
  end)
end

local function is_over()
  if lag.question == '' then
    return (vim.uv.hrtime() - begun) / 1e6 > lag.ms
  end
  local lines = vim.api.nvim_buf_get_lines(0, -STATUS_LINES, -1, false)
  return vim.list_contains(lines, lag.ending)
end

if lag.treesitter then
  vim.api.nvim_create_autocmd('FileType', { pattern = 'markdown', callback = function() vim.treesitter.start() end })
end
require('trunkline').setup({ command = lag.command })
if lag.question ~= '' then
  vim.cmd('Trunkline model ' .. lag.model)
  vim.cmd('Trunkline chat ' .. lag.question)
end
looking:start(LOOK_MS, LOOK_MS, vim.schedule_wrap(function()
  if not timer:is_active() then
    -- Starting a server is not what is measured.
    if lag.question == '' or vim.b.trunkline_session then
      watch()
    end
  elseif is_over() then
    timer:stop()
    looking:stop()
    vim.fn.writefile(vim.tbl_map(tostring, late), lag.out)
    vim.cmd('qall!')
  end
end))
