"""Marks that tell an endpoint which part of a prompt a model shall keep.

Anthropic takes four at most: the beginning of the conversation is marked and its last turns, so that the next
request finds what this one has put in.
"""

from typing import Literal

from trunkline.wire.json_values import object_in, text_in
from trunkline_protocol.base import JsonObject

_SYSTEM_MARKS = 2
_TURN_MARKS = 2


def mark_for_cache(messages: list[JsonObject], ttl: Literal["5m", "1h"] | None) -> None:
    """Marks, in place, the last content part of the first two system messages and of the last two others."""
    markable = [message for message in messages if message.get("content")]
    system = [message for message in markable if message["role"] == "system"]
    others = [message for message in markable if message["role"] != "system"]
    mark: JsonObject = {"type": "ephemeral"} | ({"ttl": ttl} if ttl else {})
    for message in (*system[:_SYSTEM_MARKS], *others[-_TURN_MARKS:]):
        content = message["content"]
        parts = [{"type": "text", "text": text_in(content)}] if isinstance(content, str) else content
        message["content"] = [*parts[:-1], {**object_in(parts[-1]), "cache_control": mark}]
