"""How keys, and what providers say of them, are put on the terminal."""

from typing import TYPE_CHECKING

import click

from trunkline.cli.terminal import dollars, show_error, show_warning

if TYPE_CHECKING:
    from rich.console import Console

    from trunkline.app import Application
    from trunkline_protocol.auth import AuthVerifyResult, KeyInfo, KeyLimits

_PIPE_WIDTH = 250


def source(key: "KeyInfo") -> str:
    """Where a key comes from."""
    names = {
        "config": "the configuration",
        "command": "a command",
        "store": "the store",
        "keychain": "the keychain",
        "env": f"the variable {key.env_var}",
    }
    return names[key.source]


def ending(key: "KeyInfo") -> str:
    """What may be shown of a key."""
    return f"ends in {key.last4}" if key.last4 else "a short one"


def wide_console() -> "Console":
    """For tables: as wide as the terminal, and into a pipe wide enough that nothing is broken."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)


def show_notices(app: "Application") -> None:
    """What the key store has to say about itself."""
    for notice in app.store.notices():
        show_warning(notice)


def show_verification(name: str, result: "AuthVerifyResult") -> bool:
    """What a provider says of a key; whether it is good."""
    if result.state == "ok":
        facts = [result.account, *_limits(result.limits)]
        about = "; ".join(fact for fact in facts if fact)
        click.echo(f"{name} accepts the key" + (f": {about}." if about else "."), err=True)
        return True
    if result.state == "unverified":
        why = f" {result.error.message} {result.error.data.hint or ''}" if result.error else ""
        show_warning(f"The key is not verified.{why}".rstrip())
    elif result.error is not None:
        show_error(result.error)
    return False


def _limits(limits: "KeyLimits | None") -> list[str]:
    if limits is None:
        return []
    from decimal import Decimal

    amounts = {"limit": limits.limit, "left": limits.remaining, "used": limits.used}
    return [
        f"{dollars(Decimal(str(amount)), limits.currency)} {what}"
        for what, amount in amounts.items()
        if amount is not None
    ]
