"""`trunkline completion`: what makes a shell complete commands, options, providers and models."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_VARIABLE = "_TRUNKLINE_COMPLETE"
_MOST = 200
"""Proposals for one word; a shell asks before it shows more, or shows none."""


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print what makes SHELL complete `trunkline`.

    \b
    bash:  echo 'eval "$(trunkline completion bash)"' >> ~/.bashrc
    zsh:   echo 'eval "$(trunkline completion zsh)"' >> ~/.zshrc
    fish:  trunkline completion fish > ~/.config/fish/completions/trunkline.fish
    """  # noqa: D301 - \b is click's mark of lines that stay as they are
    from click.shell_completion import get_completion_class

    from trunkline.cli.main import trunkline

    made = get_completion_class(shell)
    assert made is not None  # noqa: S101 - click knows the three shells
    click.echo(made(trunkline, {}, "trunkline", _VARIABLE).source())


def complete_model(_: click.Context, __: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Models of which there is a list already, `provider/model`; providers while several are meant."""
    from click.shell_completion import CompletionItem

    provider, slash, _name = incomplete.partition("/")
    meant = [provider] if slash else [one for one in _providers() if one.startswith(incomplete)]
    if len(meant) != 1:
        return [CompletionItem(f"{one}/") for one in meant]
    # Not the provider alone: a shell sets a space after the only proposal.
    return [CompletionItem(model) for model in _models(meant[0]) if model.startswith(incomplete)][:_MOST]


def complete_provider(_: click.Context, __: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Ids of providers."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(one) for one in _providers() if one.startswith(incomplete)]


def _providers() -> list[str]:
    from trunkline.app import Application

    return [provider.provider_id for provider in Application(offline=True).registry.all() if provider.usable]


def _models(provider_id: str) -> list[str]:
    import asyncio

    from trunkline.app import Application
    from trunkline_protocol.models import ModelListParams

    async def listed() -> list[str]:
        app = Application(offline=True)
        try:
            params = ModelListParams(provider_ids=(provider_id,), refresh="never")
            return [model.model for model in (await app.directory.list_models(params)).models]
        finally:
            await app.aclose()

    return asyncio.run(listed())
