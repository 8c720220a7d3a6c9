from pathlib import Path
from typing import Any

import pytest

from support.memory_editor import MemoryEditor
from support.tool_runs import Call, run_of, text_of
from trunkline.tools.toolbox import Access
from trunkline.tools.workspace_tools import WorkspaceTools

DONE = "f.txt is changed in the editor; it is not saved yet."


@pytest.mark.parametrize(
    ("before", "arguments", "said", "after"),
    [
        ("a b c", {"oldText": "b", "newText": "B"}, DONE, "a B c"),
        ("a\r\nb\r\n", {"oldText": "a\nb", "newText": "x\ny"}, DONE, "x\r\ny\r\n"),
        ("a a", {"oldText": "a", "newText": "b", "replaceAll": True}, DONE, "b b"),
        ("a", {"content": "new"}, DONE, "new"),
        ("a", {"oldText": "a", "newText": ""}, DONE, ""),
        ("a", {"content": "a"}, "f.txt has this text already.", None),
        (None, {"content": "new"}, "f.txt is made in the editor; it is not saved yet.", "new"),
        (
            None,
            {"oldText": "a", "newText": "b"},
            "refused: f.txt does not exist; give `content` to make it.",
            None,
        ),
        (
            "a a",
            {"oldText": "a", "newText": "b"},
            "refused: `oldText` is 2 times in f.txt. Give more of the text around it.",
            None,
        ),
        (
            "a",
            {"oldText": "z", "newText": "b"},
            "refused: `oldText` is not in f.txt. Read the file again and copy the text exactly.",
            None,
        ),
        ("a", {}, "refused: Give either `content`, or `oldText` and `newText`.", None),
        ("a", {"oldText": "a"}, "refused: Give either `content`, or `oldText` and `newText`.", None),
        (
            "a",
            {"content": "b", "oldText": "a", "newText": "b"},
            "refused: Give either `content`, or `oldText` and `newText`.",
            None,
        ),
    ],
)
async def test_the_editor_makes_the_change(
    call: Call,
    editor: MemoryEditor,
    folder: Path,
    before: str | None,
    arguments: dict[str, Any],
    said: str,
    after: str | None,
) -> None:
    path = folder / "f.txt"
    if before is not None:
        path.write_text(before, newline="")
    assert await call("edit_file", path="f.txt", **arguments) == said
    assert editor.edits == ([] if after is None else [(path, before, after)])
    assert (path.read_bytes().decode() if path.exists() else None) == before


async def test_a_file_below_a_file_is_not_made(call: Call, editor: MemoryEditor, folder: Path) -> None:
    (folder / "f.txt").write_text("a")
    said = await call("edit_file", path="f.txt/sub/g.txt", content="b")
    assert said == "refused: f.txt/sub/g.txt cannot be made: a part of the path is no folder."
    assert editor.edits == []


@pytest.mark.parametrize("path", [".git/hooks/post-commit", "sub/.GIT/config", ".git"])
async def test_what_git_would_run_is_not_changed(call: Call, editor: MemoryEditor, path: str) -> None:
    said = await call("edit_file", path=path, content="#!/bin/sh")
    assert said == f"refused: {path} belongs to git, which runs what stands there. Use git to change it."
    assert editor.edits == []


async def test_an_unsaved_buffer_is_what_is_changed(call: Call, editor: MemoryEditor, folder: Path) -> None:
    (folder / "f.txt").write_text("saved")
    editor.buffers[folder / "f.txt"] = "typed text"
    assert await call("edit_file", path="f.txt", oldText="typed", newText="edited") == DONE
    assert editor.edits == [(folder / "f.txt", "typed text", "edited text")]


async def test_a_refusal_of_the_editor_is_told_to_the_model(
    call: Call, editor: MemoryEditor, folder: Path
) -> None:
    (folder / "f.txt").write_text("a")
    editor.refuses = True
    assert (
        await call("edit_file", path="f.txt", content="b") == "refused: The editor did not make the change."
    )


async def test_without_an_editor_nothing_is_changed(tools: WorkspaceTools, folder: Path) -> None:
    said = text_of(await tools.run(run_of("edit_file", None, cwd=folder, path="f.txt", content="b")))
    assert said == "refused: No editor is there that could make the change."
    assert not (folder / "f.txt").exists()


async def test_what_a_call_would_do(tools: WorkspaceTools, editor: MemoryEditor) -> None:
    assert tools.access(run_of("edit_file", editor, path="./a/../f.txt")) == Access("write", "f.txt")
    assert tools.access(run_of("read_file", editor, path="f.txt")) == Access("read", "f.txt")
    assert tools.access(run_of("search_text", editor, pattern="x")) == Access("read", ".")
