"""`trunkline auth`."""

from pathlib import Path

import click

from trunkline.cli.terminal import run

KEY_ID = click.option("--key-id", default="default", show_default=True, help="What to call the key.")


@click.group("auth")
def command() -> None:
    """Store, list, verify and remove keys; sign in; take over keys of other programs."""


@command.command("login")
@click.argument("provider", required=False)
@click.argument("key", nargs=-1, metavar="")
@KEY_ID
@click.option(
    "--method",
    type=click.Choice(["key", "browser", "device"]),
    help="Enter a key, or sign in in the browser or with a code on another device.",
)
@click.option("--no-verify", is_flag=True, help="Do not ask the provider whether the key is good.")
def login(
    provider: str | None, key: tuple[str, ...], *, key_id: str, method: str | None, no_verify: bool
) -> None:
    """Store a key for PROVIDER, or sign in to it.

    The key is typed unseen, or read from standard input when that is not a terminal:
    `trunkline auth login fastrouter < key.txt`. It is never taken from the command line, where other
    programs could read it.
    """
    from trunkline.cli.auth_login import log_in, refuse_key_argument

    if key:
        refuse_key_argument()
    run(log_in(provider, key_id=key_id, method=method, verify=not no_verify))


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print everything that is known, as JSON.")
def show(*, as_json: bool) -> None:
    """List every key that could be used, wherever it comes from, and why one is not used."""
    from trunkline.cli.auth_list import list_keys

    run(list_keys(as_json=as_json))


@command.command("logout")
@click.argument("provider")
@click.option("--key-id", help="Forget only this key of the provider.")
def logout(provider: str, key_id: str | None) -> None:
    """Forget the stored keys of PROVIDER."""
    from trunkline.cli.auth_manage import log_out

    run(log_out(provider, key_id))


@command.command("use")
@click.argument("provider")
@click.argument("key_id")
def use(provider: str, key_id: str) -> None:
    """Use the stored key KEY_ID of PROVIDER from now on."""
    from trunkline.cli.auth_manage import use_key

    run(use_key(provider, key_id))


@command.command("verify")
@click.argument("provider", required=False)
@click.option("--key-id", help="Another key of the provider than the one in use.")
def verify(provider: str | None, key_id: str | None) -> None:
    """Ask PROVIDER whether its key is good; without PROVIDER, all of which there is one.

    Exit code 1 when a key is not known to be good.
    """
    if key_id is not None and provider is None:
        raise click.UsageError("Name the provider that --key-id belongs to.")
    from trunkline.cli.auth_manage import verify_keys

    run(verify_keys(provider, key_id))


@command.command("path")
def path() -> None:
    """Print where the stored keys are."""
    from trunkline.cli.auth_manage import show_path

    run(show_path())


@command.command("token")
@click.argument("provider")
@click.option("--key-id", help="Another key of the provider than the one in use.")
@click.option("--reveal", is_flag=True, help="Print the key itself.")
def token(provider: str, key_id: str | None, *, reveal: bool) -> None:
    """Print the key that requests to PROVIDER carry, for another program; only with --reveal."""
    from trunkline.cli.auth_manage import show_token

    run(show_token(provider, key_id, reveal=reveal))


@command.command("import")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask before storing.")
@click.option("--overwrite", is_flag=True, help="Replace stored keys of the same names.")
def import_keys(files: tuple[Path, ...], *, yes: bool, overwrite: bool) -> None:
    """Take over the keys of Kilo, opencode and `llm`, or those in .env FILEs.

    Without FILE, this user's files of Kilo, opencode and `llm` are looked for. The originals are left as they
    are.
    """
    from trunkline.cli.auth_import import take_over

    run(take_over(files, yes=yes, overwrite=overwrite))
