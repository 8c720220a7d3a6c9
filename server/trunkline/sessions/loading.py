"""A session from its log: what the model is given of it, and the end of what a crash cut off."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from trunkline.sessions.clock import now
from trunkline.sessions.context import Context
from trunkline.sessions.log import LoggedEvent, SessionLog, StoredSession
from trunkline.sessions.message_builder import MessageBuilder
from trunkline.sessions.records import compaction_of, item_of
from trunkline_protocol.session_events import Item

if TYPE_CHECKING:
    from trunkline.sessions.event_stream import EventStream

_PAGE_EVENTS = 2000
_PAGE_BYTES = 4 * 1024 * 1024


async def context_of(log: SessionLog, session_id: str) -> Context:
    """The conversation as the model sees it."""
    context = Context()
    async for event in _events(log, session_id, 0, deltas=False):
        if event.type == "item.completed":
            item = item_of(event)
            context.add(item.turn_id, item.message)
        elif event.type == "context.compacted":
            compaction = compaction_of(event)
            context.compact(compaction.summary, compaction.first_kept_turn_id)
    return context


async def close_interrupted(
    log: SessionLog, stored: StoredSession, stream: "EventStream", context: Context
) -> None:
    """End the turns that were running or waiting when their process ended, with the text so far.

    Adds what came of them to `context`. Does nothing for a session that was left in order.
    """
    if stored.state == "idle":
        return
    open_turns = [
        turn
        for turn in await log.turns(stored.session_id, before=None, limit=_PAGE_EVENTS)
        if turn.status in ("queued", "running")
    ]
    for turn in open_turns:
        if turn.status == "running":
            async for item in _open_items(log, stored.session_id, turn.turn_id, turn.first_seq):
                stream.publish(
                    "item.completed", {"item": item.to_wire()}, turn_id=turn.turn_id, item_id=item.item_id
                )
                context.add(turn.turn_id, item.message)
        stream.publish("turn.completed", {"status": "interrupted"}, turn_id=turn.turn_id)


async def _open_items(log: SessionLog, session_id: str, turn_id: str, first_seq: int) -> AsyncIterator[Item]:
    """The messages of a turn that were begun and not completed."""
    drafts: dict[str, tuple[LoggedEvent, MessageBuilder]] = {}
    async for event in _events(log, session_id, first_seq, deltas=True):
        if event.turn_id != turn_id or event.item_id is None:
            continue
        if event.type == "item.started":
            drafts[event.item_id] = event, MessageBuilder()
        elif event.type == "item.completed":
            drafts.pop(event.item_id, None)
        elif event.item_id in drafts:
            drafts[event.item_id][1].feed(event.type, event.body)
    for item_id, (started, builder) in drafts.items():
        yield Item(
            item_id=item_id,
            turn_id=turn_id,
            message=builder.message(),
            model=started.body["item"].get("model"),
            finish_reason="error",
            created_at=now(),
        )


async def _events(
    log: SessionLog, session_id: str, after_seq: int, *, deltas: bool
) -> AsyncIterator[LoggedEvent]:
    while page := await log.read(
        session_id, after_seq, limit=_PAGE_EVENTS, max_bytes=_PAGE_BYTES, deltas=deltas
    ):
        for event in page:
            yield event
        after_seq = page[-1].seq
