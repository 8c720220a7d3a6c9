"""The house rules that a reader of the code relies on, checked on the sources."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SERVER = ROOT / "server" / "trunkline"

ROOMS = [
    "secrets",
    "validation",
    "errors",
    "config",
    "wire",
    "catalog",
    "auth",
    "providers",
    "chat",
    "tools",
    "sessions",
    "app",
]
"""From the bottom up: a room imports only rooms before it."""

WAYS_IN = {"rpc", "remote", "cli", "client", "demo", "__main__"}
"""These may import everything."""

MODULES = sorted(SERVER.rglob("*.py"))


def imports_of(path: Path) -> set[str]:
    """Dotted names a module imports anywhere in it, also inside functions and for types only."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names.add(node.module or "")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room_of(path: Path) -> str:
    return path.relative_to(SERVER).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SERVER)))
def test_imports_point_down_only(path: Path) -> None:
    room = room_of(path)
    if room in WAYS_IN or room == "__init__":
        return
    allowed = {*ROOMS[: ROOMS.index(room) + 1], "__version__"}
    rooms = {name.split(".")[1] for name in imports_of(path) if name.startswith("trunkline.")}
    assert rooms <= allowed


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SERVER)))
def test_httpx_is_imported_in_one_module_and_pygls_and_websockets_in_one_room_each(path: Path) -> None:
    packages = {name.split(".")[0] for name in imports_of(path)}
    assert "httpx" not in packages or path == SERVER / "wire" / "http.py"
    assert not packages & {"pygls", "lsprotocol"} or room_of(path) == "rpc"
    assert "websockets" not in packages or room_of(path) == "remote"


def test_the_contract_depends_on_pydantic_alone() -> None:
    for path in (ROOT / "protocol").rglob("*.py"):
        packages = {name.split(".")[0] for name in imports_of(path)}
        assert not packages & {"trunkline", "pygls", "lsprotocol", "httpx"}, path


def test_every_module_says_what_it_owns() -> None:
    silent = [path for path in MODULES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert silent == []


def test_no_module_needs_scrolling_for_ever() -> None:
    long = [path for path in MODULES if len(path.read_text(encoding="utf-8").splitlines()) > 400]
    assert long == []


def test_every_test_file_has_a_name_of_its_own() -> None:
    """Test folders are no packages: two modules of one name cannot be collected together."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py") if ".venv" not in path.parts]
    assert sorted(names) == sorted(set(names))
