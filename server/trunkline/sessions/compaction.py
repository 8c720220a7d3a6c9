"""Shortening a conversation that has become too long for its model: when, and what is kept.

The last turns are kept as they are, what came before is summed up by the model itself. The provider's word on
the length counts where it can be true, an estimate where it cannot; and whatever the numbers say, nothing is
shortened that is not worth it.
"""

from typing import TYPE_CHECKING

from trunkline.errors import TrunklineError
from trunkline.sessions.summary import Summarizer
from trunkline.sessions.transcript import said_in, shortened, transcript
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.session_events import Compaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trunkline.chat.engine import ChatEngine
    from trunkline.sessions.context import Context, ContextTurn
    from trunkline_protocol.chat import ChatOptions, Usage
    from trunkline_protocol.models import ModelInfo

_MOST_RESERVED = 32_000
"""Tokens kept free for an answer, where nobody said how long it may be."""
_KEPT_TURNS = 2
_LEAST_KEPT, _MOST_KEPT = 2000, 8000
"""Tokens. Turns are kept up to a quarter of the room there is, but within these bounds."""
_LEAST_GAIN = 0.1
"""Of the room: if less would be summed up, then it is not the conversation that fills it."""
_LEAST_PLAUSIBLE = 0.25
"""Of the estimate: a provider that counts less has not counted the whole prompt."""
_LONGEST_QUOTE = 4000
"""Characters."""


def needs_compaction(
    context: "Context", info: "ModelInfo", last: "Usage | None", options: "ChatOptions"
) -> bool:
    """Whether the next request would leave too little room for its answer.

    `last` is what the provider counted for the request before, if this model was asked before. A count that
    cannot be true is replaced by an estimate: providers have reported the sum of a whole day. Never for a
    model whose window is unknown, and never when there is nothing new to sum up.
    """
    room = _room(info, options)
    if room <= 0 or _length(context, info, last) < room:
        return False
    turns = context.turns()
    summed_up = turns[: _first_kept(turns, room)]
    return sum(turn.tokens for turn in summed_up) >= _LEAST_GAIN * room


async def compact(
    engine: "ChatEngine", info: "ModelInfo", context: "Context", options: "ChatOptions", client_id: str
) -> Compaction:
    """A summary of what comes before the last turns, made by the model; `context` is left as it is.

    Raises:
        TrunklineError: CONTEXT_TOO_LONG when there is nothing to sum up, or the model does not take even a
            small part of it, or writes no summary; else what the engine raises.
    """
    room = _room(info, options)
    turns = context.turns()
    first = _first_kept(turns, room)
    if first == 0:
        raise TrunklineError(
            ErrorCode.CONTEXT_TOO_LONG,
            "The last message alone is too long for the model.",
            hint="Ask with less in one prompt, or choose a model with a larger context window.",
        )
    summarizer = Summarizer(engine, info, options, client_id, room)
    entries = [transcript(message) for turn in turns[:first] for message in turn.messages]
    summary = await summarizer.sum_up(context.summary, entries)
    if first == len(turns):
        summary += _quoted(turns[-1])
    return Compaction(
        summary=summary,
        first_kept_turn_id=turns[first].turn_id if first < len(turns) else None,
        model=info.model,
        usage=summarizer.spent.usage,
        cost=summarizer.spent.cost,
    )


def _room(info: "ModelInfo", options: "ChatOptions") -> int:
    """Tokens that a prompt may have; 0 or less when the window is unknown.

    Many lists name answers as long as the whole window: none is given more than half of it, and a quarter
    where nobody asked for so long a one.
    """
    window = info.context_window
    if options.max_output_tokens is None:
        answer = min(info.max_output, _MOST_RESERVED, window // 4)
    else:
        answer = min(options.max_output_tokens, window // 2)
    room = window - answer
    if info.max_input is None or info.max_input <= 0:
        return room
    # The answer has its own room there; a tenth is left for what an estimate misses.
    return min(room, info.max_input * 9 // 10)


def _length(context: "Context", info: "ModelInfo", last: "Usage | None") -> float:
    """Tokens of the next prompt: what the provider counted and what has come since, or an estimate."""
    estimated = context.tokens()
    if last is None:
        return estimated
    # Reasoning is not sent back to most models, and is long.
    counted = last.input_tokens + last.output_tokens - last.reasoning_tokens
    length = counted + context.tokens_since_measured()
    is_plausible = counted <= info.context_window and length >= _LEAST_PLAUSIBLE * estimated
    return length if is_plausible else estimated


def _first_kept(turns: "Sequence[ContextTurn]", room: int) -> int:
    """The position of the first turn that is kept: 0 when nothing can be summed up, beyond the last for none.

    A prompt that waits for its answer is kept however long it is: summed up, it would not be answered.
    """
    waits = bool(turns) and not turns[-1].is_answered
    last = len(turns) - 1 if waits else len(turns)
    budget = min(max(room // 4, _LEAST_KEPT), _MOST_KEPT, room // 2)
    budget -= sum(turn.tokens for turn in turns[last:])
    first = last
    while first > 0 and last - first < _KEPT_TURNS and turns[first - 1].tokens <= budget:
        first -= 1
        budget -= turns[first].tokens
    return first or min(1, last)


def _quoted(turn: "ContextTurn") -> str:
    """What the user asked for in a turn that is summed up while it runs: it may not be done yet."""
    asked = said_in(message for message in turn.messages if message.role == "user")
    return f"\n\n# What the user said last, word for word\n{shortened(asked, _LONGEST_QUOTE)}"
