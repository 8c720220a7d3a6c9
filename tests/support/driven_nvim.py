"""Neovim with our plugin, driven through its own socket."""

import json
from collections.abc import Sequence
from typing import Any

from typing_extensions import override

from support.clients import NEOVIM
from support.driven_editors import COMMAND, PLUGINS, READY, DrivenEditor

_CHATS = (
    "vim.iter(vim.api.nvim_list_bufs())"
    ":filter(function(b) return vim.api.nvim_buf_is_loaded(b)"
    " and vim.api.nvim_buf_get_name(b):match('^trunkline://') end)"
    ":map(function(b) return table.concat(vim.api.nvim_buf_get_lines(b, 0, -1, false), '\\n') end)"
    ":join('\\n=====\\n')"
)


class Neovim(DrivenEditor):
    """Code is the body of a Lua function, a condition a Lua expression."""

    editor = NEOVIM

    @override
    async def model(self, model: str) -> None:
        await self._do(f"Trunkline model {model}")

    @override
    async def models(self) -> None:
        await self._do("Trunkline model")

    @override
    async def chat(self, text: str, *, new: bool = False) -> None:
        await self._do(f"Trunkline{'!' if new else ''} chat {text}")

    @override
    async def sessions(self) -> None:
        await self._do("Trunkline sessions")

    @override
    async def attach(self, target: str) -> None:
        await self._do(f"Trunkline attach {target}")

    @override
    async def detach(self) -> None:
        await self._do("Trunkline detach")

    @override
    async def close_chat(self) -> None:
        await self._do("bdelete")

    @override
    async def type_prompt(self, *lines: str) -> None:
        await self._press(":Trunkline! chat<CR>")
        await self.until("vim.fn.mode() == 'i'")
        await self._press("<CR>".join(lines) + "<C-s>")

    @override
    async def interrupt(self) -> None:
        await self._press("<C-c>")

    @override
    async def log_in(self, key: str) -> None:
        # At this level Neovim writes down everything that is sent.
        await self.run("vim.lsp.log.set_level(vim.log.levels.TRACE)")
        await self.choose("Type a key")
        await self._do("Trunkline login fastrouter")
        await self.hear("Key for FastRouter: ", "the prompt")
        await self._press(f"{key}<CR>")

    @override
    async def choose(self, label: str | None) -> None:
        chosen = (
            "nil"
            if label is None
            else f"vim.iter(choices):find(function(c) return vim.startswith(show(c), [==[{label}]==]) end)"
        )
        await self.run(
            "_G.asked = {} vim.ui.select = function(choices, options, choose)"
            " local show = options.format_item or tostring"
            f" table.insert(_G.asked, options.prompt) choose({chosen}) end"
        )

    @override
    async def type_in_notes(self, text: str) -> None:
        await self.run(
            f"vim.cmd.edit('notes.txt') vim.api.nvim_buf_set_lines(0, 0, 0, false, {{ [==[{text}]==] }})"
        )
        await self._do("let &undolevels = &undolevels")

    @override
    async def ask_about_first_line(self, text: str) -> None:
        await self._do(f"1Trunkline! chat {text}")

    @override
    async def undo_in_notes(self) -> None:
        await self.run("vim.api.nvim_buf_call(vim.fn.bufnr('notes.txt'), vim.cmd.undo)")

    @override
    async def shows(self, text: str) -> None:
        await self.until(f"({_CHATS}):find([==[{text}]==], 1, true)")

    @override
    async def has_status(self, status: str) -> None:
        await self.until(f"vim.b.trunkline_status == '{status}'")

    @override
    async def text(self) -> str:
        return await self.run(f"return {_CHATS}")

    @override
    async def asked(self) -> list[str]:
        return await self.run("return _G.asked")

    @override
    async def buffer(self, name: str) -> str:
        lines = f"vim.api.nvim_buf_get_lines(vim.fn.bufnr('{name}'), 0, -1, false)"
        return await self.run(f"return table.concat({lines}, '\\n') .. '\\n'")

    @override
    def start_command(self, program: str) -> Sequence[str]:
        setup = f"require('trunkline').setup({{ command = vim.json.decode([==[{json.dumps(COMMAND)}]==]) }})"
        return (
            *(program, "--headless", "--clean", "--listen", str(self.socket)),
            *("--cmd", f"set runtimepath^={PLUGINS / 'nvim'}"),
            *("-c", f"lua {setup}"),
            *("-c", f"lua io.stderr:write('{READY}\\n')"),
        )

    @override
    async def run(self, code: str) -> Any:
        lua = f"vim.json.encode(((function() {code} end)()))".replace("'", "''")
        return json.loads(await self._remote("--remote-expr", f"luaeval('{lua}')"))

    @override
    async def until(self, condition: str) -> None:
        # From a timer: a wait within a request would keep Neovim from changing its mode.
        word = self.next_word()
        await self.run(
            "local timer = vim.uv.new_timer() timer:start(0, 5, vim.schedule_wrap(function()"
            f" if not timer:is_closing() and ({condition}) then"
            f" timer:close() io.stderr:write('{word}\\n') end end))"
        )
        await self.hear(word, condition)

    @override
    async def quit(self) -> None:
        await self._remote("--remote-send", "<C-\\><C-n>:qall!<CR>", ends=True)

    async def _do(self, command: str) -> None:
        await self.run(f"vim.cmd([==[{command}]==])")

    async def _press(self, keys: str) -> None:
        await self._remote("--remote-send", keys)

    async def _remote(self, *arguments: str, ends: bool = False) -> bytes:
        return await self.command(self.program, "--server", str(self.socket), *arguments, ends=ends)
