"""`trunkline providers`."""

import sys

import click

from trunkline.cli.terminal import application, run, workspace_choices
from trunkline_protocol.providers import ProviderInfo, ProviderListParams, ProviderListResult

_SOURCES = {"config": "configuration", "command": "command", "store": "key store", "keychain": "keychain"}
_COLOURS = {"ready": "green", "stale": "yellow", "failed": "red", "notConnected": "bright_black"}

_WIDE = 100
"""Columns from which on there is room for names beside ids."""


@click.command("providers")
@click.option("--all", "everything", is_flag=True, help="Show disabled providers, too.")
@click.option("--json", "as_json", is_flag=True, help="Print everything that is known, as JSON.")
def command(*, everything: bool, as_json: bool) -> None:
    """List the providers and whether each can be used. Asks nobody.

    On a terminal this is a table; into a pipe it is id, state and base URL, separated by tabs.
    """
    run(_list(ProviderListParams(include_disabled=everything), as_json=as_json))


async def _list(params: ProviderListParams, *, as_json: bool) -> int:
    async with application() as app:
        workspace_choices(app)
        result = app.directory.list_providers(params)
    if as_json:
        click.echo(result.model_dump_json(exclude_none=True, indent=2))
    elif sys.stdout.isatty():
        _show(result)
    else:
        for info in result.providers:
            click.echo("\t".join((info.provider_id, info.state, info.base_url or "")))
    return 0


def _show(result: ProviderListResult) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    is_wide = console.width >= _WIDE
    table = Table(box=None, header_style="bold")
    for heading in ("provider", *(["name"] if is_wide else []), "state", "models", "key"):
        table.add_column(
            heading,
            no_wrap=heading in ("state", "models"),
            overflow="fold",  # an id is to be copied
            justify="right" if heading == "models" else "left",
        )
    for info in result.providers:
        state = Text(info.state, style=_COLOURS.get(info.state, ""))
        names = (info.provider_id, *([info.name] if is_wide else []))
        table.add_row(*names, state, str(info.model_count), _key(info))
    console.print(table)


def _key(info: ProviderInfo) -> str:
    auth = info.auth
    if auth.key_state == "present":
        return auth.key_env_var or _SOURCES.get(auth.key_source or "", "")
    if not auth.needed:
        return "needs none"
    return " or ".join(auth.env_vars) or "-"
