"""Servers as processes, driven over blocking pipes, so that little of this side is in the figures."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

PROGRAM = str(Path(sys.executable).with_name("trunkline"))
"""As an editor starts it: the installed command."""
END_S = 10.0
"""How long a server may take to end before it is killed."""
HELLO: dict[str, dict[str, Any]] = {
    "lsp": {"processId": os.getpid(), "rootUri": None, "capabilities": {}},
    "codex": {"clientInfo": {"name": "benchmark", "title": "Benchmark", "version": "1.0"}},
    "acp": {"protocolVersion": 1, "clientCapabilities": {}},
}
"""Params of `initialize`."""


@dataclass(frozen=True)
class Target:
    """A server and how to talk to it."""

    name: str
    command: Sequence[str]
    list_method: str | None = None
    """What an editor asks first, if this server has such a method."""
    models: tuple[str, Any] | None = None
    """A request for all models that it knows."""
    small: tuple[str, Any] | None = None
    """A request that is answered from memory."""
    dialect: Literal["lsp", "codex", "acp"] = "lsp"
    """Only LSP has headers; the others send a message a line."""
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of its environment, beside those of everybody."""


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


def tree(pid: int) -> list[int]:
    """A process and all that it started, as far as they run."""
    found = [pid]
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text(encoding="ascii").split():
                found += tree(int(child))
    return found


def resident_mib(pid: int) -> float:
    """The memory of a process and those that it started; 0 where there is no /proc."""
    total = 0
    for member in tree(pid):
        with suppress(OSError):
            status = Path(f"/proc/{member}/status").read_text(encoding="ascii")
            total += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return total / 1024


def cpu_s(pid: int) -> float:
    """Seconds of CPU that the threads of a process and of those that it started have used."""
    used = 0
    for member in tree(pid):
        with suppress(OSError):
            for task in Path(f"/proc/{member}/task").iterdir():
                used += int((task / "schedstat").read_text(encoding="ascii").split()[0])
    return used / 1e9


@contextmanager
def printing(command: Sequence[str], home: Path, last: str = "") -> Generator[tuple[int, list[str]]]:
    """A process that says where it listens: its id, and what it prints up to a line with the word `last`."""
    process = subprocess.Popen(
        command, env=environment(home), cwd=home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    try:
        said: list[str] = []
        while not said or last not in said[-1]:
            line = process.stdout.readline().strip()
            assert line, f"{command[0]} has ended: {said}"
            said.append(line)
        # A full pipe would stop it.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield process.pid, said
    finally:
        process.terminate()
        process.wait()


class Conversation:
    """An editor's end of a connection with a server."""

    def __init__(self, target: Target, source: IO[bytes], sink: IO[bytes]) -> None:
        self.target = target
        self.output = source
        self.input = sink
        self._last_id = 0

    def send(self, method: str, params: Any, request_id: int | None = None) -> None:
        with_id = {} if request_id is None else {"id": request_id}
        body = json.dumps({"jsonrpc": "2.0", **with_id, "method": method, "params": params}).encode()
        if self.target.dialect != "lsp":
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

    def result(self, method: str, params: Any) -> Any:
        """The result of a request that must not fail."""
        answer = self.request(method, params)
        assert "result" in answer, answer
        return answer["result"]

    def initialize(self, capabilities: Mapping[str, Any] | None = None) -> None:
        hello = HELLO[self.target.dialect]
        self.result("initialize", {**hello, "capabilities": capabilities} if capabilities else hello)
        if self.target.dialect != "acp":
            self.send("initialized", {})

    def receive(self) -> Any:
        """The next message."""
        if self.target.dialect != "lsp":
            return json.loads(self.output.readline())
        length = 0
        while (line := self.output.readline().strip()) or not length:
            assert line, f"{self.target.name} has ended"
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return json.loads(self.output.read(length))


class ServerProcess(Conversation):
    """A running server on its standard streams, for a `with` statement."""

    def __init__(self, target: Target, home: Path) -> None:
        self.spawned = time.perf_counter()
        self.process = subprocess.Popen(
            target.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment(home), **target.variables},
            cwd=home,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        super().__init__(target, self.process.stdout, self.process.stdin)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.input.close()
        self._wait()
        self.output.close()

    def resident_mib(self) -> float:
        """What the process and those that it started take of memory now."""
        return resident_mib(self.process.pid)

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
