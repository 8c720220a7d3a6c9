"""The events of a session from one number on, for whoever wants them at its own pace."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from trunkline.sessions.fanout import Fanout
from trunkline.sessions.log import DELTAS, LoggedEvent, SessionLog

_BATCH_EVENTS = 1000
_BATCH_BYTES = 64 * 1024
_MERGED_CHARS = 16 * 1024
"""A delta is not made longer than this."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and the first of those that it stands for."""

    event: LoggedEvent
    seq_from: int


async def follow(
    log: SessionLog, fanout: Fanout, session_id: str, after_seq: int, *, max_latency_s: float = 0.0
) -> AsyncGenerator[Sequence[Told]]:
    """Events after `after_seq`, in order, as many as there are; neighbouring deltas of one item are merged.

    Numbers are left out only where the log has forgotten deltas. Ends when the session is deleted or closed.
    With `max_latency_s` it waits that long for more before it tells what there is.
    """
    while True:
        events = fanout.recent(session_id, after_seq)
        if events is None:
            events = await log.read(session_id, after_seq, limit=_BATCH_EVENTS, max_bytes=_BATCH_BYTES)
        if not events:
            if not await fanout.wait(session_id, after_seq):
                return
            if max_latency_s:
                await asyncio.sleep(max_latency_s)
            continue
        yield list(_merged(events))
        after_seq = events[-1].seq


def _merged(events: Iterable[LoggedEvent]) -> Iterator[Told]:
    """The events, with runs of deltas of the same text as one."""
    run: list[LoggedEvent] = []
    chars = 0
    for event in events:
        if run and (chars > _MERGED_CHARS or not _continues(run[-1], event)):
            yield _one(run)
            run, chars = [], 0
        run.append(event)
        chars += len(event.body.get(_text_of(event), ""))
    if run:
        yield _one(run)


def _continues(last: LoggedEvent, event: LoggedEvent) -> bool:
    return (
        event.type == last.type
        and event.type in DELTAS
        and event.item_id == last.item_id
        and event.seq == last.seq + 1
        and event.body.get("callId") == last.body.get("callId")
    )


def _text_of(event: LoggedEvent) -> str:
    """The member in which a delta has its text."""
    return "argumentsText" if event.type == "toolCall.delta" else "text"


def _one(run: list[LoggedEvent]) -> Told:
    if len(run) == 1:
        return Told(run[0], run[0].seq)
    name = _text_of(run[0])
    text = "".join(event.body[name] for event in run)
    return Told(replace(run[-1], body={**run[-1].body, name: text}), run[0].seq)
