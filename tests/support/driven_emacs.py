"""Emacs with our package, driven through emacsclient."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from typing_extensions import override

from support.clients import EMACS
from support.driven_editors import COMMAND, PLUGINS, READY, DrivenEditor

_CHATS = (
    "(mapconcat (lambda (b) (if (eq (buffer-local-value 'major-mode b) 'trunkline-chat-mode)"
    ' (with-current-buffer b (buffer-substring-no-properties (point-min) (point-max))) ""))'
    ' (buffer-list) "")'
)


def _text(text: str) -> str:
    """A string of Lisp."""
    return json.dumps(text, ensure_ascii=False)


class Emacs(DrivenEditor):
    """Code is an expression whose value is JSON, and so is a condition."""

    editor = EMACS

    @override
    async def model(self, model: str) -> None:
        await self._do(f"(trunkline-model {_text(model)})")

    @override
    async def models(self) -> None:
        await self._do("(trunkline-model)")

    @override
    async def chat(self, text: str, *, new: bool = False) -> None:
        await self._do(f"(trunkline-chat {'t' if new else 'nil'} {_text(text)})")

    @override
    async def sessions(self) -> None:
        await self._do("(trunkline-sessions)")

    @override
    async def attach(self, target: str) -> None:
        await self._do(f"(trunkline-attach {_text(target)})")

    @override
    async def detach(self) -> None:
        await self._do("(trunkline-detach)")

    @override
    async def close_chat(self) -> None:
        await self._do("(kill-buffer)")

    @override
    async def type_prompt(self, *lines: str) -> None:
        await self._do("(trunkline-chat t)")
        await self.until("(eq (buffer-local-value 'major-mode (window-buffer)) 'trunkline-prompt-mode)")
        await self._press("\r".join(lines) + "\x03\x03")

    @override
    async def interrupt(self) -> None:
        await self._press("\x03\x03")

    @override
    async def log_in(self, key: str) -> None:
        await self._press_when_asked(f"{key}\r")
        await self._do('(trunkline-login "fastrouter")')

    @override
    async def choose(self, label: str | None) -> None:
        # A space that is not quoted completes a word.
        keys = "\x07" if label is None else label.replace(" ", "\x11 ") + "\t\r"
        await self._press_when_asked(keys)

    @override
    async def type_in_notes(self, text: str) -> None:
        await self._do(
            f'(find-file "notes.txt") (goto-char (point-min)) (insert {_text(text)} "\\n") (undo-boundary)'
        )

    @override
    async def ask_about_first_line(self, text: str) -> None:
        mark = "(goto-char (point-min)) (set-mark (line-end-position)) (transient-mark-mode) (activate-mark)"
        await self._do(f'(with-current-buffer "notes.txt" {mark} (trunkline-chat t {_text(text)}))')

    @override
    async def undo_in_notes(self) -> None:
        await self._do('(with-current-buffer "notes.txt" (deactivate-mark) (undo))')

    @override
    async def shows(self, text: str) -> None:
        await self.until(f"(string-search {_text(text)} {_CHATS})")

    @override
    async def has_status(self, status: str) -> None:
        shown = "(with-current-buffer (window-buffer) (format-mode-line header-line-format))"
        await self.until(f"(equal {shown} {_text(status)})")

    @override
    async def text(self) -> str:
        return await self.run(_CHATS)

    @override
    async def asked(self) -> list[str]:
        return await self.run("(vconcat test-asked)")

    @override
    async def buffer(self, name: str) -> str:
        return await self.run(f"(with-current-buffer {_text(name)} (buffer-string))")

    @override
    def start_command(self, program: str) -> Sequence[str]:
        command = " ".join(map(_text, COMMAND))
        # Once its loop runs: it listens from then on.
        ready = f"(run-at-time 0 nil (lambda () (princ {_text(READY)} #'external-debugging-output)))"
        return (
            *(program, "-Q", f"--fg-daemon={self.socket}", "-L", str(PLUGINS / "emacs"), "-l", "trunkline"),
            *("--eval", f"(setq trunkline-command '({command}))", "--eval", ready),
        )

    @override
    async def run(self, code: str) -> Any:
        value = f"(encode-coding-string (json-serialize (vector {code}) :null-object nil) 'utf-8)"
        printed = await self._client(f"(base64-encode-string {value} t)")
        return json.loads(base64.b64decode(printed.strip().strip(b'"')))[0]

    @override
    async def until(self, condition: str) -> None:
        word = self.next_word()
        await self._do(
            "(let (timer) (setq timer (run-with-timer 0 0.01 (lambda ()"
            f' (when {condition} (cancel-timer timer) (princ "{word}" #\'external-debugging-output))))))'
        )
        await self.hear(word, condition)

    @override
    async def quit(self) -> None:
        await self._client("(kill-emacs)", ends=True)

    async def _do(self, code: str) -> None:
        # Commands run in the buffer that the user sees.
        await self._client(f"(progn (set-buffer (window-buffer)) {code} nil)")

    async def _press(self, keys: str) -> None:
        await self._do(f"(execute-kbd-macro {_text(keys)})")

    async def _press_when_asked(self, keys: str) -> None:
        await self._do(
            "(defvar test-asked) (setq test-asked nil minibuffer-setup-hook (list (lambda ()"
            " (setq test-asked (append test-asked (list (minibuffer-prompt))))"
            f" (setq unread-command-events (listify-key-sequence {_text(keys)})))))"
        )

    async def _client(self, code: str, *, ends: bool = False) -> bytes:
        client = str(Path(self.program).with_name("emacsclient"))
        return await self.command(client, f"--socket-name={self.socket}", "--eval", code, ends=ends)
