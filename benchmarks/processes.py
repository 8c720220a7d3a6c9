"""Servers as processes, driven over blocking pipes, so that little of this side is in the figures."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

END_S = 10.0
"""How long a server may take to end before it is killed."""


@dataclass(frozen=True)
class Target:
    """A server and how to talk to it."""

    name: str
    command: Sequence[str]
    list_method: str | None = None
    """What an editor asks first, if this server has such a method."""
    small: tuple[str, Any] | None = None
    """A request that is answered from memory."""
    framing: Literal["header", "line"] = "header"


def environment(home: Path) -> dict[str, str]:
    """A user of its own without keys; modules are compiled once and kept, as after an installation."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and not name.upper().endswith(("_KEY", "_TOKEN", "_PROXY"))
    }
    homes = ("HOME", "CODEX_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")
    return {**kept, **dict.fromkeys(homes, str(home))}


class ServerProcess:
    """A running server, for a `with` statement."""

    def __init__(self, target: Target, home: Path) -> None:
        self.target = target
        self.spawned = time.perf_counter()
        self.process = subprocess.Popen(
            target.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(home),
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.input = self.process.stdin
        self.output = self.process.stdout
        self._last_id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.input.close()
        self._wait()
        self.output.close()

    def send(self, method: str, params: Any, request_id: int | None = None) -> None:
        with_id = {} if request_id is None else {"id": request_id}
        body = json.dumps({"jsonrpc": "2.0", **with_id, "method": method, "params": params}).encode()
        if self.target.framing == "line":
            self.input.write(body + b"\n")
        else:
            self.input.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.input.flush()

    def request(self, method: str, params: Any) -> Any:
        """Send a request and wait for its answer; what comes in between is read past."""
        self._last_id += 1
        self.send(method, params, self._last_id)
        while True:
            message = self.receive()
            if message.get("id") == self._last_id and "method" not in message:
                return message

    def initialize(self) -> None:
        params: dict[str, Any] = {"processId": os.getpid(), "rootUri": None, "capabilities": {}}
        if self.target.framing == "line":
            params = {"clientInfo": {"name": "benchmark", "title": "Benchmark", "version": "1.0"}}
        answer = self.request("initialize", params)
        assert "result" in answer, answer
        self.send("initialized", {})

    def resident_mib(self) -> float:
        """What the process takes of memory now; 0 where there is no /proc."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return 0.0
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if "VmRSS" in line)
        return int(line.split()[1]) / 1024

    def exit(self) -> float:
        """Say goodbye; seconds from `exit` to the end of the process."""
        self.request("shutdown", None)
        said = time.perf_counter()
        self.send("exit", None)
        self._wait()
        return time.perf_counter() - said

    def _wait(self) -> None:
        """Wait for the end without a time limit of `wait`, which would look only every 50 ms."""
        killer = threading.Timer(END_S, self.process.kill)
        killer.start()
        self.process.wait()
        killer.cancel()

    def receive(self) -> Any:
        """The next message."""
        if self.target.framing == "line":
            return json.loads(self.output.readline())
        length = 0
        while (line := self.output.readline().strip()) or not length:
            assert line, f"{self.target.name} has ended"
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return json.loads(self.output.read(length))
