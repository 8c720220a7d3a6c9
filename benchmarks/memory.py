"""What a server takes of memory: idle, with many streams, with a long session, and after some time.

A session of 10,000 events with ten editors is ours alone: neither `codex app-server` nor `opencode serve` can
replay one (see `agents.py`).
"""

import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import agents
import providers
import sessions
import streams
from agents import OURS
from daemons import FOLLOWING
from measure import Row, Samples
from processes import resident_mib
from subjects import FIRST, Chats, Subject, first_ms

STREAMS = 200
GOAL_KIB = 100
READERS = 10
SOAKED = 20
"""Streams at once in the soak."""

Figures = dict[str, dict[str, float]]
"""MiB by what was measured and by server."""


def measure(paths: Mapping[str, str], port: int, soak_s: int) -> list[Row]:
    """One server of each kind."""
    figures = in_sessions(paths, port)
    soaked = soak(paths, port, soak_s)
    figures["after the soak"] = {name: after for name, (_, after) in soaked.items()}
    middle, after = soaked[OURS]
    return [
        *chats(paths, port, figures.pop("idle")),
        *(
            mebibytes(f"a session each, {what}", by_name[OURS], name, theirs)
            for what, by_name in figures.items()
            for name, theirs in by_name.items()
            if name != OURS
        ),
        mebibytes("a session each, after the soak", after, "in the middle of it", middle),
    ]


def chats(paths: Mapping[str, str], port: int, idle_others: Mapping[str, float]) -> list[Row]:
    """Chats without sessions, and a long session on the same server."""
    with sessions.serving(port) as server, ExitStack() as stack:
        editors = [stack.enter_context(server.editor()) for _ in range(agents.EDITORS)]
        editors[0].result("provider/list", {})
        editors[0].result("model/get", {"model": f"{providers.NAME}/{FIRST}"})
        idle = resident_mib(server.pid)
        subject = Chats(server.pid, editors, f"{providers.NAME}/")
        first_ms(subject)
        warm = resident_mib(server.pid)
        busy = with_streams(subject)
        grown = Samples([(busy - warm) * 1024 / STREAMS])
        before = resident_mib(server.pid)
        for _ in range(READERS):
            sessions.replay(stack.enter_context(server.editor(FOLLOWING)))
        attached = resident_mib(server.pid)
    return [
        *(
            mebibytes("idle, providers listed", idle, name, theirs)
            for name, theirs in idle_others.items()
            if name != OURS
        ),
        mebibytes("after a first chat", warm, "idle", idle),
        *(
            mebibytes(f"{STREAMS} streams at once", busy, name, theirs)
            for name, theirs in (("after a first chat", warm), *streaming(paths, port))
        ),
        Row("growth for each of them", "KiB", grown, "the goal", Samples([GOAL_KIB])),
        mebibytes(
            f"session of {sessions.EVENTS:,} events, {READERS} attached", attached, "nobody attached", before
        ),
    ]


def streaming(paths: Mapping[str, str], port: int) -> list[tuple[str, float]]:
    """The same streams through others."""
    found: list[tuple[str, float]] = []
    for target in streams.references(paths, port):
        with streams.other(target) as subject:
            found.append((target.name, with_streams(subject)))
    return found


def in_sessions(paths: Mapping[str, str], port: int) -> Figures:
    """A session for each stream."""
    figures: Figures = defaultdict(dict)
    for name, start in agents.servers(paths, port, streams.models(sessions.SECONDS)).items():
        with start() as subject:
            figures["idle"][name] = resident_mib(subject.pid)
            first_ms(subject)
            figures["after a first chat"][name] = resident_mib(subject.pid)
            figures[f"{STREAMS} streams at once"][name] = with_streams(subject)
    return figures


def with_streams(subject: Subject) -> float:
    """The memory while streams run: in the middle or at the end, whichever is more."""
    count = 50 * sessions.SECONDS
    subject.prepare(STREAMS)
    subject.ask(f"50x{count}", STREAMS)
    subject.moments(count * STREAMS // 2)
    memory = resident_mib(subject.pid)
    subject.moments(count * STREAMS // 2)
    return max(memory, resident_mib(subject.pid))


def soak(paths: Mapping[str, str], port: int, seconds: int) -> dict[str, tuple[float, float]]:
    """The memory in the middle and at the end, of all at once, in processes that did nothing else."""
    starts = agents.servers(paths, port, streams.models(sessions.SECONDS))
    with ExitStack() as stack, ThreadPoolExecutor(len(starts)) as pool:
        subjects = {name: stack.enter_context(start()) for name, start in starts.items()}
        soaking = {name: pool.submit(soaked, subject, seconds) for name, subject in subjects.items()}
        found = {name: future.result() for name, future in soaking.items()}
    print(f"Soaked for {seconds} s.", file=sys.stderr)
    return found


def soaked(subject: Subject, seconds: int) -> tuple[float, float]:
    """Streams all the time, each in a session that is left when it has ended."""
    count = 50 * sessions.SECONDS
    begun = time.monotonic()
    middle = 0.0
    while (spent := time.monotonic() - begun) < seconds:
        if spent >= seconds / 2 and not middle:
            middle = resident_mib(subject.pid)
        subject.prepare(SOAKED)
        subject.ask(f"50x{count}", SOAKED)
        subject.moments(count * SOAKED)
        subject.finish()
    after = resident_mib(subject.pid)
    return middle or after, after  # there is no middle where the first streams took all the time


def mebibytes(what: str, ours: float, reference: str, theirs: float) -> Row:
    return Row(what, "MiB", Samples([ours]), reference, Samples([theirs]))
