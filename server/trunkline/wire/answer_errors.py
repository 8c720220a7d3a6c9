"""Errors of an answer that came with status 200, the same for every wire format."""

from trunkline.errors import TrunklineError
from trunkline.wire.error_bodies import plain_text
from trunkline_protocol.errors import ErrorCode


def cut_answer(provider_id: str, *, begun: bool, said: str = "") -> TrunklineError:
    """The body ended before the answer did.

    `begun`: whether any of it had come; `said`: words of the provider that may tell why there is no more.
    """
    detail = "Some of it had come." if begun else "Nothing had come."
    return TrunklineError(
        ErrorCode.STREAM_INTERRUPTED,
        f"The answer of {provider_id} ended before it was complete.",
        detail=f"{detail} The provider said: {plain_text(said)}" if said else detail,
        hint="Try again, or choose another model.",
    )


def no_chat_answer(provider_id: str) -> TrunklineError:
    """The body is JSON, but neither an answer nor an error."""
    return TrunklineError(
        ErrorCode.STREAM_MALFORMED,
        f"{provider_id} answered with JSON that is no chat answer.",
        hint="Check the provider's base URL: something else than its API may have answered.",
    )


def unnamed_tool_call() -> TrunklineError:
    """A tool call that ended without a name cannot be answered."""
    return TrunklineError(
        ErrorCode.STREAM_MALFORMED, "The model called a tool without naming it.", hint="Try again."
    )
