"""`trunkline auth logout`, `use`, `verify`, `path` and `token`."""

import asyncio
from typing import TYPE_CHECKING

import click

from trunkline.cli.auth_words import ending, show_notices, show_verification, source
from trunkline.cli.terminal import application, show_error
from trunkline.errors import TrunklineError, describe
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from trunkline.app import Application
    from trunkline_protocol.auth import KeyInfo


async def log_out(provider_id: str, key_id: str | None) -> int:
    """Forget stored keys."""
    async with application() as app:
        removed = await app.keys.remove(provider_id, key_id)
        left = [key for key in _keys_of(app, provider_id) if key.active] if removed else []
        show_notices(app)
    said = "Forgot the key of" if removed else "There was no stored key of"
    click.echo(f"{said} {provider_id}.", err=True)
    for key in left:
        click.echo(f"Requests now use the one from {source(key)}.", err=True)
    return 0


async def use_key(provider_id: str, key_id: str) -> int:
    """Select a stored key."""
    async with application() as app:
        key = await app.keys.select(provider_id, key_id)
        used = next((other for other in app.keys.list(provider_id) if other.active), None)
        show_notices(app)
    click.echo(f"The key {key_id} of {provider_id} ({ending(key)}) is selected.", err=True)
    if not key.active:
        click.echo(f"It is not used now. {key.unused_reason or ''}".rstrip(), err=True)
        if used is not None:
            click.echo(f"Requests use the one from {source(used)}.", err=True)
    return 0


async def verify_keys(provider_id: str | None, key_id: str | None) -> int:
    """Ask one provider about a key, or all of them about the keys in use."""
    async with application() as app:
        if provider_id is not None:
            good = [await _verify(app, provider_id, key_id)]
        else:
            used = [key.provider_id for key in app.keys.list() if key.active]
            if not used:
                click.echo("No keys. Run `trunkline auth login fastrouter`.", err=True)
            good = list(await asyncio.gather(*(_verify(app, name, None) for name in used)))
        show_notices(app)
    return 0 if good and all(good) else 1


async def _verify(app: "Application", provider_id: str, key_id: str | None) -> bool:
    try:
        result = await app.keys.verify(provider_id, key_id)
    except TrunklineError as error:  # that of one provider is no reason to leave the others out
        show_error(describe(error))
        return False
    return show_verification(app.registry.known(provider_id).name, result)


async def show_path() -> int:
    """Print the path of the store."""
    async with application() as app:
        click.echo(app.store.path)
    return 0


async def show_token(provider_id: str, key_id: str | None, *, reveal: bool) -> int:
    """Print a key, or say how."""
    async with application() as app:
        provider = app.registry.known(provider_id)
        if provider.error is not None:
            raise provider.error
        owner = provider.key_owner
        if not reveal:
            keys = app.keys.list(provider_id)
            wanted = next(
                (key for key in keys if (key.active if key_id is None else key.key_id == key_id)), None
            )
            _say_how(provider.name, wanted)
            return 1
        credential = await app.resolver.credential(owner, key_id)
        show_notices(app)
    if credential is None:
        raise TrunklineError(
            ErrorCode.AUTH_MISSING,
            f"There is no key for provider {provider_id}, and it needs none.",
            provider_id=provider_id,
        )
    click.echo(credential.authorization(owner.origin).reveal())
    return 0


def _say_how(name: str, key: "KeyInfo | None") -> None:
    if key is None:
        click.echo(f"There is no such key of {name}; see `trunkline auth list`.", err=True)
    else:
        click.echo(f"{name} uses the key {key.key_id} from {source(key)} ({ending(key)}).", err=True)
        click.echo("Add --reveal to print it; whoever sees the output can use it.", err=True)


def _keys_of(app: "Application", provider_id: str) -> "tuple[KeyInfo, ...]":
    known = {provider.provider_id for provider in app.registry.all()}
    return app.keys.list(provider_id) if provider_id in known else ()
