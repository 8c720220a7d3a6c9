"""Keys and headers in settings: what may stand there, and that nobody sees it by accident."""

import re
from typing import Annotated, cast

from pydantic import PlainValidator
from pydantic_core import PydanticCustomError

from trunkline.secrets import Secret, usable_key

_HEADER_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
"""A token, RFC 9110, section 5.6.2."""

_RESERVED_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""They belong to one connection (RFC 9110, section 7.6.1) or tell where a message ends and goes."""


def _api_key(value: object) -> Secret | None:
    if value is None:
        return None
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("api_key", "must be text in quotes")
    key = usable_key(value)
    if key is None and value.strip():
        raise PydanticCustomError("api_key", "has a character that no key has, such as a line break")
    return key


def _headers(value: object) -> dict[str, Secret]:
    if not isinstance(value, dict):
        raise PydanticCustomError("headers", "must be an object in braces { }")
    headers: dict[str, tuple[str, Secret]] = {}
    for name, text in cast("dict[str, object]", value).items():
        # Names are the same in any case: what a later file says replaces or removes what an earlier one says.
        headers.pop(name.lower(), None)
        if text is not None:
            headers[name.lower()] = _header_name(name), _header_value(name, text)
    return dict(headers.values())


def _header_name(name: str) -> str:
    if not re.fullmatch(_HEADER_NAME, name):
        raise PydanticCustomError("header_name", "has a name that no HTTP header has")
    if name.lower() in _RESERVED_HEADERS:
        raise PydanticCustomError(
            "header_name", "must not set {name}: it belongs to the connection", {"name": name}
        )
    return name


def _header_value(name: str, value: object) -> Secret:
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("header_value", "must have text in quotes for {name}", {"name": name})
    text = value.strip()
    if not text.isascii() or not text.isprintable():
        raise PydanticCustomError(
            "header_value",
            "has a character in {name} that no header has, such as a line break",
            {"name": name},
        )
    return Secret(text)


ApiKey = Annotated[Secret | None, PlainValidator(_api_key, json_schema_input_type=str | None)]
"""A key; empty text is none."""

Headers = Annotated[dict[str, Secret], PlainValidator(_headers, json_schema_input_type=dict[str, str | None])]
"""Headers by name as written; of two spellings of a name the last one counts, and null removes it."""
