"""`trunkline models`."""

import sys
from typing import TYPE_CHECKING

import click

from trunkline.cli.terminal import application, dollars, run, show_error, show_warning
from trunkline_protocol.models import ModelInfo, ModelListParams, ModelListResult
from trunkline_protocol.providers import ProviderListParams

if TYPE_CHECKING:
    from trunkline.app import Application


@click.command("models")
@click.argument("provider", required=False)
def command(provider: str | None) -> None:
    """List the models of PROVIDER, or of every provider that has a key.

    On a terminal this is a table; into a pipe it is one `provider/model` a line.
    """
    run(_list(provider))


async def _list(provider: str | None) -> int:
    async with application() as app:
        wanted = (provider,) if provider else _connected(app)
        if not wanted:
            show_warning("No provider has a key yet, so there is nothing to list.")
            click.echo(
                "  Run `trunkline auth login fastrouter`, or name one: `trunkline models fastrouter`.",
                err=True,
            )
            return 1
        result = await app.directory.list_models(ModelListParams(provider_ids=wanted))
    _show(result)
    # One broken file concerns every provider in the same words.
    for error in {failure.error.message: failure.error for failure in result.failures}.values():
        show_error(error)
    return 1 if result.failures and not result.models else 0


def _connected(app: "Application") -> tuple[str, ...]:
    listed = app.directory.list_providers(ProviderListParams()).providers
    return tuple(info.provider_id for info in listed if info.auth.key_state == "present")


def _show(result: ModelListResult) -> None:
    if not sys.stdout.isatty():
        for model in result.models:
            click.echo(model.model)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", caption=_caption(result), caption_justify="left")
    table.add_column("model", no_wrap=True)
    table.add_column("context", justify="right")
    table.add_column("in $/M", justify="right")
    table.add_column("out $/M", justify="right")
    table.add_column("can")
    for model in result.models:
        table.add_row(*_row(model))
    Console().print(table)


def _row(model: ModelInfo) -> tuple[str, str, str, str, str]:
    can = [
        name
        for name, able in (
            ("tools", model.capabilities.tools),
            ("reasoning", model.capabilities.reasoning),
            ("images", "image" in model.input_modalities),
            ("pdf", "pdf" in model.input_modalities),
        )
        if able
    ]
    prices = model.pricing
    return (
        model.model,
        f"{model.context_window:,}",
        dollars(prices.input, prices.currency),
        dollars(prices.output, prices.currency),
        " ".join(can),
    )


def _caption(result: ModelListResult) -> str:
    live = sum(model.source == "live" for model in result.models)
    source = (
        "offline catalogue" if not live else "live list" if live == len(result.models) else "live and offline"
    )
    return f"{len(result.models)} models, {source}; `?` is an unknown price"
