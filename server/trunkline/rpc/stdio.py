"""`trunkline --stdio`: the server as an editor starts it; its options, also where it only listens.

The handshake is answered with the standard library alone; everything else is imported behind it, while the
editor works on the answer.
"""

import argparse
import gc
import os
import sys
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trunkline.remote.shares import Shares
    from trunkline.rpc.handshake import Greeting

_GC_REST_S = 1.0
_GC_THRESHOLD = 10_000
_WATCH_S = 1.0


def main(argv: "Sequence[str]") -> int:
    """Serve one client on stdin and stdout until it says exit or goes away; the exit code of LSP.

    With `--listen` alone: serve those that connect until a signal comes.
    """
    # What is imported stays: looking through it for garbage while it comes in only costs time.
    gc.disable()
    parser = _options()
    options = parser.parse_args(argv)
    if not options.stdio:
        if not options.listen:
            parser.error("one of --stdio and --listen is needed")
        return _listen(options)
    stdin, stdout = _take_stdio()
    from trunkline.rpc.handshake import greet

    blocking = _Blocking(stdin, stdout, options.clientProcessId)
    try:
        greeting = greet(blocking.read, blocking.write)
    except OSError:
        return 1  # the editor was gone before it could be answered
    import asyncio

    return asyncio.run(_serve(stdin, stdout, greeting, options))


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trunkline serve",
        description="Speak LSP with an editor.",
        epilog="Editors start this as `trunkline --stdio`.",
    )
    parser.add_argument("--stdio", action="store_true", help="use standard input and output")
    _add_listening(parser)
    parser.add_argument(
        "--clientProcessId",  # the spelling that LSP 3.17 recommends
        type=int,
        metavar="PID",
        help="end when the process with this id has ended",
    )
    parser.add_argument(
        "--offline", action="store_true", help="fetch no lists of models; chat still reaches its provider"
    )
    parser.add_argument(
        "--log-file",
        metavar="PATH",
        help="append what happens to this file: methods, durations and errors; no keys, no conversations",
    )
    return parser


def _add_listening(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "letting other programs connect",
        "Each must show a token (`trunkline token create`). Without --stdio: until a signal comes.",
    )
    group.add_argument(
        "--listen",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="unix:PATH, ws://127.0.0.1:PORT (0: any) or wss://ADDRESS:PORT; may be given several times",
    )
    group.add_argument(
        "--scope",
        choices=("observe", "control", "admin"),
        default="control",
        help="what the token allows that is made for this process (default: %(default)s)",
    )
    group.add_argument("--tls-cert", metavar="FILE", help="the certificate for wss, PEM")
    group.add_argument("--tls-key", metavar="FILE", help="its key, PEM without a passphrase")
    group.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name under which clients reach the process, besides its address",
    )
    group.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="a web page that may connect, such as https://example.com; all others are refused",
    )


def _listen(options: argparse.Namespace) -> int:
    import asyncio

    from trunkline.remote.daemon import serve

    async def listen() -> int:
        asyncio.get_running_loop().call_later(_GC_REST_S, _resume_collection)
        return await serve(options, _end_on_signals)

    return asyncio.run(listen())


def _take_stdio() -> tuple[BinaryIO, BinaryIO]:
    """The process's real stdin and stdout; nobody else can reach them afterwards.

    stdout carries frames only: fd 0 points at nothing and fd 1 at stderr from here on, so that neither a
    dependency that prints nor a child process can disturb the stream.
    """
    stdin = os.fdopen(os.dup(0), "rb", buffering=0)
    stdout = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout.flush()  # what was printed before now goes to stderr as well
    sys.stdout = sys.stderr
    return stdin, stdout


class _Blocking:
    """stdin and stdout for the handshake: plain calls that wait, also where an editor made them non-blocking.

    An editor that dies before its first word is the end of input.
    """

    def __init__(self, stdin: BinaryIO, stdout: BinaryIO, client_process_id: int | None) -> None:
        self._stdin = stdin.fileno()
        self._stdout = stdout.fileno()
        self._client = client_process_id

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, as soon as there are any; none at the end."""
        if os.name == "nt":  # nothing but sockets can be waited for there
            return os.read(self._stdin, size)
        from select import select

        from trunkline.rpc.process_watch import is_alive

        while self._client is None or is_alive(self._client):
            if select([self._stdin], [], [], None if self._client is None else _WATCH_S)[0]:
                return os.read(self._stdin, size)
        return b""

    def write(self, data: bytes) -> None:
        """All of `data`; OSError when nobody can read it any more."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._stdout, rest) :]
            except BlockingIOError:
                from select import select

                select([], [self._stdout], [])


async def _serve(stdin: BinaryIO, stdout: BinaryIO, greeting: "Greeting", options: argparse.Namespace) -> int:
    import asyncio

    from trunkline.app import Application
    from trunkline.remote.shares import Shares
    from trunkline.rpc.connection import Connection
    from trunkline.rpc.logs import log_to
    from trunkline.rpc.streams import open_stdio
    from trunkline.rpc.transport import StreamTransport

    log_to(options.log_file)
    asyncio.get_running_loop().call_later(_GC_REST_S, _resume_collection)
    app = Application(offline=options.offline)
    shares = Shares(app)
    try:
        if options.listen:
            await _listen_besides(shares, options)
        reader, writer = await open_stdio(stdin, stdout)
        transport = StreamTransport(reader, writer, greeting.decoder)
        connection = Connection(app, transport, remote=shares, client_process_id=options.clientProcessId)
        _end_on_signals(connection.end)
        return await connection.serve(greeting)
    finally:
        await shares.aclose()
        await app.aclose()


async def _listen_besides(shares: "Shares", options: argparse.Namespace) -> None:
    """An editor is served in any case: another window may have the socket already."""
    from trunkline.errors import TrunklineError
    from trunkline.remote.daemon import listen_as_asked, say

    try:
        await listen_as_asked(shares, options)
    except TrunklineError as error:
        say(error)


def _resume_collection() -> None:
    """Collect again, but never look at what was there after the start: it stays for good.

    And less often than by default: streams make thousands of objects that are no garbage.
    """
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
    gc.enable()


def _end_on_signals(end: "Callable[[], None]") -> None:
    """Being told to end is like losing the client: upstream connections are closed, nothing is orphaned."""
    import asyncio
    import signal

    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            asyncio.get_running_loop().add_signal_handler(number, end)
        except NotImplementedError:  # Windows: the default action ends the process
            return
