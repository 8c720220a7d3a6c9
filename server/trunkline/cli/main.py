"""The command tree. Commands are imported when they run: `trunkline models` does not wait for `chat`."""

import errno
import os
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import NoReturn

import click
from typing_extensions import override

from trunkline import __version__
from trunkline.cli.exit_codes import FAILED, INTERRUPTED

_COMMANDS = {
    "attach": ("trunkline.cli.attach", "Attach an editor, or this terminal, to a server that runs."),
    "auth": ("trunkline.cli.auth", "Store, list, verify and take over keys."),
    "chat": ("trunkline.cli.chat", "Ask a model, or talk with it."),
    "completion": ("trunkline.cli.completion", "Make bash, zsh or fish complete `trunkline`."),
    "config": ("trunkline.cli.config", "Check, describe and import the configuration."),
    "demo": ("trunkline.cli.demo", "See Trunkline work, without a key."),
    "doctor": ("trunkline.cli.doctor", "Tell what works, what does not, and what to do."),
    "models": ("trunkline.cli.models", "List models with context size and prices."),
    "providers": ("trunkline.cli.providers", "List providers and whether each can be used."),
    "sessions": ("trunkline.cli.sessions", "List, show, export and delete conversations."),
    "serve": ("trunkline.cli.serve", "Speak LSP with an editor (`trunkline --stdio`)."),
    "token": ("trunkline.cli.token", "Make and revoke tokens with which other programs connect."),
}

_FULL = {errno.ENOSPC, errno.EFBIG, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""Of an error that names no file: standard output takes nothing more."""


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


_WELCOME = """\
Trunkline {version}: a language server whose language is models.

One process knows the AI model providers, keeps your keys, and streams answers to your editor, your scripts
and this terminal.

To a first answer:
  trunkline auth login fastrouter      store a key, or set FASTROUTER_API_KEY
  trunkline models fastrouter          see models, context sizes and prices
  trunkline chat "Why is the sky blue?"

Without a key, `trunkline demo` shows all of it against a simulated provider.
`trunkline --help` lists every command, `trunkline COMMAND --help` explains one, and `trunkline doctor` tells
what works and what does not. Editors start `trunkline --stdio`.
"""


@click.group(
    cls=_LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="trunkline")
@click.pass_context
def trunkline(context: click.Context) -> None:
    """A language server whose language is models.

    Editors start `trunkline --stdio`. From a terminal, start with `trunkline demo`, or store a key with
    `trunkline auth login fastrouter` and ask: `trunkline chat "Why is the sky blue?"`.
    """
    if os.environ.get("NO_COLOR"):
        context.color = False  # rich sees to it by itself, click does not
    if context.invoked_subcommand is None:
        click.echo(_WELCOME.format(version=__version__), nl=False)


def main() -> NoReturn:
    """Run the command line; exits with its code, also where standard output takes nothing more."""
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # what an encoding has no sign for ends no command
    try:
        code = trunkline.main(prog_name="trunkline", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:  # Ctrl-C before the command had begun
        code = INTERRUPTED
    except OSError as error:
        if error.filename is not None or error.errno not in _FULL:
            raise
        # What still waits is not to fail once more when the process ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        click.secho("error: ", fg="red", bold=True, nl=False, err=True)
        click.echo(f"The output cannot be written: {error.strerror}.", err=True)
        code = FAILED
    sys.exit(code)
