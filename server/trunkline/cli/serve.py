"""`trunkline serve`: listed here for the help page; the options are the server's own."""

import sys

import click


@click.command(
    "serve",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    short_help="Speak LSP with an editor, or with several that connect.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Speak LSP with an editor on standard input and output, or with several that connect."""
    from trunkline.rpc.stdio import main

    sys.exit(main(arguments))
