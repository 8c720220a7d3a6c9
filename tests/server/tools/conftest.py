from pathlib import Path
from typing import Any

import pytest

from support.memory_editor import MemoryEditor
from support.tool_runs import Call, run_of, text_of
from trunkline.tools.permission import Policy
from trunkline.tools.workspace_tools import WorkspaceTools


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "project"
    path.mkdir()
    return path


@pytest.fixture
def editor(folder: Path) -> MemoryEditor:
    return MemoryEditor(folder)


@pytest.fixture
def tools(tmp_path: Path) -> WorkspaceTools:
    return WorkspaceTools([tmp_path / "project" / "private"], lambda _: Policy())


@pytest.fixture
def call(tools: WorkspaceTools, editor: MemoryEditor) -> Call:
    async def call(name: str, **arguments: Any) -> str:
        return text_of(await tools.run(run_of(name, editor, **arguments)))

    return call
