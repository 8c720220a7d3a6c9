"""A server that listens on a socket, and editors that connect to it."""

import socket
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processes import PROGRAM, Conversation, Target, printing

TARGET = Target("Trunkline", ())
FOLLOWING = {"experimental": {"trunkline": {"versions": ["1.0"], "events": True}}}
"""What an editor says that wants to be told."""


@dataclass(frozen=True)
class Daemon:
    """Where it is."""

    pid: int
    socket: str
    web: str
    """Its WebSocket's URL."""
    token_file: str

    @contextmanager
    def editor(self, capabilities: Mapping[str, Any] | None = None) -> Generator[Conversation]:
        """A client on the socket that has done the handshake."""
        token = Path(self.token_file).read_text(encoding="ascii").strip()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(self.socket)
            connection.sendall(f"Authorization: Bearer {token}\r\n\r\n".encode("ascii"))
            with connection.makefile("rb") as source, connection.makefile("wb") as sink:
                editor = Conversation(TARGET, source, sink)
                editor.initialize(capabilities)
                yield editor


@contextmanager
def daemon(home: Path) -> Generator[Daemon]:
    """A server of the user whose home this is; it is ended at the end."""
    private = home / "run"
    private.mkdir(mode=0o700)
    path = private / "s"
    listen = ("--listen", f"unix:{path}", "--listen", "ws://127.0.0.1:0")
    with printing((PROGRAM, "serve", "--offline", *listen), home, "token") as (pid, said):
        yield Daemon(pid, str(path), *(line.split()[-1] for line in said[-2:]))
