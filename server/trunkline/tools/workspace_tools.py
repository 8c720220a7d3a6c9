"""The built-in tools, which work on the files of a session's workspace folders."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from trunkline.errors import TrunklineError
from trunkline.tools.confinement import Confinement, refused
from trunkline.tools.edit_file import EDIT_FILE, edit_file
from trunkline.tools.list_files import LIST_FILES, list_files
from trunkline.tools.output import error_output, text_output
from trunkline.tools.permission import Policy
from trunkline.tools.read_file import READ_FILE, read_file
from trunkline.tools.search_text import SEARCH_TEXT, search_text
from trunkline.tools.stopping import in_thread
from trunkline.tools.toolbox import Access, Editor, ToolOutput, ToolRun, ToolSource, workspace_folders
from trunkline_protocol.chat import Tool

if TYPE_CHECKING:
    from trunkline.tools.text_files import OpenTexts


class WorkspaceTools(ToolSource):
    """Reads and searches where there is a folder; edits where the editor can."""

    def __init__(self, private: Sequence[Path], policy: Callable[[Sequence[Path]], Policy]) -> None:
        """`private` are Trunkline's own directories; `policy` gives the rules for workspace folders."""
        self._private = tuple(private)
        self._policy = policy

    @override
    async def tools(self, editor: Editor | None, cwd: Path | None) -> Sequence[Tool]:
        if not workspace_folders(editor, cwd):
            return ()
        editing = (EDIT_FILE,) if editor is not None and editor.applies_edits else ()
        return (READ_FILE, LIST_FILES, SEARCH_TEXT, *editing)

    @override
    def access(self, run: ToolRun) -> Access:
        kind = "write" if run.name == EDIT_FILE.name else "read"
        return Access(kind, self._confinement(run).locate(run.arguments.get("path", ".")).shown)

    @override
    async def run(self, run: ToolRun) -> ToolOutput:
        try:
            return text_output(await self._run(run))
        except TrunklineError as error:
            return error_output(error)

    async def _run(self, run: ToolRun) -> str:
        confinement = self._confinement(run)
        texts: OpenTexts = {} if run.editor is None else await run.editor.open_texts()
        match run.name:
            case READ_FILE.name:
                return await asyncio.to_thread(read_file, confinement, texts, run.arguments)
            case LIST_FILES.name:
                return await in_thread(lambda stopped: list_files(confinement, run.arguments, stopped))
            case SEARCH_TEXT.name:
                may_read = self._may_read(confinement)
                return await in_thread(
                    lambda stopped: search_text(confinement, texts, may_read, run.arguments, stopped)
                )
            case _ if run.editor is not None:
                return await edit_file(confinement, texts, run.editor, run.arguments)
            case _:
                raise refused("No editor is there that could make the change.")

    def _confinement(self, run: ToolRun) -> Confinement:
        return Confinement(workspace_folders(run.editor, run.cwd), self._private)

    def _may_read(self, confinement: Confinement) -> Callable[[str], bool]:
        """A search reads only what could be read without asking."""
        policy = self._policy(confinement.roots)
        return lambda shown: policy.decide(READ_FILE.name, Access("read", shown)) == "allow"
