"""Which server to attach to, and with which token: both are looked for anew at every connection."""

import os
import sys

from trunkline.remote.attach.messages import AttachError, as_list, as_object
from trunkline_protocol.codes import ErrorCode

TYPE_CHECKING = False  # the module `typing` is not worth its import here
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_WEB = ("ws://", "wss://")
_UNIX = "unix:"
_START = (
    "Start one with `trunkline serve --listen unix:PATH`, or share one with `session/share` in an editor."
)
TOKEN_VARIABLE = "TRUNKLINE_TOKEN_FILE"  # noqa: S105 - the name of a variable that names a file


class Place:
    """Where a server listens, and the token for it."""

    __slots__ = ("token", "url")

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        """`unix:/PATH`, `ws://...` or `wss://...`."""
        self.token = token

    @property
    def socket_path(self) -> str | None:
        """The path of the socket; None for a WebSocket."""
        return self.url.removeprefix(_UNIX) if self.url.startswith(_UNIX) else None


class Destination:
    """What the user named, or whatever listens."""

    def __init__(self, target: str | None, token_file: str | None = None) -> None:
        """`target` is a URL or the path of a socket; without one it is the server that started last."""
        self._target = target
        self._token_file = token_file

    def find(self) -> Place:
        """The place as things are now.

        Raises:
            AttachError: it is nothing that can be attached to, nobody listens, or there is no token for it.
        """
        url = None if self._target is None else _url_of(self._target)
        if url is not None and self._token_file is not None:
            return self._place(url, None)
        for announced in _announced():
            if url is None or url == announced.get("url"):
                return self._place(str(announced.get("url")), announced.get("tokenFile"))
        if url is None:
            raise AttachError(ErrorCode.UPSTREAM_UNREACHABLE, "No Trunkline server is listening.", _START)
        return self._place(url, None)

    def _place(self, url: str, announced_token: "Any") -> Place:
        path = self._token_file or announced_token or os.environ.get(TOKEN_VARIABLE)
        if not isinstance(path, str):
            raise AttachError(
                ErrorCode.ATTACH_UNAUTHORIZED,
                f"No server that runs here announces {url}, and there is no token for it.",
                "If it runs, name the file that holds its token (`trunkline token create` makes one): "
                f"--token-file FILE, or {TOKEN_VARIABLE}.",
            )
        try:
            with open(path, encoding="ascii") as file:  # noqa: PTH123 - pathlib takes long to import
                token = file.read().strip()
        except (OSError, ValueError):
            token = ""
        if not token or not token.isprintable() or " " in token:
            raise AttachError(
                ErrorCode.ATTACH_UNAUTHORIZED,
                f"The file {path} holds no token, or cannot be read.",
                "`trunkline token list` says which there are.",
            )
        return Place(url, token)


def unreachable(url: str, why: str) -> AttachError:
    """Nobody answers there."""
    return AttachError(
        ErrorCode.UPSTREAM_UNREACHABLE, f"No Trunkline server answers at {url}: {why}.", _START
    )


def unauthorized(url: str) -> AttachError:
    """The token is not good there."""
    return AttachError(
        ErrorCode.ATTACH_UNAUTHORIZED,
        f"The server at {url} refuses the token.",
        "It was revoked, has expired, or is for another server: see `trunkline token list`.",
    )


def _url_of(target: str) -> str:
    if target.startswith(_WEB):
        if "?" in target or "#" in target or "@" in target:
            raise _odd("A URL holds no token, user or password: they travel in a header.")
        return target
    path = target.removeprefix(_UNIX)
    if "://" in path or not path:
        raise _odd(f"{target} is nothing to attach to.")
    return _UNIX + os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - see the package


def _odd(message: str) -> AttachError:
    return AttachError(
        ErrorCode.INVALID_PARAMS, message, "Name unix:PATH, a path, ws://127.0.0.1:PORT or wss://HOST:PORT."
    )


def _announced() -> "Iterator[dict[str, Any]]":
    """What the servers of this user on this machine say of themselves, the newest first."""
    state = state_directory()
    if not os.path.isdir(os.path.join(state, "listeners")):  # noqa: PTH112, PTH118 - see the package
        return
    from pathlib import Path

    from trunkline.remote.discovery import find_listening

    for process in find_listening(Path(state)):
        yield from map(as_object, as_list(process.get("listeners")))


def state_directory() -> str:
    """Trunkline's directory for state, as `config.paths` has it, found without a library on Linux."""
    if sys.platform == "linux":
        home = os.environ.get("XDG_STATE_HOME", "").strip() or os.path.expanduser("~/.local/state")  # noqa: PTH111
        return os.path.join(home, "trunkline")  # noqa: PTH118
    from trunkline.config.paths import Paths

    return str(Paths.for_user().state)
