from pathlib import Path

import pytest

from support.memory_editor import MemoryEditor
from support.tool_runs import Call, run_of, text_of
from trunkline.tools.workspace_tools import WorkspaceTools


@pytest.mark.parametrize(
    ("data", "more", "expected"),
    [
        (b"one\ntwo\n", {}, "1\tone\n2\ttwo"),
        (b"one\r\ntwo\rthree", {}, "1\tone\n2\ttwo\n3\tthree"),
        (b"\xef\xbb\xbfone", {}, "1\tone"),
        ("a\u2028b\x0cc\n".encode(), {}, "1\ta\u2028b\x0cc"),
        (b"", {}, "(f.txt is empty)"),
        (b"1\n2\n3\n4\n", {"startLine": 2, "endLine": 3}, "2\t2\n3\t3"),
        (b"1\n2\n3\n", {"startLine": 3, "endLine": 99}, "3\t3"),
        (b"1\n", {"startLine": 2}, "refused: f.txt has only 1 lines."),
        (b"1\n2\n", {"startLine": 2, "endLine": 1}, "refused: `endLine` comes before `startLine`."),
        (b"a\0b", {}, "refused: f.txt is a binary file of 3 bytes."),
        (b"ok\nna\xefve\n", {}, "refused: f.txt is not UTF-8 text: line 2 has the byte 0xef."),
        (
            "x".encode("utf-16"),
            {},
            "refused: f.txt is UTF-16 text; only UTF-8 can be read.",
        ),
    ],
)
async def test_text(call: Call, folder: Path, data: bytes, more: dict[str, int], expected: str) -> None:
    (folder / "f.txt").write_bytes(data)
    assert await call("read_file", path="f.txt", **more) == expected


async def test_what_is_too_much_is_cut_with_how_to_read_on(call: Call, folder: Path) -> None:
    (folder / "long").write_text("line\n" * 2_500)
    lines = (await call("read_file", path="long")).splitlines()
    assert lines[-2:] == ["2000\tline", "(2500 lines in all; read on with startLine 2001)"]
    rest = (await call("read_file", path="long", startLine=2001)).splitlines()
    assert (rest[0], rest[-1], len(rest)) == ("2001\tline", "2500\tline", 500)

    (folder / "wide").write_text(("w" * 5_000 + "\n") * 100)
    wide = await call("read_file", path="wide")
    assert len(wide) < 60_000
    assert "(line cut, it has 5000 characters)" in wide
    assert "read on with startLine" in wide.splitlines()[-1]

    (folder / "huge").write_bytes(b"h" * (16 * 1024 * 1024 + 1))
    assert await call("read_file", path="huge") == "refused: huge is larger than 16 MiB."


async def test_an_open_buffer_wins_over_the_disk(call: Call, editor: MemoryEditor, folder: Path) -> None:
    path = folder / "f.txt"
    path.write_text("saved\n")
    (folder / "link").symlink_to(path)
    editor.buffers[path.resolve()] = "not saved\n"
    assert await call("read_file", path="f.txt") == "1\tnot saved"
    assert await call("read_file", path="link") == "1\tnot saved"
    assert await call("read_file", path=str(path)) == "1\tnot saved"


async def test_a_path_is_looked_for_in_every_folder(tools: WorkspaceTools, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    (second / "f").write_text("second")
    editor = MemoryEditor(first, second)
    assert text_of(await tools.run(run_of("read_file", editor, path="f"))) == "1\tsecond"
    assert text_of(await tools.run(run_of("read_file", None, cwd=second, path="f"))) == "1\tsecond"
