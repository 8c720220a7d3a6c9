"""`trunkline attach`: the relay for editors, or a session followed in the terminal."""

import sys

import click

from trunkline.cli.terminal import run


@click.command("attach")
@click.argument("target", required=False)
@click.option(
    "--token-file",
    metavar="FILE",
    help="Holds the token. Otherwise that which the server announces, or TRUNKLINE_TOKEN_FILE.",
)
@click.option("--follow", "session", metavar="SESSION", help="Show this session here; `last` is the newest.")
def command(target: str | None, token_file: str | None, session: str | None) -> None:
    """Attach to a server that runs: unix:PATH, a path, ws://127.0.0.1:PORT or wss://HOST:PORT.

    Without TARGET it is the one on this machine that started last. An editor starts this in the place of
    `trunkline --stdio`; it survives broken connections. With --follow, a session is shown in the terminal,
    and what you type is sent to it where the token allows that.
    """
    arguments = [*([target] if target else []), *(["--token-file", token_file] if token_file else [])]
    if session is None:
        from trunkline.remote.attach.command import main

        sys.exit(main(arguments))
    from trunkline.cli.follow import follow

    run(follow(arguments, session))
