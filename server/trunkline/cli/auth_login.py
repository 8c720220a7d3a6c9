"""`trunkline auth login`."""

import os
import sys
import webbrowser
from typing import TYPE_CHECKING, Literal, NoReturn, cast

import click

from trunkline.cli.auth_words import ending, show_notices, show_verification, source
from trunkline.cli.prompts import ask, is_person, pick_provider
from trunkline.cli.terminal import application
from trunkline.errors import TrunklineError
from trunkline.secrets import Secret
from trunkline_protocol.providers import ProviderListParams, SignInMethod

if TYPE_CHECKING:
    from trunkline.app import Application
    from trunkline.auth.login.sign_in import SignIn
    from trunkline.providers.registry import Provider
    from trunkline_protocol.auth import AuthVerifyResult, KeyInfo

Method = Literal["key"] | SignInMethod

_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
_LONGEST_ID = 30
"""Whatever is longer and no provider's id is more likely a key."""


async def log_in(provider_id: str | None, *, key_id: str, method: str | None, verify: bool) -> int:
    """Store a key, or sign in. Exit code 1 when the provider does not accept the key."""
    async with application() as app:
        provider = _provider(app, provider_id or _ask_provider(app))
        chosen = cast("Method | None", method) or _ask_method(provider)
        if chosen == "key":
            key, verification = await _enter_key(app, provider, key_id, verify=verify)
        else:
            key, verification = await _sign_in(app, provider, key_id, chosen), None
        used = next((other for other in app.keys.list(provider.provider_id) if other.active), key)
        place = app.store.path if key.source == "store" else "the keychain"
        show_notices(app)
    click.echo(f"Stored the key for {provider.name} ({ending(key)}) in {place}.", err=True)
    if used.key_id != key.key_id or used.source != key.source:
        click.echo(f"It is not used now: the one from {source(used)} comes first.", err=True)
    if verification is None:
        return 0
    show_verification(provider.name, verification)
    return 0 if verification.state in {"ok", "unverified"} else 1


def refuse_key_argument() -> NoReturn:
    """Wrong usage, without quoting what was given."""
    raise click.UsageError(
        "A key is not taken from the command line, where other programs can read it. Enter it when asked, or "
        "pipe it in. If that was one, replace it: it is in the history of your shell now."
    )


def _provider(app: "Application", provider_id: str) -> "Provider":
    try:
        return app.registry.known(provider_id)
    except TrunklineError:
        if len(provider_id) > _LONGEST_ID:
            refuse_key_argument()
        raise


def _ask_provider(app: "Application") -> str:
    if not is_person():
        raise click.UsageError("Name the provider when the key comes from standard input.")
    return pick_provider(app.directory.list_providers(ProviderListParams()).providers)


def _ask_method(provider: "Provider") -> Method:
    from trunkline.auth.login import methods_of

    offered = methods_of(provider.provider_id)
    if not offered or not is_person():
        return "key"
    return ask(f"Sign in to {provider.name} by", type=click.Choice([*offered, "key"]), default=offered[0])


async def _enter_key(
    app: "Application", provider: "Provider", key_id: str, *, verify: bool
) -> "tuple[KeyInfo, AuthVerifyResult | None]":
    if provider.error is not None:
        raise provider.error  # before somebody goes and fetches the key
    if is_person():
        secret = Secret(ask(f"Key for {provider.name}", hide_input=True))
    else:
        secret = Secret(sys.stdin.readline())
    stored = await app.keys.set(
        provider.provider_id, secret, key_id=key_id, label=None, make_active=True, verify=verify
    )
    return stored.key, stored.verification


async def _sign_in(app: "Application", provider: "Provider", key_id: str, method: SignInMethod) -> "KeyInfo":
    login = await app.logins.begin(provider.provider_id, method, key_id)
    sign_in = login.sign_in
    _show_page(sign_in, opened=method == "browser" and _open(sign_in.url))
    if sign_in.needs_code:
        sign_in.submit(Secret(ask("Code", hide_input=True) if is_person() else sys.stdin.readline()))
    return await app.logins.finish(login)


def _show_page(sign_in: "SignIn", *, opened: bool) -> None:
    said = "The browser opens this page; if it does not, open it yourself:" if opened else "Open this page:"
    click.echo(f"{said}\n  {sign_in.url}", err=True)
    if sign_in.user_code is not None:
        click.echo(f"and enter the code {sign_in.user_code}", err=True)
    if not sign_in.needs_code:
        click.echo("Waiting until you are done there; Ctrl-C ends it.", err=True)


def _open(url: str) -> bool:
    """Whether there is a browser that says it opens the page."""
    if sys.platform == "linux" and not any(map(os.environ.get, _SCREENS)):
        return False  # what there may be is a browser for the terminal, which would take it over
    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False
