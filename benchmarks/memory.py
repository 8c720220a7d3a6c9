"""What a server takes of memory: idle, with many streams, with a long session, and after some time."""

import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import sessions
import streams
from measure import Row, Samples
from peers import SHUT_IN
from processes import ServerProcess, printing, resident_mib
from starting import references

STREAMS = 200
GOAL_KIB = 100
READERS = 10
LEVEL_S = 10
"""Until memory has got to its level: the soak is measured from there."""


def measure(paths: Mapping[str, str], port: int, soak_s: int) -> list[Row]:
    """One server of each kind."""
    with sessions.serving(port) as server, ExitStack() as stack:
        editors = [stack.enter_context(server.editor()) for _ in range(streams.EDITORS)]
        editors[0].result("provider/list", {})
        editors[0].result("model/get", {"model": "paced/0x1"})
        idle = resident_mib(server.pid)
        subject = streams.Subject(server.pid, editors, "paced/")
        streams.first_ms(subject)
        warm = resident_mib(server.pid)
        busy = with_streams(subject)
        rows = [
            Row("idle, providers listed", "MiB", Samples([idle]), name, Samples([theirs]))
            for name, theirs in others(paths).items()
        ]
        rows.append(Row("after a first chat", "MiB", Samples([warm]), "idle", Samples([idle])))
        what = f"{STREAMS} streams at once"
        rows += [
            Row(what, "MiB", Samples([busy]), name, Samples([theirs]))
            for name, theirs in (("after a first chat", warm), *streaming(paths, port))
        ]
        grown = Samples([(busy - warm) * 1024 / STREAMS])
        rows.append(Row("growth for each of them", "KiB", grown, "the goal", Samples([GOAL_KIB])))
        before = resident_mib(server.pid)
        for _ in range(READERS):
            sessions.replay(stack.enter_context(server.editor(sessions.FOLLOWING)))
        attached = Samples([resident_mib(server.pid)])
        what = f"session of {sessions.EVENTS:,} events, {READERS} attached"
        rows.append(Row(what, "MiB", attached, "nobody attached", Samples([before])))
        rows.append(soak(subject, soak_s))
    return rows


def others(paths: Mapping[str, str]) -> dict[str, float]:
    """Servers of others that wait."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as home:
        for target in references(paths):
            if target.dialect == "codex":
                with ServerProcess(target, Path(home)) as server:
                    server.initialize()
                    found[target.name] = server.resident_mib()
        if "opencode" in paths:
            command = ("env", *(f"{name}={value}" for name, value in SHUT_IN.items()), paths["opencode"])
            serve = (*command, "serve", "--port", "0")
            with printing(serve, Path(home), "listening") as (pid, _):
                found["opencode serve"] = resident_mib(pid)
    return found


def streaming(paths: Mapping[str, str], port: int) -> list[tuple[str, float]]:
    """The same streams through others."""
    found: list[tuple[str, float]] = []
    for target in streams.references(paths, port):
        with streams.other(target) as subject:
            found.append((target.name, with_streams(subject)))
    return found


def with_streams(subject: streams.Subject) -> float:
    """The memory while all streams run."""
    seconds = sessions.SECONDS
    subject.ask(f"50x{50 * seconds}", STREAMS)
    subject.moments(50 * seconds * STREAMS // 2)
    memory = resident_mib(subject.pid)
    subject.moments(50 * seconds * STREAMS // 2)
    return memory


def soak(subject: streams.Subject, seconds: int) -> Row:
    """Chats all the time, twenty at once."""
    begun = time.monotonic()
    level = 0.0
    while (spent := time.monotonic() - begun) < LEVEL_S + seconds:
        if spent >= LEVEL_S and not level:
            level = resident_mib(subject.pid)
        count = 50 * sessions.SECONDS
        subject.ask(f"50x{count}", 20)
        subject.moments(count * 20)
    print(f"Soaked for {seconds} s.", file=sys.stderr)
    what = f"20 x 50/s, after {seconds} s more"
    return Row(what, "MiB", Samples([resident_mib(subject.pid)]), f"after {LEVEL_S} s", Samples([level]))
