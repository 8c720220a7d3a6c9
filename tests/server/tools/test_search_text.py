import asyncio
import threading
from pathlib import Path

import pytest

from support.memory_editor import MemoryEditor
from support.tool_runs import Call, run_of, text_of
from trunkline.tools.permission import Policy
from trunkline.tools.stopping import in_thread
from trunkline.tools.workspace_tools import WorkspaceTools


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"pattern": "b.t"}, "a.txt:1: bat\na.txt:3: bit\nsub/c.md:1: but"),
        ({"pattern": "^b[ai]t$", "path": "a.txt"}, "a.txt:1: bat\na.txt:3: bit"),
        ({"pattern": "b.t", "literal": True}, "(no line matches)"),
        ({"pattern": "BAT", "ignoreCase": True}, "a.txt:1: bat"),
        ({"pattern": "b", "glob": "*.md"}, "sub/c.md:1: but"),
        ({"pattern": "b", "path": "sub"}, "sub/c.md:1: but"),
        ({"pattern": "t\nx"}, "(no line matches)"),
        ({"pattern": "^$"}, "a.txt:2: "),
    ],
)
async def test_lines_that_match(
    call: Call, folder: Path, arguments: dict[str, object], expected: str
) -> None:
    (folder / "a.txt").write_text("bat\n\nbit\n")
    (folder / "sub").mkdir()
    (folder / "sub" / "c.md").write_text("but\n")
    (folder / "binary").write_bytes(b"bat\0")
    (folder / "ignored").write_text("bat")
    (folder / ".gitignore").write_text("ignored\n")
    assert await call("search_text", **arguments) == expected


async def test_patterns_of_another_syntax_are_refused(call: Call) -> None:
    for pattern in ("(", "(?=a)", r"(a)\1"):
        said = await call("search_text", pattern=pattern)
        assert said.startswith("refused: The pattern is no regular expression of RE2: ")


async def test_a_pattern_that_backtracks_elsewhere_ends_here(call: Call, folder: Path) -> None:
    (folder / "a").write_text("a" * 50_000 + "!\n")
    assert await call("search_text", pattern="^(a+)+$") == "(no line matches)"


async def test_too_many_lines_are_cut_with_a_marker(call: Call, folder: Path) -> None:
    for number in range(6):
        (folder / f"{number}").write_text("hit\n" * 60)
    lines = (await call("search_text", pattern="hit")).splitlines()
    assert lines[49:52] == ["0:50: hit", "0: (more lines match)", "1:1: hit"]
    assert len(lines) == 201
    assert lines[-1].startswith("(more than 200 lines match;")
    (folder / "long").write_text("x" * 1_000 + "needle")
    assert len(await call("search_text", pattern="needle", path="long")) < 400


async def test_buffers_are_searched_and_files_that_need_permission_are_not(
    folder: Path, editor: MemoryEditor
) -> None:
    (folder / "a.txt").write_text("saved")
    (folder / ".env").write_text("KEY=saved")
    (folder / "denied.txt").write_text("saved")
    editor.buffers[folder / "a.txt"] = "typed"
    tools = WorkspaceTools([], lambda _: Policy({"read_file": {"denied.*": "deny"}}))
    assert text_of(await tools.run(run_of("search_text", editor, pattern="saved"))) == "(no line matches)"
    assert text_of(await tools.run(run_of("search_text", editor, pattern="typed"))) == "a.txt:1: typed"
    named = text_of(await tools.run(run_of("search_text", editor, pattern="KEY", path=".env")))
    assert named == "refused: .env is not searched without asking; read_file asks."


async def test_work_in_a_thread_ends_when_nobody_waits_for_it() -> None:
    begun, ended = threading.Event(), threading.Event()

    def work(stopped: object) -> None:
        assert callable(stopped)
        begun.set()
        try:
            while True:
                stopped()
        finally:
            ended.set()

    task = asyncio.create_task(in_thread(work))
    assert await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(ended.wait, 10)


async def test_work_in_a_thread_is_told_when_its_time_is_over() -> None:
    assert await in_thread(lambda stopped: stopped(), seconds=-1)
    assert not await in_thread(lambda stopped: stopped(), seconds=60)
