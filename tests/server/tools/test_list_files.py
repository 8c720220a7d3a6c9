from pathlib import Path

from support.tool_runs import Call


def make(folder: Path, *names: str, text: str = "x\n") -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


async def test_what_git_leaves_out_is_left_out(call: Call, folder: Path) -> None:
    make(
        folder,
        ".git/config",
        "a.py",
        "b.log",
        "keep.log",
        "build/out",
        "src/c.py",
        "src/gen/d.py",
        "src/.hidden",
    )
    make(folder, "src/deep/x.tmp", "src/deep/y.tmp")
    (folder / ".gitignore").write_text("*.log\n!keep.log\n/build/\n[z-a]\n!\n")
    (folder / "src" / ".gitignore").write_text("gen\n*.tmp\n")
    (folder / "src" / "deep" / ".gitignore").write_text("!y.tmp\n")
    shown = (await call("list_files")).splitlines()
    assert shown == [
        ".gitignore",
        "a.py",
        "keep.log",
        "src/.gitignore",
        "src/.hidden",
        "src/c.py",
        "src/deep/.gitignore",
        "src/deep/y.tmp",
    ]


async def test_rules_above_the_workspace_folder_hold_up_to_the_repository(call: Call, folder: Path) -> None:
    make(folder, "a.tmp", "b.txt")
    (folder.parent / ".git").mkdir()
    (folder.parent / ".gitignore").write_text("*.tmp\n")
    assert await call("list_files") == "b.txt"


async def test_folder_glob_and_depth_narrow_it(call: Call, folder: Path) -> None:
    make(folder, "a.py", "src/b.py", "src/deep/c.py", "src/deep/d.ts")
    assert await call("list_files", path="src") == "src/b.py\nsrc/deep/c.py\nsrc/deep/d.ts"
    assert await call("list_files", glob="*.ts") == "src/deep/d.ts"
    assert await call("list_files", glob="src/**/*.py") == "src/b.py\nsrc/deep/c.py"
    assert await call("list_files", depth=1) == "a.py\nsrc/"
    assert await call("list_files", path="src", depth=1) == "src/b.py\nsrc/deep/"
    assert await call("list_files", path="a.py") == "refused: a.py is a file, not a folder."
    assert await call("list_files", glob="[z-a]") == "refused: [z-a] is not a pattern of files."


async def test_too_many_are_cut_with_a_marker(call: Call, folder: Path) -> None:
    for number in range(1_001):
        (folder / f"{number:04}").touch()
    lines = (await call("list_files")).splitlines()
    assert len(lines) == 1_001
    assert lines[-1].startswith("(more than 1000;")


async def test_a_pattern_that_takes_others_for_ever_takes_no_time(call: Call, folder: Path) -> None:
    make(folder, "a" * 200)
    (folder / ".gitignore").write_text("*a" * 40 + "b\n")
    assert "a" * 200 in await call("list_files")
