"""What is noted of a chat request once it has ended, and its one line in the log. Never what was said."""

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trunkline_protocol.chat import ChatOptions, Cost, FinishReason, Usage
    from trunkline_protocol.errors import ErrorCode

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRecord:
    """A chat request that has ended, in whatever way. Times are milliseconds since it was accepted."""

    provider_id: str
    model_id: str
    """As the provider names it."""
    url: str
    """Where the provider is."""
    options: "ChatOptions"
    started_ns: int
    """When it was accepted, in nanoseconds since 1970."""
    total_ms: int
    finish_reason: "FinishReason | None" = None
    """None when it ended with an error."""
    error: "ErrorCode | None" = None
    http_status: int | None = None
    served_model: str | None = None
    response_id: str | None = None
    usage: "Usage | None" = None
    cost: "Cost | None" = None
    retries: int = 0
    queue_ms: int | None = None
    """Until it was its turn."""
    connect_ms: int | None = None
    """Until there was a connection."""
    first_byte_ms: int | None = None
    """Until the provider answered."""
    first_token_ms: int | None = None
    """Until the first text, reasoning or tool call."""


def log_line(record: ChatRecord) -> None:
    """Write the record to the log, as names and values on one line."""
    if logger.isEnabledFor(logging.INFO):
        told = {name: value for name, value in _fields(record).items() if value is not None}
        logger.info("chat %s", " ".join(f"{name}={_word(value)}" for name, value in told.items()))


def _fields(record: ChatRecord) -> "dict[str, str | int | None]":
    usage, cost = record.usage, record.cost
    return {
        "provider": record.provider_id,
        "model": record.model_id,
        "served": record.served_model,
        "status": record.http_status,
        "finish": record.finish_reason,
        "code": None if record.error is None else int(record.error),
        "kind": None if record.error is None else record.error.kind,
        "retries": record.retries,
        "queueMs": record.queue_ms,
        "connectMs": record.connect_ms,
        "firstByteMs": record.first_byte_ms,
        "firstTokenMs": record.first_token_ms,
        "totalMs": record.total_ms,
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
