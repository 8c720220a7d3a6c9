"""What git leaves out: `.gitignore` files from the top of the repository down, and `.git` itself.

Patterns run on a linear engine: a workspace may be anybody's, and a pattern of Python's `re` can take for
ever.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from trunkline.config.jsonc import read_bytes
from trunkline.config.workspace import workspace_root

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_LARGEST_FILE = 256 * 1024


class Ignored:
    """The rules for everything below a workspace folder; files are read when they are first needed."""

    def __init__(self, root: Path) -> None:
        """`root` is resolved; the repository that it lies in may begin above it."""
        self._top = workspace_root(root)
        self._specs: dict[Path, GitIgnoreSpec | None] = {}

    def covers(self, path: Path, *, is_folder: bool) -> bool:
        """Whether git would leave it out, given that the folder it lies in is not left out."""
        if path.name == ".git":
            return True
        folder = path.parent
        while folder.is_relative_to(self._top):
            spec = self._spec(folder)
            if spec is not None:
                name = path.relative_to(folder).as_posix() + ("/" if is_folder else "")
                found = spec.check_file(name).include
                if found is not None:
                    return found
            if folder == self._top:
                break
            folder = folder.parent
        return False

    def _spec(self, folder: Path) -> "GitIgnoreSpec | None":
        if folder not in self._specs:
            self._specs[folder] = _read(folder / ".gitignore")
        return self._specs[folder]


def _read(path: Path) -> "GitIgnoreSpec | None":
    data = read_bytes(path, follow=False, limit=_LARGEST_FILE)
    if not isinstance(data, bytes):
        return None
    from pathspec import GitIgnoreSpec

    lines = data.decode("utf-8-sig", "replace").splitlines()
    return GitIgnoreSpec.from_lines([line for line in lines if _is_pattern(line)], backend="re2")


def _is_pattern(line: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line], backend="re2")
    except Exception:  # noqa: BLE001 - pathspec, re and re2 each raise their own; git skips such lines
        return False
    return True
