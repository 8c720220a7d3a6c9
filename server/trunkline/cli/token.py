"""`trunkline token`."""

from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn, cast

import click

from trunkline.cli.clean import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from trunkline.remote.tokens import Token, TokenStore
    from trunkline_protocol.base import Scope

_LONGEST = 6
"""Of a duration in characters: what is longer has no end that a date can name."""
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class _Lifetime(click.ParamType[timedelta]):
    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        text = str(value)
        unit = _UNITS.get(text[-1:])
        if unit is None or not text[:-1].isdecimal() or len(text) > _LONGEST or not int(text[:-1]):
            self.fail(f"{text!r} is no duration such as 12h or 7d", param, ctx)
        return timedelta(**{unit: int(text[:-1])})


@click.group("token")
def command() -> None:
    """Make, list, rotate and revoke the tokens with which other programs connect.

    A token is only ever written to a file that is yours alone; no command prints one.
    """


@command.command("create")
@click.option(
    "--scope",
    type=click.Choice(["observe", "control", "admin"]),
    default="observe",
    show_default=True,
    help="What it allows: to look; to ask and chat as well; to change keys and settings as well.",
)
@click.option("--label", default="", help="What it is for, in your words.")
@click.option("--expires", type=_Lifetime(), metavar="DURATION", help="After this it is of no use: 12h, 7d.")
def create(scope: str, label: str, expires: timedelta | None) -> None:
    """Make a token and print the path of its file."""

    def work(tokens: "TokenStore") -> None:
        issued = tokens.create(cast("Scope", scope), label, lifetime=expires)
        click.echo(issued.file)
        click.echo(f"{issued.token.token_id} allows: {scope}{_end(issued.token)}.", err=True)

    _with_store(work)


@command.command("list")
def list_tokens() -> None:
    """List the tokens."""

    def work(tokens: "TokenStore") -> None:
        known = tokens.list()
        for token in known:
            about = f"{token.token_id}  {token.scope:<7}  {token.created_at}{_end(token)}"
            click.echo(f"{about}  {' '.join(clean(token.label).split())}".rstrip())
        if not known:
            click.echo("No tokens. Run `trunkline token create`.", err=True)

    _with_store(work)


@command.command("rotate")
@click.argument("token_id", metavar="ID")
def rotate(token_id: str) -> None:
    """Replace the secret of a token. Whoever connected with the old one is cut off at once."""
    _with_store(lambda tokens: click.echo(tokens.rotate(token_id).file))


@command.command("revoke")
@click.argument("token_id", metavar="ID")
def revoke(token_id: str) -> None:
    """Forget a token. Whoever connected with it is cut off at once."""

    def work(tokens: "TokenStore") -> None:
        tokens.revoke(token_id)
        click.echo(f"{token_id} is revoked.", err=True)

    _with_store(work)


@command.command("path")
@click.argument("token_id", metavar="ID")
def path(token_id: str) -> None:
    """Print the path of a token's file."""
    _with_store(lambda tokens: click.echo(tokens.file_of(token_id)))


def _with_store(work: "Callable[[TokenStore], None]") -> NoReturn:
    from trunkline.cli.terminal import run

    async def whole() -> int:
        from trunkline.config.paths import Paths
        from trunkline.remote.tokens import TokenStore

        work(TokenStore(Paths.for_user().data))
        return 0

    run(whole())


def _end(token: "Token") -> str:
    return f", until {token.expires_at}" if token.expires_at else ""
