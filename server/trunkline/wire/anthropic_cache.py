"""What the provider is told to keep of a prompt: its beginning and its last turns.

Marked are the last tool, the system prompt and the last two turns, which is the four that the API allows.
"""

from collections.abc import Iterable

from trunkline.wire.json_values import list_in
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import CacheOptions

_MARKABLE = frozenset({"text", "image", "document", "tool_use", "tool_result"})
"""Thinking cannot be marked, and blocks of the provider's own tools go back unchanged."""
_TURNS = 2


def mark(body: JsonObject, cache: CacheOptions) -> None:
    """Puts the marks on the last blocks of `body`'s tools, system prompt and turns."""
    control = {"type": "ephemeral", **({"ttl": cache.ttl} if cache.ttl else {})}
    tools: list[JsonObject] = list_in(body.get("tools"))
    system: list[JsonObject] = list_in(body.get("system"))
    turns: list[JsonObject] = list_in(body.get("messages"))[-_TURNS:]
    ends = [*tools[-1:], *system[-1:], *(end for turn in turns for end in _last_markable(turn["content"]))]
    for end in ends:
        end["cache_control"] = control


def _last_markable(blocks: Iterable[JsonObject]) -> list[JsonObject]:
    return [block for block in blocks if block["type"] in _MARKABLE][-1:]
