"""JSON and times as the database keeps them.

Bodies are BLOBs of JSON: the bytes as they are, so that their length is the number of bytes that a client
will get.
"""

import json
from datetime import UTC, datetime
from typing import cast

from pydantic_core import from_json, to_json

from trunkline_protocol.base import JsonObject


def packed(body: JsonObject) -> bytes:
    """A body as JSON. Half a surrogate pair, which no UTF-8 can hold, is written as an escape."""
    try:
        return to_json(body)
    except ValueError:
        return json.dumps(body, separators=(",", ":")).encode()


def unpacked(data: bytes) -> JsonObject:
    """The body again.

    Raises:
        ValueError: it is damaged.
    """
    try:
        body = from_json(data)
    except ValueError:
        body = json.loads(data)  # reads the escapes that the quicker one refuses
    if not isinstance(body, dict):
        raise ValueError("not an object")  # noqa: TRY004 - the same fault as text that is no JSON
    return cast("JsonObject", body)


def packed_time(ts: str) -> int | str:
    """Milliseconds since 1970, a quarter of the room; a time in any other form than ours stays as it is."""
    try:
        milliseconds = round(datetime.fromisoformat(ts).timestamp() * 1000)
    except ValueError:
        return ts
    return milliseconds if unpacked_time(milliseconds) == ts else ts


def unpacked_time(value: int | str) -> str:
    """RFC 3339 again."""
    if isinstance(value, str):
        return value
    return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
