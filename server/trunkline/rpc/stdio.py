"""`trunkline --stdio`: the server as an editor starts it."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import override

from trunkline.secrets import scrub

if TYPE_CHECKING:
    from typing import BinaryIO


def main(argv: Sequence[str]) -> int:
    """Serve one client on stdin and stdout until it says exit or goes away; the exit code of LSP."""
    _options().parse_args(argv)
    from trunkline.rpc.streams import take_stdio

    stdin, stdout = take_stdio()
    _log_to_stderr()
    return asyncio.run(_serve(stdin, stdout))


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trunkline serve",
        description="Speak LSP with an editor.",
        epilog="Editors start this as `trunkline --stdio`.",
    )
    parser.add_argument("--stdio", action="store_true", required=True, help="use standard input and output")
    parser.add_argument(
        "--clientProcessId",  # the spelling that LSP 3.17 recommends
        type=int,
        metavar="PID",
        help="process id of the editor, as some editors pass it",
    )
    return parser


async def _serve(stdin: "BinaryIO", stdout: "BinaryIO") -> int:
    from trunkline.app import Application
    from trunkline.rpc.connection import Connection
    from trunkline.rpc.streams import open_stdio

    app = Application()
    try:
        reader, writer = await open_stdio(stdin, stdout)
        return await Connection(app, reader, writer).serve()
    finally:
        await app.aclose()


def _log_to_stderr() -> None:
    """Warnings and errors, without keys; pygls' own lines are off because they quote message bodies."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_ScrubbingFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("pygls").setLevel(logging.CRITICAL)


class _ScrubbingFormatter(logging.Formatter):
    @override
    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))
