"""What must never be read, whichever tool is asked and however the path is written."""

import os
import socket
from pathlib import Path

import pytest

from support.memory_editor import MemoryEditor
from support.tool_runs import Call, run_of, text_of
from trunkline.errors import TrunklineError
from trunkline.tools.confinement import Confinement
from trunkline.tools.permission import Policy
from trunkline.tools.text_files import read_text
from trunkline.tools.walk import walk
from trunkline.tools.workspace_tools import WorkspaceTools
from trunkline_protocol.errors import ErrorCode

SECRET = "canary-outside-2c41"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "outside"
    path.mkdir()
    (path / "secret.txt").write_text(f"{SECRET}\n")
    return path


@pytest.mark.parametrize("name", ["read_file", "list_files", "search_text", "edit_file"])
@pytest.mark.parametrize(
    "path",
    [
        "../outside/secret.txt",
        "src/../../outside/secret.txt",
        "{outside}/secret.txt",
        "link-to-file",
        "link-to-folder/secret.txt",
        "chain",
        "/etc/passwd",
        "/proc/self/environ",
        "/dev/zero",
        "loop",
        "private/auth.json",
        "",
        "a\0b",
        "a\ud800b",
        pytest.param("x" * 5000, id="too long"),
    ],
)
async def test_no_path_leads_out(call: Call, folder: Path, outside: Path, name: str, path: str) -> None:
    (folder / "src").mkdir()
    (folder / "private").mkdir()
    (folder / "private" / "auth.json").write_text(SECRET)
    (folder / "link-to-file").symlink_to(outside / "secret.txt")
    (folder / "link-to-folder").symlink_to(outside)
    (folder / "chain").symlink_to(folder / "link-to-file")
    (folder / "loop").symlink_to(folder / "loop")
    more = {"pattern": "canary"} if name == "search_text" else {}
    more |= {"content": "x"} if name == "edit_file" else {}
    said = await call(name, path=path.format(outside=outside), **more)
    assert said.startswith("refused: ")
    assert SECRET not in said


async def test_a_folder_above_all_others_does_not_open_the_kernels_files(tools: WorkspaceTools) -> None:
    for path in ("/proc/self/environ", "/dev/zero", "/sys/kernel/notes"):
        said = text_of(await tools.run(run_of("read_file", MemoryEditor(Path("/")), path=path)))
        assert said == f"refused: {path} belongs to the system and is not a file."


@pytest.mark.skipif(os.name != "posix", reason="these files are POSIX's")
async def test_what_is_no_file_is_not_read(call: Call, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "sub").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "sock"))
        assert await call("read_file", path="pipe") == "refused: pipe is a named pipe, not a file."
        assert await call("read_file", path="sock") == "refused: sock is a socket or a device, not a file."
        assert await call("read_file", path="sub") == "refused: sub is a folder, not a file."
        assert await call("read_file", path="gone") == "refused: gone does not exist."
        assert await call("list_files") == "(nothing that git does not ignore)"
        assert await call("search_text", pattern=".") == "(no line matches)"


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
@pytest.mark.parametrize("swapped", ["deep/secret.txt", "deep"])
def test_a_link_that_is_swapped_in_after_the_path_was_looked_at_is_not_followed(
    folder: Path, outside: Path, swapped: str
) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "secret.txt").write_text("inside\n")
    confinement = Confinement([folder], [])
    place = confinement.locate("deep/secret.txt")
    assert read_text(place, {}) == "inside\n"
    (folder / swapped).rename(folder / "moved")
    (folder / swapped).symlink_to(outside / "secret.txt" if swapped.endswith(".txt") else outside)
    with pytest.raises(TrunklineError) as refusal:
        read_text(place, {})
    assert refusal.value.code == ErrorCode.TOOL_FAILED
    with pytest.raises(TrunklineError):
        confinement.locate("deep/secret.txt")


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_a_folder_that_becomes_a_link_during_a_walk_is_not_entered(folder: Path, outside: Path) -> None:
    for name in ("a", "b"):
        (folder / name).mkdir()
        (folder / name / "file").touch()
    confinement = Confinement([folder], [])
    walked = walk(confinement, confinement.locate("."))
    assert next(walked).place.shown == "a"
    (folder / "b").rename(folder / "moved")
    (folder / "b").symlink_to(outside)
    assert [found.place.shown for found in walked] == ["a/file", "b"]


async def test_an_empty_place_has_no_tools(tmp_path: Path, folder: Path) -> None:
    tools = WorkspaceTools([], lambda _: Policy())
    assert await tools.tools(None, None) == ()
    assert [tool.name for tool in await tools.tools(None, folder)] == [
        "read_file",
        "list_files",
        "search_text",
    ]
    without = MemoryEditor(folder, applies_edits=False)
    assert "edit_file" not in {tool.name for tool in await tools.tools(without, None)}
    assert "edit_file" in {tool.name for tool in await tools.tools(MemoryEditor(tmp_path), None)}
