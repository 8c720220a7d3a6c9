"""`trunkline config`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trunkline.cli.exit_codes import FAILED
from trunkline.cli.terminal import run, show_warning
from trunkline.config.paths import Paths

if TYPE_CHECKING:
    from trunkline.config.foreign import ImportPlan


@click.group("config")
def command() -> None:
    """See, check and import settings."""


@command.command("schema")
def schema() -> None:
    """Print the JSON Schema of the configuration file, for editors that complete by it."""
    # The file is generated and checked in: making the schema anew takes longer than reading it.
    text = Path(__file__).parent.parent / "config" / "trunkline.config.schema.json"
    click.echo(text.read_text(encoding="utf-8"), nl=False)


@command.command("path")
def path() -> None:
    """Print where settings are read from, in the order in which they are merged, and which are there."""
    from trunkline.config.sources import CONTENT_VARIABLE, user_sources
    from trunkline.config.workspace import workspace_files

    directory = Paths.for_user().config
    for source in user_sources(directory, os.environ):
        if source.path is None:
            click.echo(f"{CONTENT_VARIABLE} (variable, set)")
        else:
            click.echo(_line(source.path))
    for workspace_file in reversed(workspace_files(Path.cwd())):
        if workspace_file.is_file() and workspace_file.parent != directory.resolve():
            click.echo(f"{workspace_file} (workspace: may only choose models and leave things out)")


def _line(file: Path) -> str:
    return str(file) if file.exists() else f"{file} (absent)"


@command.command("check")
def check() -> None:
    """Tell everything that is wrong with the settings. Exit code 1 when something is."""
    run(_check())


async def _check() -> int:
    from trunkline.config.environment import catalogue_source
    from trunkline.config.load import ConfigFile
    from trunkline.config.workspace import read_workspace

    directory = Paths.for_user().config
    loaded = ConfigFile(directory).current()
    problems = (*loaded.notices(), *read_workspace(Path.cwd(), besides=directory).problems)
    for problem in problems:
        show_warning(problem)
    catalogue_source(loaded.settings, os.environ)
    if problems:
        return 1
    click.echo("Nothing is wrong with the settings.", err=True)
    return 0


@command.command("import")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask before writing.")
@click.option("--overwrite", is_flag=True, help="Replace settings that are there already.")
def import_settings(file: Path | None, *, yes: bool, overwrite: bool) -> None:
    """Take over the settings of Kilo or opencode.

    Without FILE, kilo.json, kilo.jsonc, opencode.json and opencode.jsonc of this user are looked for. The
    originals are left as they are.
    """
    from trunkline.config.foreign import foreign_files

    files = (file.absolute(),) if file else foreign_files(os.environ)
    run(_import(files, yes=yes, overwrite=overwrite))


async def _import(files: tuple[Path, ...], *, yes: bool, overwrite: bool) -> int:
    from trunkline.cli.prompts import agrees
    from trunkline.config.edit import editable_file, update_settings
    from trunkline.config.foreign import plan_import

    directory = Paths.for_user().config
    if not files:
        show_warning("No settings of Kilo or opencode were found.")
        click.echo("  Name the file: `trunkline config import opencode.json`.", err=True)
        return 1
    plan = plan_import(files, directory, os.environ, overwrite=overwrite)
    target = editable_file(directory)
    _show(plan, files, target)
    if not plan.taken:
        click.echo("Nothing to take over.", err=True)
        unread = {key for key, _ in plan.left} & set(map(str, files))
        return FAILED if unread else 0
    if not yes and not agrees(f"Write this to {target}?"):
        return 1
    written = update_settings(directory, plan.change, may_substitute=True)
    click.echo(f"Wrote {len(plan.taken)} settings to {written}.", err=True)
    if plan.has_secrets and os.name == "posix" and written.stat().st_mode & 0o077:
        show_warning(f"There are keys in {written}, which others may read: run `chmod 600 {written}`.")
    return 0


def _show(plan: "ImportPlan", files: tuple[Path, ...], target: Path) -> None:
    click.echo("From " + ", ".join(str(file) for file in files) + f" to {target}:")
    for key, value in plan.taken:
        click.echo(f"  {key} = {value}" if value else f"  {key}")
    if plan.left:
        click.echo("Left out:")
    for key, reason in plan.left:
        click.echo(f"  {key}: {reason}")
