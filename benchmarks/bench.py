"""Trunkline beside other programs, everything on loopback and in one run: `make bench`.

    python benchmarks/bench.py                            # everything, some ten minutes
    python benchmarks/bench.py --only command --rounds 1  # quick, less certain
    python benchmarks/bench.py --only memory --soak 3600

Needs Linux and node; of the peers it installs what it can, and says what it left out. Absolute times are this
machine's; what counts is the ratio.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import goals
import peers
from measure import Row, table
from processes import printing

HERE = Path(__file__).parent
NODE = shutil.which("node") or "node"
RESULTS = HERE / "RESULTS.md"
SECONDS = 3
"""Of streams at each pace."""
NOTES = {
    "streams": """\
`codex app-server` and `opencode serve` answer nothing without a session: beside them are Trunkline's own
sessions, which it writes to SQLite. Deltas of a stream that begins late are not late: what tells is when all
are there. Trunkline merges deltas of a message that wait.

""",
    "memory": """\
A session of 10,000 events has no row of others: neither replays a stream to an editor that attaches. codex
keeps the items of turns, opencode messages, and in its newer API events without deltas.

""",
}
"""What a reader of a table must know, by area."""


def main() -> None:
    """Measure, print, and with `--write` keep the tables."""
    options = arguments()
    found = peers.installed()
    head = conditions(found, options)
    upstream = (NODE, str(HERE / "servers" / "upstream.mjs"))
    parts: list[str] = []
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as home, printing(upstream, Path(home)) as (_, said):
        for name, (title, measure) in areas(found.paths, int(said[0]), options).items():
            if name in options.only:
                print(f"Measuring: {title} ...", file=sys.stderr, flush=True)
                measured = measure()
                rows += measured
                parts.append(f"## {title}\n\n{NOTES.get(name, '')}{table(measured)}\n")
    report = "\n".join((head, goals.section(rows), *parts))
    print(report)
    if options.write:
        RESULTS.write_text(f"# Trunkline beside others, measured\n\n{report}", encoding="utf-8")


def areas(
    paths: dict[str, str], port: int, options: argparse.Namespace
) -> dict[str, tuple[str, Callable[[], list[Row]]]]:
    """What there is to measure, imported when it is."""
    rounds: int = options.rounds
    few = max(rounds * 3 // 5, 1)

    def start() -> list[Row]:
        import starting

        return starting.measure(paths, rounds)

    def command() -> list[Row]:
        import oneshot

        return oneshot.measure(paths, port, few)

    def stream() -> list[Row]:
        import streams

        return streams.measure(paths, port, few, SECONDS)

    def session() -> list[Row]:
        import attach
        import sessions

        return [*attach.measure(2 * rounds), *sessions.measure(port, few)]

    def memory() -> list[Row]:
        import memory as room

        return room.measure(paths, port, options.soak)

    def connection() -> list[Row]:
        import cancelling
        import flood
        import listing
        import structuring

        return [
            *structuring.measure(),
            *listing.measure(),
            *flood.measure(few),
            *cancelling.measure(),
        ]

    return {
        "start": ("Starting a server", start),
        "command": ("One command", command),
        "streams": ("Deltas from a provider to an editor", stream),
        "sessions": ("Attaching, and sessions", session),
        "memory": ("Memory", memory),
        "connection": ("The connection layer and the lists", connection),
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ("start", "command", "streams", "sessions", "memory", "connection")
    parser.add_argument("--rounds", type=int, default=5, help="how often each process is started")
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="some of the areas")
    parser.add_argument("--soak", type=int, default=40, metavar="SECONDS", help="how long memory is watched")
    parser.add_argument("--write", action="store_true", help=f"keep the tables in {RESULTS.name}")
    return parser.parse_args()


def conditions(found: peers.Installed, options: argparse.Namespace) -> str:
    """On what it was measured: cores, versions, and who is missing."""
    ours = ", ".join(f"{name} {version(name)}" for name in ("trunkline", "pygls", "pydantic", "httpx"))
    node = subprocess.run((NODE, "--version"), check=True, capture_output=True, text=True).stdout.strip()
    theirs = ", ".join(f"{name} {number}" for name, number in found.versions.items())
    skipped = "".join(f"\n- {name} is left out: {reason}" for name, reason in found.skipped.items())
    return (
        f"{os.cpu_count()} cores, {memory_gib():.0f} GiB, {platform.system()} {platform.machine()}, "
        f"load {os.getloadavg()[0]:.1f} before; Python {platform.python_version()}, node {node}; {ours}.\n"
        f"Peers: {theirs}.\n{options.rounds} rounds of starts, fewer of what takes long; a soak of "
        f"{options.soak} s. Medians, quartiles in brackets where there are several;\na ratio is Trunkline "
        f"over the reference, in bold where that is in Trunkline's favour.\n{skipped}"
    )


def memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


if __name__ == "__main__":
    main()
