"""The TypeScript types say of every method, field and error what the models say."""

import re

import pytest

from trunkline_protocol import generate
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.methods import NOTIFICATIONS, REQUESTS, SERVER_REQUESTS

TYPES = generate.TYPES.read_text(encoding="utf-8")


def interface(name: str) -> str:
    found = re.search(rf"^export interface {name} \{{\n(.*?)^\}}", TYPES, re.DOTALL | re.MULTILINE)
    assert found, name
    return found[1]


def test_every_method_and_every_error_is_there() -> None:
    asked = "".join(interface(name) for name in ("Requests", "ServerRequests"))
    for request in (*REQUESTS, *SERVER_REQUESTS):
        shapes = f"{{ params: {request.params.__name__}; result: {request.result.__name__} }}"
        assert f'"{request.name}": {shapes};' in asked
    assert all(f'"{notification.name}": ' in interface("Notifications") for notification in NOTIFICATIONS)
    assert all(f"  {code.kind}: {int(code)};" in interface("ErrorCodes") for code in ErrorCode)


def test_every_name_that_is_used_is_declared() -> None:
    declared = set(re.findall(r"^export (?:interface|type) (\w+)", TYPES, re.MULTILINE))
    code = re.sub(r"/\*\*.*?\*/|//[^\n]*|\"[^\"]*\"", "", TYPES, flags=re.DOTALL)
    assert set(re.findall(r"\b[A-Z]\w+", code)) - {"Record"} == declared


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("ChatStreamParams", "model: string;"),
        ("ChatStreamParams", "keyId?: string | null;"),  # a client may send null
        ("ChatStreamParams", "options?: ChatOptions;"),
        ("ChatStreamResult", "message: Message | null;"),  # null where it was streamed
        ("ChatStreamResult", "responseId?: string;"),  # the server leaves out what is absent
        ("Usage", "cacheReadTokens: number;"),  # and sends defaults
        ("TextDelta", 'type: "text.delta";'),  # tells the members of a union apart
        ("ErrorData", "[more: string]: unknown;"),
    ],
)
def test_fields_are_as_they_travel(name: str, line: str) -> None:
    assert f"  {line}\n" in interface(name)
