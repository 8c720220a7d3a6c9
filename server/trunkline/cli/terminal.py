"""What every command shares: the application for its duration, and how things are shown."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import click

from trunkline.cli.clean import clean
from trunkline.cli.exit_codes import FAILED, INTERRUPTED, NO_KEY
from trunkline.errors import TrunklineError, describe
from trunkline_protocol.codes import ErrorCode

if TYPE_CHECKING:
    from decimal import Decimal

    from trunkline.app import Application
    from trunkline.providers.choices import Choices
    from trunkline_protocol.errors import WireError

_KEY_ERRORS = {
    ErrorCode.AUTH_MISSING,
    ErrorCode.AUTH_REJECTED,
    ErrorCode.AUTH_FORBIDDEN,
    ErrorCode.AUTH_EXPIRED,
}


def run(work: Coroutine[Any, Any, int]) -> NoReturn:
    """Run a command's coroutine and exit with its code; an error becomes its message and hint on stderr."""
    from trunkline.rpc.logs import log_to

    log_to(None)  # warnings to stderr, without keys
    try:
        code = asyncio.run(work)
    except TrunklineError as error:
        show_error(describe(error))
        code = NO_KEY if error.code in _KEY_ERRORS else FAILED
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe has what it wanted (`trunkline models | head`); there is nobody to tell.
        sys.stderr.close()
        code = FAILED
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
    for line in error_lines(error):
        click.echo(line, err=True)


def error_lines(error: "WireError") -> list[str]:
    """What there is to say of an error, the first line the message. Providers had a word in it."""
    lines = [error.message]
    if error.data.detail and error.data.detail not in error.message:
        lines.append(f"  {error.data.detail}")
    if error.data.suggestions:
        lines.append("  Did you mean: " + ", ".join(error.data.suggestions) + "?")
    if error.data.hint:
        lines.append(f"  {error.data.hint}")
    return [clean(line) for line in lines]


def show_warning(text: str) -> None:
    """A warning on stderr."""
    click.secho("warning: ", fg="yellow", bold=True, nl=False, err=True)
    click.echo(clean(text), err=True)


def dollars(amount: "Decimal | None", currency: str = "USD") -> str:
    """An amount for people: `$0.15`, `?` when it is unknown."""
    if amount is None:
        return "?"
    sign = "$" if currency == "USD" else f"{currency} "
    return f"{sign}{amount.normalize():f}"
