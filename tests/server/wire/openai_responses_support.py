"""What the tests of the Responses wire share: events of a stream, and decoding them."""

import json
from typing import Any

from wire_support import Outcome, decode, splits

Event = dict[str, Any]


def event(name: str, **members: Any) -> Event:
    return {"type": name, **members}


def created(**members: Any) -> Event:
    response: Event = {"id": "resp_1", "model": "model-2", "status": "in_progress", "output": [], **members}
    return event("response.created", response=response)


def completed(status: str = "completed", **members: Any) -> Event:
    return event(f"response.{status}", response={"id": "resp_1", "status": status, "output": [], **members})


def added(index: int | None, **item: Any) -> Event:
    return at(index, event("response.output_item.added", item=item))


def done(index: int | None, **item: Any) -> Event:
    return at(index, event("response.output_item.done", item=item))


def text_delta(text: str, index: int | None = 0, **members: Any) -> Event:
    return at(index, event("response.output_text.delta", delta=text, content_index=0, **members))


def message_item(*texts: str, **members: Any) -> Event:
    content: list[Event] = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    return {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": content,
        **members,
    }


def call_item(arguments: str = '{"a":1}', **members: Any) -> Event:
    return {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": "look",
        "arguments": arguments,
        **members,
    }


def at(index: int | None, value: Event) -> Event:
    return value if index is None else {**value, "output_index": index}


def body(*events: Event | str, names: bool = True) -> bytes:
    """An SSE body; `names`: with the `event:` line that OpenAI sends."""
    lines: list[str] = []
    for one in events:
        if isinstance(one, str):
            lines.append(one)
        else:
            lines.append(
                f"event: {one['type']}\ndata: {json.dumps(one)}" if names else f"data: {json.dumps(one)}"
            )
    return "".join(f"{line}\n\n" for line in lines).encode()


def answer(*events: Event | str, names: bool = True) -> Outcome:
    """What the stream gives, which must not depend on how its bytes arrive."""
    data = body(*events, names=names)
    outcomes = [decode(pieces, "openai-responses") for pieces in splits(data, seed=len(data)).values()]
    for outcome in outcomes:
        assert outcome.events == outcomes[0].events
        assert outcome.decoder.message == outcomes[0].decoder.message
        assert str(outcome.error) == str(outcomes[0].error)
    return outcomes[0]


def whole(value: object) -> Outcome:
    return decode([json.dumps(value).encode()], "openai-responses")


def kept(part: Any) -> Any:
    assert part.provider_data is not None
    assert (part.provider_data.provider_id, part.provider_data.model) == ("gateway", "gateway/vendor/model")
    return part.provider_data.data["item"]
