"""The command tree. Commands are imported when they run: `trunkline models` does not wait for `chat`."""

from importlib import import_module

import click
from typing_extensions import override

from trunkline import __version__

_COMMANDS = {
    "auth": ("trunkline.cli.auth", "Store, list, verify and take over keys."),
    "chat": ("trunkline.cli.chat", "Ask a model and print its answer."),
    "config": ("trunkline.cli.config", "Check, describe and import the configuration."),
    "demo": ("trunkline.cli.demo", "See Trunkline work, without a key."),
    "models": ("trunkline.cli.models", "List models with context size and prices."),
    "providers": ("trunkline.cli.providers", "List providers and whether each can be used."),
    "serve": ("trunkline.cli.serve", "Speak LSP with an editor (`trunkline --stdio`)."),
    "token": ("trunkline.cli.token", "Make and revoke tokens with which other programs connect."),
}


class _LazyGroup(click.Group):
    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        return import_module(_COMMANDS[cmd_name][0]).command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in sorted(_COMMANDS.items())])


@click.group(cls=_LazyGroup)
@click.version_option(__version__, prog_name="trunkline")
def trunkline() -> None:
    """A language server whose language is models.

    Editors start `trunkline --stdio`. From a terminal, start with `trunkline demo`, or store a key with
    `trunkline auth login fastrouter` and ask: `trunkline chat -m fastrouter/openai/gpt-4.1-mini "Hello"`.
    """
