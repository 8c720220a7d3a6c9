"""What holds for a conversation on every wire: each tool call is answered, nobody gets another's data."""

from collections.abc import Iterable, Iterator, Sequence

from trunkline.wire.adapter import ChatCall
from trunkline_protocol.messages import Message, ProviderData, TextPart, ToolCallPart, ToolResultPart

INTERRUPTED = "The call was interrupted: there is no result."
"""The result of a call that nobody answered."""


def complete_turns(messages: Iterable[Message]) -> tuple[Message, ...]:
    """`messages`, with a result for every tool call right behind the message that makes it.

    A result that comes later moves there; a call that nobody answers, as when the user stopped the turn, gets
    an error for a result. No provider takes conversations with less.
    """
    given = list(messages)
    complete: list[Message] = []
    unanswered: dict[str, None] = {}
    moved: set[int] = set()
    for position, message in enumerate(given):
        if message.role == "tool":
            results = tuple(part for part in message.content if id(part) not in moved)
            unanswered = {call_id: None for call_id in unanswered if call_id not in _answered(results)}
            if results or not message.content:
                complete.append(message.model_copy(update={"content": results}))
            continue
        late = _late_results(unanswered, given[position:]) if unanswered else []
        moved |= set(map(id, late))
        complete += _closing(unanswered, late)
        complete.append(message)
        unanswered = dict.fromkeys(_calls(message))
    return (*complete, *_closing(unanswered, []))


def is_own(data: ProviderData | None, call: ChatCall) -> bool:
    """Whether the model of `call` itself made what `data` came with: to any other it is nothing."""
    return data is not None and (data.provider_id, data.model) == (call.provider_id, call.model)


def _closing(unanswered: Iterable[str], late: list[ToolResultPart]) -> list[Message]:
    by_id = {part.call_id: part for part in late}
    results = tuple(by_id.get(call_id) or _interrupted(call_id) for call_id in unanswered)
    return [Message(role="tool", content=results)] if results else []


def _late_results(unanswered: Iterable[str], rest: Sequence[Message]) -> list[ToolResultPart]:
    """The results in `rest`, each before another call of the same id."""
    wanted = set(unanswered)
    found: list[ToolResultPart] = []
    for message in rest if wanted else ():
        wanted -= set(_calls(message))
        for part in message.content if message.role == "tool" else ():
            if isinstance(part, ToolResultPart) and part.call_id in wanted:
                wanted.remove(part.call_id)
                found.append(part)
    return found


def _calls(message: Message) -> Iterator[str]:
    return (part.call_id for part in message.content if isinstance(part, ToolCallPart))


def _answered(parts: Iterable[object]) -> set[str]:
    return {part.call_id for part in parts if isinstance(part, ToolResultPart)}


def _interrupted(call_id: str) -> ToolResultPart:
    return ToolResultPart(call_id=call_id, content=(TextPart(text=INTERRUPTED),), is_error=True)
