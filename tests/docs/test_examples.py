"""The pages that are made from sources: every example is made, every code is told of, every setting is there."""

from pathlib import Path
from typing import Any, cast

import error_table
import method_examples
import settings_table
from method_examples import EXAMPLES, Example

from support.user import SERVER, User
from trunkline.client import Client, spawn
from trunkline.demo.upstream import DemoUpstream
from trunkline_protocol.codes import ErrorCode
from trunkline_protocol.methods import REQUESTS

PACE_S = 0.02
"""So that a turn still runs when it is steered."""


async def test_every_example_is_answered_as_it_is_shown(sockets: Path) -> None:
    user = User(sockets)
    requests = {request.name: request for request in REQUESTS}
    bound: dict[str, str] = {}
    async with DemoUpstream(key=method_examples.KEY, pace_s=PACE_S) as upstream:
        address = {"options": {"baseURL": upstream.base_url}}
        user.configure({"provider": {"fastrouter": address, "openrouter": address}})
        progress: list[tuple[str, Any]] = []

        def heard(name: str, params: Any) -> None:
            progress.append((name, params))

        async with spawn(SERVER, on_notification=heard, env=user.env) as client:
            await client.initialize()
            for example in EXAMPLES:
                await make(client, requests[example.method], example, bound, progress)
            await client.shutdown()
    assert {example.method for example in EXAMPLES} == set(requests)


async def make(
    client: Client, request: Any, example: Example, bound: dict[str, str], progress: list[tuple[str, Any]]
) -> None:
    assert set(example.params) <= {known.alias for known in request.params.model_fields.values()}
    params = request.params.model_validate(filled_in(example.params, bound))
    result = (await client.call(request, params)).to_wire()
    assert_shown(example.result, result, bound, example.method)
    values = iter([params["value"] for name, params in progress if name == "$/progress"])
    for event in example.events:
        found = next(value for value in values if value["type"] == event["type"])
        assert_shown(event, found, bound, example.method)


def filled_in(value: Any, bound: dict[str, str]) -> Any:
    """A value of the example, with what answers gave."""
    if isinstance(value, dict):
        return {name: filled_in(inner, bound) for name, inner in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [filled_in(inner, bound) for inner in cast("list[Any]", value)]
    return bound.get(value, value) if isinstance(value, str) else value


def assert_shown(shown: Any, real: Any, bound: dict[str, str], where: str) -> None:
    """That `real` has what the example shows of it; names are bound to what stands there."""
    if shown == "…":
        assert real is not None, where
    elif isinstance(shown, str) and shown.startswith("<"):
        assert bound.setdefault(shown, real) == real, where
    elif isinstance(shown, dict):
        assert isinstance(real, dict), where
        for name, inner in cast("dict[str, Any]", shown).items():
            assert name in real, f"{where}.{name}"
            assert_shown(inner, real[name], bound, f"{where}.{name}")
    elif isinstance(shown, list) and shown:
        for inner in cast("list[Any]", shown):
            assert any(is_shown(inner, one, bound, where) for one in cast("list[Any]", real)), (
                f"{where}: {inner}"
            )
    else:
        assert shown == real, where


def is_shown(shown: Any, real: Any, bound: dict[str, str], where: str) -> bool:
    try:
        assert_shown(shown, real, bound, where)
    except AssertionError:
        return False
    return True


def test_every_code_is_explained() -> None:
    page = error_table.page()
    assert set(error_table.REMEDIES) == set(ErrorCode)
    for code in ErrorCode:
        assert f"| {int(code)} | `{code.kind}` |" in page


def test_every_setting_is_there() -> None:
    page = settings_table.page()
    for key in ("`enabled_providers`", "`baseURL`", "`apiKeyCommand`", "`retention_days`", "`small_model`"):
        assert f"| {key} |" in page
