"""Asking the person at the terminal."""

import signal
import sys
from collections.abc import Sequence
from typing import Any

import click

from trunkline_protocol.providers import ProviderInfo

_SHOWN = 12
"""How many providers are named when an answer fits several."""


def is_person() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty()


def ask(question: str, **options: Any) -> Any:
    """`click.prompt` on stderr. Ctrl-C ends it at once: an event loop would only note it and go on waiting.

    Raises:
        KeyboardInterrupt: on Ctrl-C, and at the end of input.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return click.prompt(question, err=True, **options)
    except click.Abort:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)


def confirm(question: str) -> bool:
    """A question to be answered with yes or no; no unless they say so."""
    answer: str = ask(f"{question} [y/N]", default="n", show_default=False)
    return answer.strip().lower() in {"y", "yes"}


def agrees(question: str) -> bool:
    """Whether the person agrees to what was shown; nobody is a no, and is told how to agree."""
    if is_person():
        return confirm(question)
    click.echo("Nothing was done. Run it again with --yes to do this.", err=True)
    return False


def pick_provider(providers: Sequence[ProviderInfo]) -> str:
    """The id of the provider that the person means: popular ones by number, all of them by id or name."""
    popular = [info for info in providers if info.popular is not None]
    click.echo("Popular:", err=True)
    for number, info in enumerate(popular, 1):
        click.echo(f"{number:>4}  {info.name}", err=True)
    others = len(providers) - len(popular)
    click.echo(f"and {others} others: type an id, or a part of the name.", err=True)
    while True:
        answer: str = ask("Provider")
        meant = providers_meant(answer, providers)
        if len(meant) == 1:
            return meant[0].provider_id
        ids = [info.provider_id for info in meant[:_SHOWN]]
        more = ", ..." if len(meant) > _SHOWN else ""
        click.echo(
            f"It may be one of these: {', '.join(ids)}{more}" if meant else "There is no such provider.",
            err=True,
        )


def providers_meant(answer: str, providers: Sequence[ProviderInfo]) -> tuple[ProviderInfo, ...]:
    """Which of `providers` an answer to `pick_provider` can mean.

    A number is that of a popular one; an id or a name counts whole before it counts as a part.
    """
    said = answer.strip().casefold()
    popular = [info for info in providers if info.popular is not None]
    if said.isdecimal() and 1 <= int(said) <= len(popular):
        return (popular[int(said) - 1],)
    by_id = tuple(info for info in providers if info.provider_id.casefold() == said)
    by_name = tuple(info for info in providers if info.name.casefold() == said)
    by_part = (
        info for info in providers if said in info.provider_id.casefold() or said in info.name.casefold()
    )
    return by_id or by_name or (tuple(by_part) if said else ())
