"""The turns that one answer holds, for snapshots and `session/read`: the last ones, as far as they fit."""

from typing import TYPE_CHECKING

from trunkline.sessions.records import turns_of

if TYPE_CHECKING:
    from trunkline.sessions.log import LoggedEvent, SessionLog, StoredSession
    from trunkline_protocol.sessions import Turn


async def last_turns(
    log: "SessionLog",
    stored: "StoredSession",
    *,
    before: str | None = None,
    most: int,
    max_bytes: int,
    least: int = 0,
) -> "tuple[tuple[Turn, ...], bool]":
    """At most `most` turns before `before`, oldest first, and whether there are earlier ones.

    They are not longer than about `max_bytes` of JSON, but `least` of them are there however long they are.
    """
    turns = await log.turns(stored.session_id, before=before, limit=most + 1) if most else ()
    has_more = len(turns) > most
    shown: list[Turn] = []
    size = 0
    for turn in reversed(turns[-most:] if most else ()):
        events = await log.events_of_turns(stored.session_id, [turn.turn_id], up_to=stored.head_seq)
        size += sum(map(_size_of, events))
        if size > max_bytes and len(shown) >= least:
            has_more = True
            break
        shown = [*turns_of([turn], events), *shown]
    return tuple(shown), has_more


def _size_of(event: "LoggedEvent") -> int:
    from pydantic_core import to_json

    return len(to_json(event.body))
