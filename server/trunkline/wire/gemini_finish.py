"""Why Gemini stopped: its finish reasons as ours, and the errors that some of them are."""

from trunkline.errors import TrunklineError
from trunkline.wire.error_bodies import plain_text
from trunkline.wire.json_values import text_in
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import FinishReason
from trunkline_protocol.errors import ErrorCode

_FINISH_REASONS: dict[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    "SAFETY": "contentFilter",
    "RECITATION": "contentFilter",
    "LANGUAGE": "contentFilter",
    "BLOCKLIST": "contentFilter",
    "PROHIBITED_CONTENT": "contentFilter",
    "SPII": "contentFilter",
    "ESCALATION": "contentFilter",
    "MODEL_ARMOR": "contentFilter",
    "IMAGE_SAFETY": "contentFilter",
    "IMAGE_PROHIBITED_CONTENT": "contentFilter",
    "IMAGE_RECITATION": "contentFilter",
    "IMAGE_OTHER": "contentFilter",
    "NO_IMAGE": "other",
    "OTHER": "other",
}
_ERRORS: dict[str, tuple[ErrorCode, str, str]] = {
    "MALFORMED_FUNCTION_CALL": (
        ErrorCode.UPSTREAM_ERROR,
        "The model called a tool in a form that Google could not read.",
        "Try again, simplify the tool's schema, or choose another model.",
    ),
    "MALFORMED_RESPONSE": (
        ErrorCode.UPSTREAM_ERROR,
        "The model answered in a form that Google could not read.",
        "Try again, or choose another model.",
    ),
    "UNEXPECTED_TOOL_CALL": (
        ErrorCode.UPSTREAM_ERROR,
        "The model called a tool that it was not given.",
        "Try again, or choose another model.",
    ),
    "TOO_MANY_TOOL_CALLS": (
        ErrorCode.UPSTREAM_ERROR,
        "The model called too many tools of the provider in one request.",
        "Ask for less at once, or choose another model.",
    ),
    "MISSING_THOUGHT_SIGNATURE": (
        ErrorCode.UPSTREAM_BAD_REQUEST,
        "The conversation lacks a thought signature that the model had given.",
        "Send assistant messages back unchanged, with their `providerData`.",
    ),
    "PUP_LIMITED_DISABLED": (
        ErrorCode.AUTH_FORBIDDEN,
        "Google has limited or disabled the account for violations of its usage policy.",
        "Use the key of another account, or choose another provider.",
    ),
}
_NAMES_BY_NUMBER = {"1": "STOP", "2": "MAX_TOKENS", "3": "SAFETY", "4": "RECITATION", "5": "OTHER"}
"""An enum as its number, which some clients of Vertex AI record; these are the same in both Google APIs."""


def finish_reason_of(raw: str | None) -> FinishReason:
    """Our word for a finish reason; `other` for those that are not known."""
    name = _NAMES_BY_NUMBER.get(raw or "", raw or "")
    return "error" if name in _ERRORS else _FINISH_REASONS.get(name, "other")


def stopped_by_error(raw: str, finish_message: str, response_id: str | None) -> TrunklineError:
    """The error that a finish reason of the kind `error` is."""
    code, message, hint = _ERRORS[raw]
    return TrunklineError(
        code,
        message,
        hint=hint,
        detail=plain_text(finish_message) or None,
        upstream_code=raw,
        upstream_request_id=response_id,
    )


def prompt_blocked(feedback: JsonObject, provider_id: str, response_id: str | None) -> TrunklineError:
    """The error that a `promptFeedback` with a block reason is."""
    reason = str(feedback["blockReason"])
    return TrunklineError(
        ErrorCode.CONTENT_FILTERED,
        f"{provider_id} refuses to answer the prompt ({reason}).",
        hint="Change the request, or choose another model.",
        detail=plain_text(text_in(feedback.get("blockReasonMessage"))) or None,
        upstream_code=reason,
        upstream_request_id=response_id,
    )
