"""What `trunkline doctor` finds on this machine, from the program's version to who listens."""

import os
import platform
import stat
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from trunkline.cli.doctor_finding import Finding, broken
from trunkline.errors import TrunklineError

if TYPE_CHECKING:
    from trunkline.config.paths import Paths

_OTHERS = 0o077


def program() -> Iterator[Finding]:
    """Versions."""
    from importlib.metadata import version

    from trunkline import __version__
    from trunkline_protocol import PROTOCOL_VERSION

    yield Finding("program", "ok", f"Trunkline {__version__}, protocol {PROTOCOL_VERSION}, at {_program()}")
    libraries = ", ".join(f"{name} {version(name)}" for name in ("httpx", "pydantic", "pygls"))
    yield Finding(
        "program", "ok", f"Python {platform.python_version()} on {platform.platform()}; {libraries}"
    )


def _program() -> Path:
    import trunkline

    return Path(trunkline.__file__).parent


def files(paths: "Paths") -> Iterator[Finding]:
    """Whether directories can be written to, and whether what is private is."""
    private = {paths.data, paths.state}
    for path in dict.fromkeys((paths.config, paths.data, paths.cache, paths.state)):
        yield _directory(path, is_private=path in private)
    for file in (paths.data / "auth.json", paths.data / "tokens.json", paths.state / "sessions.db"):
        if file.exists():
            yield from _private_file(file)


def _directory(path: Path, *, is_private: bool) -> Finding:
    there = next(one for one in (path, *path.parents) if one.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        hint = f"Make {there} a directory that you can write to."
        return Finding("files", "broken", f"{path} cannot be written to", hint)
    if there != path:
        return Finding("files", "ok", f"{path} will be made when it is needed")
    if is_private and _is_open(path):
        return Finding("files", "note", f"{path} can be entered by others; `chmod 700` it")
    return Finding("files", "ok", str(path))


def _private_file(file: Path) -> Iterator[Finding]:
    from trunkline.auth.private_file import file_fault

    fault = file_fault(file.lstat(), max_bytes=None)
    if fault is not None:
        yield Finding("files", "broken", f"{file} is {fault}", "Put a file of your own there.")
    elif _is_open(file):
        hint = "It is made private when it is used, but may have been read: replace what is in it."
        yield Finding("files", "broken", f"{file} can be read by others", hint)
    else:
        yield Finding("files", "ok", f"{file} is yours alone")


def _is_open(path: Path) -> bool:
    return os.name == "posix" and bool(stat.S_IMODE(path.stat().st_mode) & _OTHERS)


def network(environ: Mapping[str, str]) -> Iterator[Finding]:
    """The proxies that requests go through, and whose certificates are trusted."""
    from urllib.request import getproxies

    proxies = getproxies()
    direct = proxies.pop("no", None)
    for scheme, url in sorted(proxies.items()):
        yield _proxy(scheme, url)
    if not proxies:
        yield Finding("network", "ok", "no proxy")
    elif direct:
        yield Finding("network", "ok", f"without a proxy: {direct}")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if (named := environ.get(name)) is not None:
            yield _certificates(name, Path(named))
    yield Finding("network", "ok", "certificates are checked against those the system trusts")


def _proxy(scheme: str, url: str) -> Finding:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        place = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
    except ValueError:
        hint = f"Correct the variable {scheme}_proxy."
        return Finding("network", "broken", f"the proxy for {scheme} is no address", hint)
    if parts.scheme.startswith("socks") and find_spec("socksio") is None:
        hint = "Install it beside Trunkline: `pipx inject trunkline socksio`."
        return Finding("network", "broken", f"{place} needs the package socksio", hint)
    return Finding("network", "note", f"{scheme} goes through {place}")


def _certificates(name: str, path: Path) -> Finding:
    if path.exists():
        return Finding("network", "note", f"{name} names {path}")
    return Finding(
        "network", "broken", f"{name} names {path}, which is not there", f"Correct or unset {name}."
    )


def sessions(paths: "Paths") -> Iterator[Finding]:
    """Whether the sessions' database is whole."""
    from trunkline.sessions.sqlite.health import check_database

    database = paths.state / "sessions.db"
    if not database.exists():
        yield Finding("sessions", "ok", "none yet")
        return
    try:
        count = check_database(database)
    except TrunklineError as error:
        yield broken("sessions", error)
    else:
        yield Finding("sessions", "ok", f"{count} in {database}, which is whole")


def listeners(paths: "Paths") -> Iterator[Finding]:
    """Servers of this user that others can connect to."""
    from trunkline.remote.discovery import find_listening

    found = find_listening(paths.state)
    for process in found:
        listening = cast("list[dict[str, Any]]", process.get("listeners") or [])
        addresses = ", ".join(str(one.get("url")) for one in listening)
        yield Finding(
            "listeners", "note", f"process {process.get('pid')} listens on {addresses or 'nothing'}"
        )
    if not found:
        yield Finding("listeners", "ok", "none")
