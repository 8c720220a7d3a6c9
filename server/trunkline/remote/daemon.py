"""`trunkline serve --listen ...`: one process for several editors, until it is told to end."""

import asyncio
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from trunkline.app import Application
from trunkline.errors import TrunklineError
from trunkline.remote.addresses import WebSettings, read_address
from trunkline.remote.shares import Shares
from trunkline.rpc.logs import log_to

if TYPE_CHECKING:
    from collections.abc import Callable


async def listen_as_asked(shares: Shares, options: Namespace) -> None:
    """Open what the command line names, and say on stderr where and with which token.

    Raises:
        TrunklineError: something of it is not possible, or not safe.
    """
    web = WebSettings(
        certificate=Path(options.tls_cert) if options.tls_cert else None,
        key=Path(options.tls_key) if options.tls_key else None,
        origins=frozenset(origin.lower() for origin in options.allow_origin),
        hosts=frozenset(options.allow_host),
    )
    addresses = [read_address(text) for text in options.listen]
    urls, token_file = await shares.listen(addresses, options.scope, web)
    for url in urls:
        sys.stderr.write(f"trunkline: listening on {url}\n")
    sys.stderr.write(f"trunkline: a token with the scope {options.scope} is in {token_file}\n")
    sys.stderr.flush()


def say(error: TrunklineError) -> None:
    """An error on stderr, for whoever started the process."""
    words = (error.message, error.fields.get("detail"), error.fields.get("hint"))
    sentences = (word if word.endswith((".", "?")) else f"{word}." for word in words if word)
    sys.stderr.write(f"trunkline: {' '.join(sentences)}\n")


async def serve(options: Namespace, end_on_signals: "Callable[[Callable[[], None]], None]") -> int:
    """Listen until a signal; the exit code."""
    log_to(options.log_file, audit=True)
    ended = asyncio.Event()
    end_on_signals(ended.set)
    app = Application(offline=options.offline)
    shares = Shares(app)
    try:
        await listen_as_asked(shares, options)
        await ended.wait()
    except TrunklineError as error:
        say(error)
        return 1
    finally:
        await shares.aclose()
        await app.aclose()
    return 0
