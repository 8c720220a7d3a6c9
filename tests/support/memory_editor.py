"""An editor that is only memory: folders, open buffers, and the edits it was asked for."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from typing_extensions import override

from trunkline.errors import TrunklineError
from trunkline.tools.toolbox import Editor
from trunkline_protocol.errors import ErrorCode


class MemoryEditor(Editor):
    def __init__(self, *folders: Path, applies_edits: bool = True) -> None:
        self.buffers: dict[Path, str] = {}
        self.edits: list[tuple[Path, str | None, str]] = []
        self.refuses = False
        self._folders = folders
        self._applies_edits = applies_edits

    @property
    @override
    def applies_edits(self) -> bool:
        return self._applies_edits

    @override
    def folders(self) -> Sequence[Path]:
        return self._folders

    @override
    async def open_texts(self) -> Mapping[Path, str]:
        return self.buffers

    @override
    async def apply_edit(self, label: str, path: Path, old_text: str | None, new_text: str) -> None:
        if self.refuses:
            raise TrunklineError(ErrorCode.TOOL_FAILED, "The editor did not make the change.")
        self.edits.append((path, old_text, new_text))
        self.buffers[path] = new_text
