"""What is noted of a chat request once it has ended, and its one line in the log. Never what was said."""

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trunkline_protocol.chat import Timing

if TYPE_CHECKING:
    from trunkline.errors import TrunklineError
    from trunkline_protocol.chat import ChatOptions, ChatStreamParams, Cost, FinishReason, Usage
    from trunkline_protocol.errors import ErrorCode

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRecord:
    """A chat request that has ended, in whatever way."""

    provider_id: str
    model_id: str
    """As the provider names it."""
    url: str | None
    """Where the provider is; none when that was never settled."""
    options: "ChatOptions"
    timing: Timing
    finish_reason: "FinishReason"
    error: "ErrorCode | None" = None
    http_status: int | None = None
    served_model: str | None = None
    response_id: str | None = None
    usage: "Usage | None" = None
    cost: "Cost | None" = None


def never_sent(params: "ChatStreamParams", error: "TrunklineError", total_ms: int) -> ChatRecord:
    """The record of a request that no provider was asked, because of `error`."""
    provider_id, _, model_id = params.model.partition("/")
    return ChatRecord(
        provider_id=provider_id,
        model_id=model_id,
        url=None,
        options=params.options,
        timing=Timing(total_ms=total_ms, attempts=0),
        finish_reason="error",
        error=error.code,
    )


def log_line(record: ChatRecord) -> None:
    """Write the record to the log, as names and values on one line."""
    if logger.isEnabledFor(logging.INFO):
        told = {name: value for name, value in _fields(record).items() if value is not None}
        logger.info("chat %s", " ".join(f"{name}={_word(value)}" for name, value in told.items()))


def _fields(record: ChatRecord) -> "dict[str, str | int | None]":
    usage, cost, timing = record.usage, record.cost, record.timing
    return {
        "provider": record.provider_id,
        "model": record.model_id,
        "served": record.served_model,
        "status": record.http_status,
        "finish": record.finish_reason,
        "code": None if record.error is None else int(record.error),
        "kind": None if record.error is None else record.error.kind,
        "attempts": timing.attempts,
        "queueMs": timing.queue_ms,
        "connectMs": timing.connect_ms,
        "firstByteMs": timing.first_byte_ms,
        "firstEventMs": timing.first_event_ms,
        "totalMs": timing.total_ms,
        "inputTokens": usage and usage.input_tokens,
        "cacheReadTokens": usage and usage.cache_read_tokens,
        "cacheWriteTokens": usage and usage.cache_write_tokens,
        "outputTokens": usage and usage.output_tokens,
        "reasoningTokens": usage and usage.reasoning_tokens,
        "cost": cost and f"{cost.amount:f}",
        "currency": cost and cost.currency,
        "costSource": cost and cost.source,
    }


def _word(value: str | int) -> str:
    """One word of a line: quoted as in JSON where it would not be one, so that no value can forge a field."""
    text = str(value)
    is_plain = text.isascii() and text.isprintable() and not set(' "=') & set(text)
    return text if text and is_plain else json.dumps(text)
