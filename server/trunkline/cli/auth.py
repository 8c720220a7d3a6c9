"""`trunkline auth`."""

import sys
from typing import TYPE_CHECKING

import click

from trunkline.cli.terminal import application, run
from trunkline.secrets import Secret
from trunkline_protocol.providers import ProviderListParams

if TYPE_CHECKING:
    from trunkline.app import Application
    from trunkline_protocol.auth import KeyInfo


@click.group("auth")
def command() -> None:
    """Store, list and remove keys."""


@command.command("login")
@click.argument("provider", required=False)
def login(provider: str | None) -> None:
    """Store a key for PROVIDER.

    The key is typed unseen, or read from standard input when that is not a terminal:
    `trunkline auth login fastrouter < key.txt`. It is never taken from the command line, where other
    programs could read it.
    """
    run(_login(provider))


async def _login(provider: str | None) -> int:
    async with application() as app:
        provider_id = provider or _ask_provider(app)
        info = app.registry.known(provider_id)
        key = await app.keys.set(
            provider_id, _read_key(info.name), key_id="default", label=None, make_active=True
        )
        used = next((other for other in app.keys.list(provider_id) if other.active), key)
    click.echo(
        f"Stored the key for {info.name} ({_ending(key)}) in {app.paths.data / 'auth.json'}.", err=True
    )
    if used.source != "store":
        click.echo(f"It is not used now: the one from {_source(used)} comes first.", err=True)
    return 0


def _ask_provider(app: "Application") -> str:
    if not sys.stdin.isatty():
        raise click.UsageError("Name the provider when the key comes from standard input.")
    listed = app.directory.list_providers(ProviderListParams()).providers
    popular = [info.provider_id for info in listed if info.popular is not None]
    click.echo("Popular: " + ", ".join(popular) + f"; {len(listed)} in all.", err=True)
    return click.prompt("Provider", default="fastrouter", err=True)


def _read_key(name: str) -> Secret:
    if sys.stdin.isatty():
        return Secret(click.prompt(f"Key for {name}", hide_input=True, err=True))
    return Secret(sys.stdin.readline())


@command.command("list")
def show() -> None:
    """List every key that could be used: from the configuration, the store and the environment."""
    run(_show())


async def _show() -> int:
    async with application() as app:
        keys = app.keys.list()
        where = app.paths.data / "auth.json"
    if not keys:
        click.echo("No keys. Run `trunkline auth login fastrouter`.", err=True)
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for heading in ("", "provider", "key", "ends in", "source"):
        table.add_column(heading)
    for key in keys:
        mark = "*" if key.active else ""
        table.add_row(mark, key.provider_id, key.key_id, key.last4 or "", _source(key))
    Console().print(table)
    click.echo(f"* is used; the store is {where}", err=True)
    return 0


@command.command("logout")
@click.argument("provider")
@click.option("--key-id", help="Forget only this key of the provider.")
def logout(provider: str, key_id: str | None) -> None:
    """Forget the stored keys of PROVIDER."""
    run(_logout(provider, key_id))


async def _logout(provider: str, key_id: str | None) -> int:
    async with application() as app:
        removed = await app.keys.remove(provider, key_id)
        left = [] if not removed else [key for key in _others(app, provider) if key.active]
    click.echo(
        f"Forgot the key of {provider}." if removed else f"There was no stored key of {provider}.", err=True
    )
    for key in left:
        click.echo(f"Requests now use the one from {_source(key)}.", err=True)
    return 0


def _others(app: "Application", provider: str) -> "tuple[KeyInfo, ...]":
    known = {listed.spec.provider_id for listed in app.registry.all()}
    return app.keys.list(provider) if provider in known else ()


def _source(key: "KeyInfo") -> str:
    names = {"config": "the configuration", "store": "the store", "env": f"the variable {key.env_var}"}
    return names[key.source]


def _ending(key: "KeyInfo") -> str:
    return f"ends in {key.last4}" if key.last4 else "a short one"
