"""`trunkline doctor`."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from trunkline.cli.exit_codes import FAILED
from trunkline.cli.terminal import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trunkline.cli.doctor_finding import Finding

_MARKS = {"ok": ("ok", "green"), "note": ("note", "yellow"), "broken": ("broken", "red")}


@click.command("doctor")
@click.option("--offline", is_flag=True, help="Ask no provider.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found, as JSON.")
def command(*, offline: bool, as_json: bool) -> None:
    """Tell what works, what does not, and what to do about it.

    Nothing is changed, but a key store that others could read is made private, as whenever it is used.

    Providers that are set up are asked whether they take their key, which costs nothing. Exit code 1 when
    something is broken. No key is shown.
    """
    run(_examine(offline=offline, as_json=as_json))


async def _examine(*, offline: bool, as_json: bool) -> int:
    found = await _findings(offline=offline)
    if as_json:
        import json

        click.echo(json.dumps([asdict(one) for one in found], indent=2))
    else:
        _show(found)
    return FAILED if any(one.state == "broken" for one in found) else 0


async def _findings(*, offline: bool) -> "list[Finding]":
    import logging
    import os

    from trunkline.app import Application
    from trunkline.cli import doctor_machine, doctor_providers

    logging.getLogger("trunkline").addHandler(logging.NullHandler())
    app = Application(offline=offline)
    try:
        return [
            *doctor_machine.program(),
            # Before anything opens the store, which makes it private again.
            *doctor_machine.files(app.paths),
            *doctor_providers.configuration(app),
            *doctor_machine.network(os.environ),
            *await doctor_providers.providers(app),
            *doctor_machine.sessions(app.paths),
            *doctor_machine.listeners(app.paths),
        ]
    finally:
        await app.aclose()


def _show(found: "Sequence[Finding]") -> None:
    from trunkline.cli.clean import clean

    area = ""
    for one in found:
        if one.area != area:
            area = one.area
            click.secho(area.capitalize(), bold=True)
        mark, colour = _MARKS[one.state]
        click.secho(f"  {mark:<6}  ", fg=colour, nl=False)
        click.echo(clean(one.text))
        if one.hint:
            click.echo(f"          {clean(one.hint)}")
    count = sum(one.state == "broken" for one in found)
    click.echo()
    click.secho(f"{count} broken" if count else "Nothing is broken.", bold=True)
