"""`trunkline auth list`."""

from typing import TYPE_CHECKING

import click

from trunkline.cli.auth_words import show_notices, source, wide_console
from trunkline.cli.terminal import application
from trunkline_protocol.auth import AuthListResult

if TYPE_CHECKING:
    from trunkline_protocol.auth import KeyInfo


async def list_keys(*, as_json: bool) -> int:
    """Show every key there is."""
    async with application() as app:
        keys = app.keys.list()
        where = app.store.path
        show_notices(app)
    if as_json:
        click.echo(AuthListResult(keys=keys).model_dump_json(exclude_none=True, indent=2))
    elif not keys:
        click.echo("No keys. Run `trunkline auth login fastrouter`.", err=True)
    else:
        _show(keys)
        click.echo(f"* is used; the store is {where}", err=True)
    return 0


def _show(keys: "tuple[KeyInfo, ...]") -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold")
    for heading in ("", "provider", "key", "ends in", "source", "state", ""):
        table.add_column(heading)
    for key in keys:
        cells = ("*" if key.active else "", key.provider_id, key.key_id, key.last4 or "", source(key))
        # As `Text`: labels and names are not markup.
        table.add_row(*map(Text, (*cells, _state(key), _remark(key))))
    wide_console().print(table)


def _state(key: "KeyInfo") -> str:
    return f"{key.state} until {key.expires_at[:10]}" if key.expires_at and key.state == "ok" else key.state


def _remark(key: "KeyInfo") -> str:
    said = (key.label, key.account, None if key.active else key.unused_reason)
    return "; ".join(part for part in said if part)
