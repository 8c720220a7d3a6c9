"""What a request may take: as it says itself, else the provider's section, else `request`, else defaults."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trunkline.chat.retries import MAX_RETRIES
from trunkline.wire.patience import Timeouts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trunkline.config.request_settings import RequestSettings
    from trunkline_protocol.chat import RequestTimeouts

_DEFAULTS = Timeouts()
_FIRST_BYTE_OF_REASONING_S = 300.0
_MAX_ANSWER_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """The limits of one request to one provider."""

    timeouts: Timeouts
    total_s: float | None
    """From the moment the request was accepted."""
    max_retries: int
    max_answer_bytes: int


def request_limits(
    asked: "RequestTimeouts | None", settings: "Sequence[RequestSettings]", *, reasons: bool
) -> RequestLimits:
    """The limits for a request; of `settings`, the first that says something counts."""

    def first(name: str) -> int | bool | None:
        return next((value for one in settings if (value := getattr(one, name)) is not None), None)

    def seconds(own: int | None, name: str, default: float | None) -> float | None:
        value = first(name) if own is None else own
        if value is None:
            return default
        return None if value is False else value / 1000

    first_byte = _FIRST_BYTE_OF_REASONING_S if reasons else _DEFAULTS.first_byte
    retries = first("max_retries")
    return RequestLimits(
        Timeouts(
            connect=seconds(asked and asked.connect_ms, "connect_timeout", _DEFAULTS.connect),
            first_byte=seconds(asked and asked.first_byte_ms, "timeout", first_byte),
            idle=seconds(asked and asked.idle_ms, "chunk_timeout", _DEFAULTS.idle),
            progress=seconds(asked and asked.progress_ms, "progress_timeout", _DEFAULTS.progress),
        ),
        total_s=seconds(asked and asked.total_ms, "total_timeout", None),
        max_retries=MAX_RETRIES if retries is None else retries,
        max_answer_bytes=first("max_answer_bytes") or _MAX_ANSWER_BYTES,
    )
