"""`trunkline auth import`."""

import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trunkline.auth.importing.files import key_files, read_keys
from trunkline.auth.importing.found import KnownProviders
from trunkline.auth.importing.plan import Planned, plan
from trunkline.cli.auth_words import show_notices, wide_console
from trunkline.cli.prompts import agrees
from trunkline.cli.terminal import application, show_warning
from trunkline.config.problems import printable_path

if TYPE_CHECKING:
    from trunkline.app import Application
    from trunkline.providers.registry import ProviderRegistry


async def take_over(files: tuple[Path, ...], *, yes: bool, overwrite: bool) -> int:
    """Show what there is to take over, ask, and store it. Exit code 1 when nothing was stored."""
    chosen = tuple(file.absolute() for file in files) or key_files(os.environ)
    if not chosen:
        show_warning("No keys of Kilo, opencode or llm were found.")
        click.echo("  Name a file: `trunkline auth import .env`.", err=True)
        return 1
    async with application() as app:
        known = _known_providers(app.registry)
        found = [item for file in chosen for item in read_keys(file, known, os.environ)]
        owners = {p.provider_id: p.key_owner for p in app.registry.all() if p.error is None}
        planned = plan(found, owners, app.store, overwrite=overwrite)
        _show(planned, chosen)
        taken = [item for item in planned if item.secret is not None]
        if not taken:
            click.echo("Nothing to take over.", err=True)
            return 1
        if not yes and not agrees(f"Store {_keys(len(taken))} in {app.store.path}?"):
            return 1
        await _store(app, taken)
        show_notices(app)
    return 0


def _known_providers(registry: "ProviderRegistry") -> KnownProviders:
    readers: defaultdict[str, list[str]] = defaultdict(list)
    providers = registry.all()
    for provider in providers:
        for variable in provider.spec.env_vars:
            readers[variable].append(provider.provider_id)
    return KnownProviders(
        ids=frozenset(provider.provider_id for provider in providers),
        by_variable={variable: tuple(ids) for variable, ids in readers.items()},
    )


async def _store(app: "Application", taken: list[Planned]) -> None:
    for item in taken:
        assert item.secret is not None  # noqa: S101 - that is what makes it taken
        await app.keys.set(
            item.found.provider_id, item.secret, key_id=item.found.key_id, label=None, make_active=False
        )
    click.echo(
        f"Stored {_keys(len(taken))} in {app.store.path}. `trunkline auth verify` checks them.",
        err=True,
    )


def _keys(count: int) -> str:
    return "1 key" if count == 1 else f"{count} keys"


def _show(planned: tuple[Planned, ...], files: tuple[Path, ...]) -> None:
    from rich.table import Table
    from rich.text import Text

    for file in files:
        click.echo(f"From {printable_path(file)}:")
        rows = [item for item in planned if item.found.file == file]
        table = Table(box=None, header_style="bold")
        for heading in ("", "entry", "provider", "key", "ends in", ""):
            table.add_column(heading)
        for item in rows:
            found = item.found
            taken = item.secret is not None
            what = f"for {item.origin}" if taken else f"left: {item.reason}"
            cells = ("+" if taken else "", found.place, found.provider_id, found.key_id, found.last4 or "")
            # As `Text`: foreign names are not markup.
            table.add_row(*map(Text, (*cells, what)))
        if rows:
            wide_console().print(table)
        else:
            click.echo("  no keys of a provider")
