"""Every command and option says what it is for, in the same voice."""

from collections.abc import Iterator

import click
import pytest

from trunkline.cli.main import trunkline


def every_command(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None, name
        yield f"{path} {name}", found
        if isinstance(found, click.Group):
            yield from every_command(found, f"{path} {name}")


@pytest.mark.parametrize(("path", "found"), list(every_command(trunkline, "trunkline")))
def test_help(path: str, found: click.Command) -> None:
    first = (found.help or "").strip().splitlines()[0]
    assert first[:1].isupper(), path
    assert (found.help or "").split("\n\n")[0].rstrip()[-1] in ".:", path
    for parameter in found.params:
        if isinstance(parameter, click.Option):
            said = parameter.help or ""
            assert said[:1].isupper(), parameter.name
            assert said.endswith("."), parameter.name
