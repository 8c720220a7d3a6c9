"""What clients are shown of sessions, made from what the log keeps."""

from collections.abc import Sequence
from typing import Any, cast

from trunkline.sessions.log import LoggedEvent, StoredSession, StoredTurn
from trunkline_protocol.base import JsonObject
from trunkline_protocol.session_events import Compaction, Item
from trunkline_protocol.sessions import SessionInfo, Turn

_ENVELOPE = ("sessionId", "epoch", "seq", "ts", "turnId", "itemId", "type")


def event_on_the_wire(
    stored_id: str, epoch: str, event: LoggedEvent, *, seq_from: int | None = None
) -> JsonObject:
    """An event as `session/event` carries it; `seq_from` for a merged delta."""
    values = (stored_id, epoch, event.seq, event.ts, event.turn_id, event.item_id, event.type)
    wire: JsonObject = {
        name: value for name, value in zip(_ENVELOPE, values, strict=True) if value is not None
    }
    if seq_from is not None:
        wire["seqFrom"] = seq_from
    return wire | event.body


def session_info(stored: StoredSession) -> SessionInfo:
    """A session as lists show it."""
    facts = {name: value for name, value in stored.facts.items() if name in _SHOWN_FACTS}
    return SessionInfo.model_validate(
        {
            **facts,
            "sessionId": stored.session_id,
            "title": stored.title,
            "cwd": stored.cwd,
            "state": stored.state,
            "epoch": stored.epoch,
            "headSeq": stored.head_seq,
            "createdAt": stored.created_at,
            "updatedAt": stored.updated_at,
            "turnCount": stored.turn_count,
            "etag": etag_of(stored),
        }
    )


_SHOWN_FACTS = ("model", "system", "options", "usage", "cost", "forkedFrom")
"""Members of `StoredSession.facts`, in the names of `SessionInfo`."""


def etag_of(stored: StoredSession) -> str:
    """Changes with what `session/update` can change."""
    import hashlib
    import json

    changeable = [stored.title, stored.facts.get("model"), stored.facts.get("options")]
    return hashlib.sha256(json.dumps(changeable, sort_keys=True).encode()).hexdigest()[:16]


def turns_of(stored: Sequence[StoredTurn], events: Sequence[LoggedEvent]) -> tuple[Turn, ...]:
    """Turns with the items that are completed; `events` are those of these turns, without deltas."""
    by_turn: dict[str, list[LoggedEvent]] = {turn.turn_id: [] for turn in stored}
    for event in events:
        if event.turn_id in by_turn:
            by_turn[event.turn_id].append(event)
    return tuple(_turn(turn, by_turn[turn.turn_id]) for turn in stored if by_turn[turn.turn_id])


def _turn(stored: StoredTurn, events: Sequence[LoggedEvent]) -> Turn:
    fields: dict[str, Any] = {
        "turnId": stored.turn_id,
        "status": "queued",
        "queuedAt": events[0].ts,
        "items": [item_of(event) for event in events if event.type == "item.completed"],
    }
    for event in events:
        if event.type == "turn.started":
            fields |= {"status": "running", "model": event.body.get("model")}
        elif event.type == "context.compacted":
            fields["compaction"] = compaction_of(event)
        elif event.type == "turn.completed":
            fields |= {**event.body, "completedAt": event.ts}
    return Turn.model_validate(fields)


def item_of(event: LoggedEvent) -> Item:
    """The item of an `item.completed`."""
    return Item.model_validate(cast("JsonObject", event.body["item"]))


def compaction_of(event: LoggedEvent) -> Compaction:
    """The compaction of a `context.compacted`."""
    return Compaction.model_validate(cast("JsonObject", event.body["compaction"]))
