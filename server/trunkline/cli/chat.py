"""`trunkline chat`: what is asked, of whom, and how it is shown."""

import sys
from pathlib import Path

import click

from trunkline.cli.completion import complete_model
from trunkline.cli.exit_codes import EXIT_CODES
from trunkline.cli.terminal import run


@click.command("chat", epilog=EXIT_CODES)
@click.option(
    "-m",
    "--model",
    metavar="PROVIDER/MODEL",
    shell_complete=complete_model,
    help="Which model to ask instead of the default one.",
)
@click.option(
    "-f",
    "--file",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Send this file as well: text, a picture, a sound or a PDF. May be repeated.",
)
@click.option("--system", metavar="TEXT", help="What the model is to be and do.")
@click.option("--effort", help="How much a reasoning model should think: low, medium, high.")
@click.option("--key", "key_id", metavar="KEY_ID", help="Another key of the provider than the one in use.")
@click.option(
    "--fallback",
    "fallbacks",
    multiple=True,
    metavar="PROVIDER/MODEL",
    shell_complete=complete_model,
    help="Ask this model when the one before cannot answer. May be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print events and result as JSON, one to a line.")
@click.argument("words", metavar="[MESSAGE]", nargs=-1)
def command(
    model: str | None,
    files: tuple[Path, ...],
    system: str | None,
    effort: str | None,
    key_id: str | None,
    fallbacks: tuple[str, ...],
    words: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Ask a model and print its answer as it comes; without MESSAGE, talk with it.

    What is piped in becomes a part of the prompt, below MESSAGE; `-` stands for it alone. The answer goes to
    standard output; reasoning, tokens and cost go to standard error.
    """
    from trunkline.cli.chat_message import said, user_message
    from trunkline.cli.chat_request import Asking

    message = " ".join(words) if words else None
    asking = Asking(model, fallbacks, key_id, system, effort)
    if message is None and sys.stdin.isatty():
        if as_json or not sys.stdout.isatty():
            raise click.UsageError("Say something: give a MESSAGE or pipe it in.")
        from trunkline.cli.chat_talk import talk

        run(talk(asking, files))
    text = said(message)
    if not text.strip() and not files:
        raise click.UsageError("The message is empty.")
    from trunkline.cli.chat_once import ask_once

    run(ask_once(asking, user_message(text, files), as_json=as_json))
