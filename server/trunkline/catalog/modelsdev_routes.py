"""Reads from a model's entry in models.dev how it is reached: `provider`, `interleaved` and `id`."""

import re
from collections.abc import Mapping

from trunkline.catalog.route import Route
from trunkline.wire.json_values import object_in, text_in

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_NOT_FOR_A_CATALOGUE = frozenset(
    {
        "api-key",
        "authorization",
        "connection",
        "content-length",
        "cookie",
        "host",
        "proxy-authorization",
        "te",
        "transfer-encoding",
        "upgrade",
        "x-api-key",
        "x-goog-api-key",
    }
)
"""Headers that a document from the network must not set: they carry keys or steer the connection."""


def read_route(model_id: str, entry: Mapping[str, object]) -> Route | None:
    """What the entry says about how the model is reached; None when it says nothing.

    Where `interleaved` is `true`, no field is named: models.dev means "general support" by it, and its models
    are mostly on wires that have their own place for reasoning (Bedrock, Azure's Anthropic, Vercel). A guess
    would put an unknown member into messages of endpoints that refuse those.
    """
    wire_id = text_in(entry.get("id"))
    if "provider" not in entry and "interleaved" not in entry and wire_id in ("", model_id):
        return None
    provider = object_in(entry.get("provider"))
    route = Route(
        npm=text_in(provider.get("npm")) or None,
        api=text_in(provider.get("api")) or None,
        shape=text_in(provider.get("shape")) or None,
        model_id=wire_id if wire_id not in ("", model_id) else None,
        headers=_headers(object_in(provider.get("headers"))),
        body=object_in(provider.get("body")),
        reasoning_field=text_in(object_in(entry.get("interleaved")).get("field")) or None,
    )
    return None if route == _NOTHING else route


def _headers(given: Mapping[str, object]) -> dict[str, str]:
    return {
        name: value
        for name, value in given.items()
        if isinstance(value, str)
        and _HEADER_NAME.fullmatch(name)
        and _HEADER_VALUE.fullmatch(value)
        and name.lower() not in _NOT_FOR_A_CATALOGUE
    }


_NOTHING = Route()
