"""`trunkline models`."""

import asyncio
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from trunkline.cli.clean import clean
from trunkline.cli.completion import complete_provider
from trunkline.cli.terminal import (
    FAILED,
    application,
    dollars,
    run,
    show_error,
    show_warning,
    workspace_choices,
)
from trunkline.providers.changes import CATALOGUE
from trunkline_protocol.models import ModelInfo, ModelListParams, ModelListResult
from trunkline_protocol.providers import ProviderListParams

if TYPE_CHECKING:
    from collections.abc import Callable

    from trunkline.app import Application


_WIDE = 100
"""Columns of a terminal that has room for what models can do."""
_PATIENCE_S = 3.0
"""How long an old catalogue may keep somebody waiting who only wants to see a list."""


@click.command("models")
@click.argument("provider", required=False, shell_complete=complete_provider)
@click.option(
    "--filter", "words", metavar="TEXT", help="Only models whose id or name has every word of TEXT."
)
@click.option("--refresh", is_flag=True, help="Fetch every list again, however new it is.")
@click.option("--all", "hidden", is_flag=True, help="Show deprecated models and those without text, too.")
@click.option("--offline", is_flag=True, help="Fetch nothing.")
@click.option("--verbose", "-v", is_flag=True, help="Print everything that is known of each.")
@click.option("--json", "as_json", is_flag=True, help="The same, as JSON.")
def command(
    provider: str | None,
    *,
    words: str | None,
    refresh: bool,
    hidden: bool,
    offline: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """List the models of PROVIDER, or of every provider that has a key and every server on this machine.

    On a terminal this is a table; into a pipe it is one `provider/model` a line.
    """
    params = ModelListParams(refresh="force" if refresh else "ifStale", include_hidden=hidden)
    show = _show_json if as_json else _show_details if verbose else _show
    run(_list(provider, params, words or "", show, offline=offline))


async def _list(
    provider: str | None,
    params: ModelListParams,
    words: str,
    show: "Callable[[ModelListResult], None]",
    *,
    offline: bool,
) -> int:
    async with application(offline=offline) as app:
        choices = workspace_choices(app)
        wanted = (provider,) if provider else usable_providers(app)
        params = params.model_copy(update={"provider_ids": wanted})
        with suppress(TimeoutError):
            # In the background it would end with this process.
            await asyncio.wait_for(app.catalogue.refresh(), _PATIENCE_S)
        result = _matching(words, await app.directory.list_models(params, choices))
        unfound = () if provider else _not_running(app)
        if params.refresh != "force":
            # Nobody asked for the newest catalogue, and the one in use is good enough to list.
            unfound = (*unfound, CATALOGUE)
    failures = [failure for failure in result.failures if failure.provider_id not in unfound]
    if result.models or provider or show is _show_json:
        show(result)
    # One broken file concerns every provider in the same words.
    for error in {failure.error.message: failure.error for failure in failures}.values():
        show_error(error)
    if not result.models and not failures:
        if words:
            show_warning(f"No model has {words!r} in its id or name.")
            return FAILED
        show_warning(f"{provider} has no models." if provider else "There is no provider to list yet.")
        click.echo(
            "  Run `trunkline auth login fastrouter`, or name one: `trunkline models fastrouter`.", err=True
        )
        return 1
    return 1 if failures and not result.models else 0


def _matching(words: str, result: ModelListResult) -> ModelListResult:
    wanted = words.casefold().split()
    models = tuple(
        model
        for model in result.models
        if all(word in f"{model.model} {model.name}".casefold() for word in wanted)
    )
    return result.model_copy(update={"models": models})


def usable_providers(app: "Application") -> tuple[str, ...]:
    """Providers with a key, and servers on this machine that may be running."""
    providers = app.registry.all()
    local = {provider.provider_id for provider in providers if provider.spec.is_local and provider.usable}
    listed = app.directory.list_providers(ProviderListParams()).providers
    return tuple(
        info.provider_id
        for info in listed
        if info.auth.key_state == "present" or info.state == "ready" or info.provider_id in local
    )


def _not_running(app: "Application") -> tuple[str, ...]:
    """Servers on this machine that nobody has set up: they do not have to run."""
    return tuple(
        provider.provider_id
        for provider in app.registry.all()
        if provider.spec.is_local and not provider.is_configured
    )


def _show_json(result: ModelListResult) -> None:
    click.echo(result.model_dump_json(exclude_none=True, indent=2))


def _show_details(result: ModelListResult) -> None:
    from trunkline.cli.model_details import details

    click.echo("\n\n".join(map(details, result.models)))


def _show(result: ModelListResult) -> None:
    if not sys.stdout.isatty():
        for model in result.models:
            click.echo(clean(model.model))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table(box=None, header_style="bold", caption=_caption(result), caption_justify="left")
    table.add_column("model", overflow="fold")  # an id is to be copied, and numbers are to be read
    for heading in ("context", "in $/M", "out $/M"):
        table.add_column(heading, justify="right", no_wrap=True)
    is_wide = console.width >= _WIDE
    if is_wide:
        table.add_column("can")
    for model in result.models:
        row = _row(model, result)
        # As `Text`: names of models are not markup.
        table.add_row(*(Text(clean(cell)) for cell in (row if is_wide else row[:-1])))
    console.print(table)


def _row(model: ModelInfo, result: ModelListResult) -> tuple[str, str, str, str, str]:
    notes = [
        name
        for name, applies in (
            ("tools", model.capabilities.tools),
            ("reasoning", model.capabilities.reasoning),
            ("images", "image" in model.input_modalities),
            ("pdf", "pdf" in model.input_modalities),
            (f"({model.status})", model.status != "active"),
            (f"(= {model.alias_of})", model.alias_of is not None),
            ("(default)", model.model == result.default_model),
        )
        if applies
    ]
    prices = model.pricing
    more = "+" if prices.tiers else ""
    return (
        model.model,
        f"{model.context_window:,}",
        dollars(prices.input, prices.currency) + more,
        dollars(prices.output, prices.currency) + more,
        " ".join(notes),
    )


def _caption(result: ModelListResult) -> str:
    live = sum(model.source == "live" for model in result.models)
    source = (
        "offline catalogue" if not live else "live list" if live == len(result.models) else "live and offline"
    )
    tiers = "; + costs more for long prompts" if any(m.pricing.tiers for m in result.models) else ""
    many = "1 model" if len(result.models) == 1 else f"{len(result.models)} models"
    return f"{many}, {source}; `?` is an unknown price{tiers}"
