"""A client as the editor that tools of sessions work with: its folders, its buffers, edits by its own hand.

It has the shape of an `Editor` of `trunkline.tools` and imports nothing of that room before an edit is made:
every connection has one, and few use it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from trunkline.config.stamps import Stamp, stamp
from trunkline.errors import TrunklineError
from trunkline.rpc.client_settings import path_of
from trunkline.rpc.handshake import position_encoding
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from trunkline.rpc.documents import Documents, OpenDocument
    from trunkline.rpc.handshake import Client
    from trunkline.rpc.questions import Questions

_ANSWER_S = 60.0
"""How long an editor may take for an edit; some ask their user."""
_MOST_LINES = 5_000
"""Finding out which of more lines changed takes longer than anybody wants to wait."""
_UNIT_BYTES = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


class ClientEditor:
    """One client on this machine."""

    def __init__(self, client: "Client", documents: "Documents", questions: "Questions") -> None:
        self._capabilities = client.params.get("capabilities")
        self._documents = documents
        self._questions = questions
        self._edited: dict[Path, tuple[str, Stamp]] = {}
        """Files that were edited and are not open: what the editor holds of them until the disk changes."""
        self._ahead: dict[Path, tuple[OpenDocument, str]] = {}
        """Buffers that were edited: what was known of them then, and their text until the editor tells it."""

    @property
    def applies_edits(self) -> bool:
        """Whether `apply_edit` can work at all."""
        return self._can("workspace", "applyEdit") is True

    def folders(self) -> Sequence[Path]:
        """Its workspace folders, absolute and resolved."""
        paths = (path_of(uri) for uri in self._documents.folders)
        return [path.resolve() for path in paths if path is not None]

    async def open_texts(self) -> Mapping[Path, str]:
        """The texts of all open buffers, unsaved changes included, by resolved path."""
        opened = await self._documents.open()
        texts = {path: self._text_of(path, document) for path, document in opened.items()}
        for path, (text, stamped) in tuple(self._edited.items()):
            if path in texts or stamp(path) != stamped:
                del self._edited[path]
            else:
                texts[path] = text
        return texts

    async def apply_edit(self, label: str, path: Path, old_text: str | None, new_text: str) -> None:
        """Make `new_text` of `old_text` in a file, in a way that its user can undo; None makes a new file.

        Raises:
            TrunklineError: TOOL_FAILED when the editor refuses or cannot, or the text is another one by now.
        """
        if not self.applies_edits:
            raise _failed("The editor makes no changes for others.")
        document = (await self._documents.open()).get(path)
        if document is None:
            # What its buffer holds, if there is one, is not known: the text as a whole cannot go wrong.
            edits = [_whole(old_text or "", new_text)]
            await self._apply(label, path.as_uri(), None, edits, creates=old_text is None)
            self._edited[path] = new_text, stamp(path)
            return
        text = self._text_of(path, document)
        if text != old_text:
            raise _failed("The text was changed in the editor meanwhile. Read the file again.")
        # The editor has a version by now that it has not told yet, where an edit has just been made.
        version = None if path in self._ahead else document.version
        await self._apply(label, document.uri, version, line_edits(text, new_text, self._encoding))
        self._ahead[path] = document, new_text

    def _text_of(self, path: Path, document: "OpenDocument") -> str:
        """The text of a buffer: editors may hold back for a moment what they tell of an edit."""
        known, text = self._ahead.get(path, (None, ""))
        if known == document:
            return text
        self._ahead.pop(path, None)
        return document.text

    @property
    def _encoding(self) -> str:
        return position_encoding(self._capabilities)

    async def _apply(
        self, label: str, uri: str, version: int | None, edits: list[JsonObject], *, creates: bool = False
    ) -> None:
        edit: JsonObject = {"changes": {uri: edits}}
        if self._can("workspace", "workspaceEdit", "documentChanges") is True:
            change = {"textDocument": {"uri": uri, "version": version}, "edits": edits}
            operations: Any = self._can("workspace", "workspaceEdit", "resourceOperations")
            creating = creates and isinstance(operations, list) and "create" in operations
            first = [{"kind": "create", "uri": uri, "options": {"ignoreIfExists": True}}] if creating else []
            edit = {"documentChanges": [*first, change]}
        try:
            async with asyncio.timeout(_ANSWER_S):
                answer = await self._questions.ask("workspace/applyEdit", {"label": label, "edit": edit})
        except TimeoutError:
            raise _failed("The editor did not say whether it made the change.") from None
        if not isinstance(answer, dict) or cast("JsonObject", answer).get("applied") is not True:
            raise _failed("The editor did not make the change.")

    def _can(self, *path: str) -> Any:
        value: Any = self._capabilities
        for name in path:
            value = cast("JsonObject", value).get(name) if isinstance(value, dict) else None
        return value


def line_edits(old: str, new: str, encoding: str) -> list[JsonObject]:
    """LSP's edits that make `new` of `old`, as few lines as possible; from the first to the last."""
    from difflib import SequenceMatcher

    from trunkline.tools.text_files import lines_of

    before, after = lines_of(old), lines_of(new)
    if len(before) + len(after) > _MOST_LINES:
        return [_whole(old, new)]

    def position(line: int) -> JsonObject:
        if line < len(before) or not before or before[-1].endswith(("\n", "\r")):
            return {"line": line, "character": 0}
        # There is no line behind the last one when that has no end.
        return {"line": line - 1, "character": _units(before[-1], encoding)}

    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return [
        {"range": {"start": position(i), "end": position(j)}, "newText": "".join(after[k:n])}
        for tag, i, j, k, n in matcher.get_opcodes()
        if tag != "equal"
    ]


def _whole(old: str, new: str) -> JsonObject:
    """Everything, up to a line that comes after any there is: editors cut it off (LSP 3.17, "Position")."""
    last = old.count("\n") + old.count("\r") + 2
    start, end = {"line": 0, "character": 0}, {"line": last, "character": 0}
    return {"range": {"start": start, "end": end}, "newText": new}


def _units(text: str, encoding: str) -> int:
    codec = encoding if encoding == "utf-8" else f"{encoding}-le"
    return len(text.encode(codec, "surrogatepass")) // _UNIT_BYTES[encoding]


def _failed(reason: str) -> TrunklineError:
    return TrunklineError(ErrorCode.TOOL_FAILED, reason)
