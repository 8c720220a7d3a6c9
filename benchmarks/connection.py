"""What the connection layer and the lists cost, each figure beside a reference measured in the same run.

    python benchmarks/connection.py            # everything, a few minutes
    python benchmarks/connection.py --rounds 3 # quick, less certain
    python benchmarks/connection.py --peer 'pylsp=pylsp' --peer 'other=node server.js --stdio'

Absolute times are this machine's; what counts is the ratio.
"""

import argparse
import os
import platform
import shlex
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import cancelling
import flood
import listing
import lives
import structuring
from measure import Row, table
from processes import Target

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"

TRUNKLINE = Target(
    "Trunkline",
    (sys.executable, "-m", "trunkline", "--stdio"),
    list_method="provider/list",
    small=("auth/list", {"providerId": "fastrouter"}),
)
REFERENCES = (
    Target(
        "bare Python",
        (sys.executable, str(HERE / "servers" / "hello_python.py")),
        list_method="hello/list",
        small=("hello/list", {}),
    ),
    Target(
        "bare pygls",
        (sys.executable, str(HERE / "servers" / "hello_pygls.py")),
        list_method="hello/list",
        small=("hello/list", {}),
    ),
)


def main() -> None:
    """Measure, print, and with `--write` keep the table."""
    options = arguments()
    rows: list[Row] = []
    if "life" in options.only:
        rows += lives.measure(TRUNKLINE, (*REFERENCES, *peers(options)), options.rounds)
    if "structure" in options.only:
        rows += structuring.measure()
    if "flood" in options.only:
        rows += flood.measure(max(options.rounds // 2, 2))
    if "cancel" in options.only:
        rows += cancelling.measure()
    if "list" in options.only:
        rows += listing.measure()
    report = f"{conditions(options.rounds)}\n\n{table(rows)}\n"
    print(report)
    if options.write:
        RESULTS.write_text(f"# Connection layer, measured\n\n{report}", encoding="utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = ("life", "structure", "flood", "cancel", "list")
    parser.add_argument("--rounds", type=int, default=10, help="how often each process is started")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts, help="some of the parts")
    parser.add_argument(
        "--peer", action="append", default=[], metavar="NAME=COMMAND", help="another LSP server on stdio"
    )
    parser.add_argument("--codex", metavar="PATH", help="the codex program, if it is not on PATH")
    parser.add_argument("--write", action="store_true", help=f"keep the table in {RESULTS.name}")
    return parser.parse_args()


def peers(options: argparse.Namespace) -> list[Target]:
    """What else is installed here or was named."""
    found: list[Target] = []
    codex = options.codex or shutil.which("codex")
    if codex:
        found.append(
            Target("codex app-server", (codex, "app-server"), list_method="model/list", framing="line")
        )
    ruff = shutil.which("ruff", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if ruff:
        found.append(Target("ruff server (native)", (ruff, "server")))
    for peer in options.peer:
        name, _, command = peer.partition("=")
        found.append(Target(name, tuple(shlex.split(command))))
    return found


def conditions(rounds: int) -> str:
    """On what it was measured: cores and versions."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("trunkline", "pygls", "pydantic", "httpx"))
    return (
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {packages}; "
        f"{rounds} rounds.\nMedians, quartiles in brackets; a ratio is Trunkline over the reference, "
        "in bold where that is in Trunkline's favour."
    )


if __name__ == "__main__":
    main()
