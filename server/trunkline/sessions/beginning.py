"""What is in the log of a session that begins: nothing yet, or a copy of another one's conversation."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from trunkline.errors import TrunklineError
from trunkline.sessions.clock import now
from trunkline.sessions.identifiers import new_id
from trunkline.sessions.log import LoggedEvent, StoredSession, StoredTurn
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from trunkline.sessions.log import SessionLog
    from trunkline_protocol.base import JsonObject
    from trunkline_protocol.sessions import SessionCreateParams, SessionForkParams

Beginning = tuple[StoredSession, list[LoggedEvent]]

_COPIED = {"turn.queued", "turn.started", "item.completed", "context.compacted", "turn.completed"}
"""What a conversation is made of; the rest is about how it came to be."""
_OWN_FACTS = ("usage", "cost")
"""Facts of a session that a copy does not take over: it has cost nothing yet."""
_ALL_TURNS = 1_000_000


def new_session(params: "SessionCreateParams", model: str, *, trusts_cwd: bool) -> Beginning:
    """A session without turns."""
    facts = {
        "model": model,
        "system": params.system,
        "options": params.options.to_wire() or None,
        "trustsCwd": trusts_cwd or None,
    }
    return _begun(params.title, params.cwd, facts, {}, ())


async def forked(log: "SessionLog", params: "SessionForkParams") -> Beginning:
    """A session with the turns of another one that have ended, up to `atTurn`."""
    stored = await log.get(params.session_id)
    turns = [
        turn
        for turn in await log.turns(params.session_id, before=None, limit=_ALL_TURNS)
        if turn.status not in ("queued", "running")
    ]
    if params.at_turn is not None:
        turns = turns[: _position(turns, params.at_turn) + 1]
    turn_ids = [turn.turn_id for turn in turns]
    events = await log.events_of_turns(params.session_id, turn_ids, up_to=stored.head_seq)
    facts = {name: value for name, value in stored.facts.items() if name not in _OWN_FACTS}
    return _begun(
        stored.title,
        stored.cwd,
        facts | {"forkedFrom": stored.session_id},
        {"forkedFrom": stored.session_id},
        _copied(events),
        turn_count=len(turns),
    )


def _begun(
    title: str | None,
    cwd: str | None,
    facts: "JsonObject",
    said: "JsonObject",
    events: Sequence[LoggedEvent],
    *,
    turn_count: int = 0,
) -> Beginning:
    moment = now()
    body = {"model": facts["model"], **({} if title is None else {"title": title}), **said}
    first = LoggedEvent(seq=1, ts=moment, type="session.created", body=body)
    stored = StoredSession(
        session_id=new_id("session"),
        epoch=new_id("epoch"),
        head_seq=1 + len(events),
        oldest_seq=1,
        created_at=moment,
        updated_at=moment,
        title=title,
        cwd=cwd,
        state="idle",
        turn_count=turn_count,
        facts={name: value for name, value in facts.items() if value is not None},
    )
    return stored, [first, *events]


def _position(turns: Sequence[StoredTurn], turn_id: str) -> int:
    for position, turn in enumerate(turns):
        if turn.turn_id == turn_id:
            return position
    raise TrunklineError(
        ErrorCode.TURN_UNKNOWN, "There is no such turn that has ended in this session.", turn_id=turn_id
    )


def _copied(events: Sequence[LoggedEvent]) -> list[LoggedEvent]:
    """The conversation in `events`, numbered from 2, with turns and items of its own."""
    turns = {
        turn_id: new_id("turn") for turn_id in dict.fromkeys(event.turn_id for event in events) if turn_id
    }
    kept: Iterator[LoggedEvent] = (event for event in events if event.type in _COPIED)
    return [_copy(event, seq, turns) for seq, event in enumerate(kept, 2)]


def _copy(event: LoggedEvent, seq: int, turns: Mapping[str, str]) -> LoggedEvent:
    turn_id = turns[event.turn_id or ""]
    item_id = event.item_id and f"{event.item_id}.{turn_id}"
    body = event.body
    if event.type == "turn.queued":
        body = {**body, "requestKey": f"fork-{turn_id}"}
    elif event.type == "item.completed":
        body = {"item": {**body["item"], "turnId": turn_id, "itemId": item_id}}
    elif event.type == "context.compacted":
        compaction = dict(body["compaction"])
        if compaction.get("firstKeptTurnId") in turns:
            compaction["firstKeptTurnId"] = turns[compaction["firstKeptTurnId"]]
        body = {"compaction": compaction}
    return LoggedEvent(seq, event.ts, event.type, body, turn_id, item_id)
