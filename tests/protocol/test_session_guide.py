"""The messages in docs/sessions.md are messages of the protocol."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter

from trunkline_protocol.base import WireModel
from trunkline_protocol.capabilities import ClientTrunkline
from trunkline_protocol.methods import REQUESTS, SERVER_REQUESTS
from trunkline_protocol.session_events import AnySessionEvent

GUIDE = Path(__file__).parents[2] / "docs" / "sessions.md"
EVENT: TypeAdapter[WireModel] = TypeAdapter(AnySessionEvent)
METHODS = {request.name: request for request in (*REQUESTS, *SERVER_REQUESTS)}


def messages() -> Iterator[dict[str, Any]]:
    """Every message of every block of JSON."""
    decoder = json.JSONDecoder()
    for block in re.findall(r"```json\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL):
        rest = block.strip()
        while rest:
            message, end = decoder.raw_decode(rest)
            yield message
            rest = rest[end:].strip()


def leaves(value: Any, path: str = "") -> set[tuple[str, str]]:
    """What a JSON value consists of, each part with the way to it."""
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        inner = cast("dict[str, Any]", value).items()
    elif isinstance(value, list):
        inner = enumerate(cast("list[Any]", value))
    parts = {leaf for name, part in inner for leaf in leaves(part, f"{path}/{name}")}
    return parts or {(path, json.dumps(value))}


def test_every_message_of_the_guide_is_one_of_the_protocol() -> None:
    asked: dict[Any, str] = {}
    seen: list[str] = []
    for message in messages():
        method = message.get("method") or asked[message["id"]]
        seen.append(method)
        if "id" in message:
            asked[message["id"]] = method
        shown: Any = message["params"] if "params" in message else message["result"]
        if method == "initialize":
            shown = shown["capabilities"]["experimental"]["trunkline"]
            model: WireModel = ClientTrunkline.model_validate(shown)
        elif method == "session/event":
            model = EVENT.validate_python(shown)
        elif "params" in message:
            model = METHODS[method].params.model_validate(shown)
        else:
            model = METHODS[method].result.model_validate(shown)
        assert leaves(shown) <= leaves(model.to_wire()), message
    assert {"session/create", "session/prompt", "session/attach", "tool/call", "permission/request"} <= set(
        seen
    )


def test_every_method_of_sessions_is_in_the_guide() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    methods = {method for method in METHODS if method.startswith(("session/", "tool/", "permission/"))}
    assert {method for method in methods if method not in guide} == set()
