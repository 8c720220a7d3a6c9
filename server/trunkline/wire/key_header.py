"""How a key travels: the header that an endpoint reads it from."""

from typing import Literal

KeyHeader = Literal["authorization", "x-api-key", "x-goog-api-key", "api-key", "cf-aig-authorization"]
"""The header's name; those that end in `authorization` carry the key behind the word `Bearer`."""


def key_header(name: KeyHeader, key: str) -> dict[str, str]:
    """The header with `key` in it."""
    return {name: f"Bearer {key}" if name.endswith("authorization") else key}
