"""What every command shares: the application for its duration, and how things are shown."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import click

from trunkline.errors import TrunklineError, describe

if TYPE_CHECKING:
    from decimal import Decimal

    from trunkline.app import Application
    from trunkline.providers.choices import Choices
    from trunkline_protocol.errors import WireError

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def run(work: Coroutine[Any, Any, int]) -> NoReturn:
    """Run a command's coroutine and exit with its code; an error becomes its message and hint on stderr."""
    from trunkline.rpc.logs import log_to

    log_to(None)  # warnings to stderr, without keys
    try:
        code = asyncio.run(work)
    except TrunklineError as error:
        show_error(describe(error))
        code = 1
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe has what it wanted (`trunkline models | head`); there is nobody to tell.
        sys.stderr.close()
        code = 1
    sys.exit(code)


@asynccontextmanager
async def application(*, offline: bool = False) -> AsyncGenerator["Application"]:
    """The application, after saying what is wrong with the configuration."""
    import logging

    from trunkline.app import Application

    # What a command has to say it says itself; nobody else writes between its lines.
    logging.getLogger("trunkline").addHandler(logging.NullHandler())
    app = Application(offline=offline)
    for notice in app.config.current().notices():
        show_warning(notice)
    try:
        yield app
    finally:
        await app.aclose()


def workspace_choices(app: "Application") -> "Choices":
    """The models that the workspace of the current folder chooses; what else it says only narrows."""
    from pathlib import Path

    from trunkline.config.workspace import read_workspace
    from trunkline.providers.choices import Choices

    found = read_workspace(Path.cwd(), besides=app.paths.config)
    app.config.narrow("workspace", found.narrowing)
    for problem in found.problems:
        show_warning(problem)
    return Choices(found.model, found.small_model)


def show_error(error: "WireError") -> None:
    """An error on stderr: what happened, what the provider said, what to do."""
    click.secho("error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(error.message, err=True)
    if error.data.detail and error.data.detail not in error.message:
        click.echo(f"  {error.data.detail}", err=True)
    if error.data.suggestions:
        click.echo("  Did you mean: " + ", ".join(error.data.suggestions) + "?", err=True)
    if error.data.hint:
        click.echo(f"  {error.data.hint}", err=True)


def show_warning(text: str) -> None:
    """A warning on stderr."""
    click.secho("warning: ", fg="yellow", bold=True, nl=False, err=True)
    click.echo(text, err=True)


def dollars(amount: "Decimal | None", currency: str = "USD") -> str:
    """An amount for people: `$0.15`, `?` when it is unknown."""
    if amount is None:
        return "?"
    sign = "$" if currency == "USD" else f"{currency} "
    return f"{sign}{amount.normalize():f}"
