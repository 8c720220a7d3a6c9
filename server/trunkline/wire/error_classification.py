"""Which of our codes an error of a provider is.

First the provider's own code words, then wording that is known to stand for one cause, then the HTTP status.
"""

import re
from http import HTTPStatus

from trunkline.wire.error_bodies import UpstreamReport
from trunkline_protocol.errors import ErrorCode

_CODE_WORDS: dict[ErrorCode, frozenset[str]] = {
    ErrorCode.AUTH_REJECTED: frozenset(
        {
            "invalid_api_key",
            "missing_api_key",
            "expired_api_key",
            "authentication",
            "authentication_error",
            "invalid_authentication_error",
            "unauthorized",
            "unauthenticated",
        }
    ),
    ErrorCode.AUTH_FORBIDDEN: frozenset(
        {"permission_denied", "permission_error", "insufficient_permissions"}
    ),
    ErrorCode.QUOTA_EXHAUSTED: frozenset(
        {
            "insufficient_quota",
            "quota_exceeded",
            "free_quota_exceeded",
            "insufficient_balance",
            "insufficient_credits",
            "payment_required",
            "billing_error",
            "billing_not_active",
            "billing_hard_limit_reached",
        }
    ),
    ErrorCode.CONTEXT_TOO_LONG: frozenset(
        {
            "context_length_exceeded",
            "exceed_context_size_error",
            "token_limit_exceeded",
            "too_many_prompt_tokens",
        }
    ),
    ErrorCode.MODEL_UNKNOWN: frozenset({"model_not_found", "deploymentnotfound"}),
    ErrorCode.RATE_LIMITED: frozenset(
        {
            "rate_limit_exceeded",
            "rate_limit_error",
            "rate_limited",
            "ratelimitreached",
            "too_many_requests",
            "promotion_model_limit_reached",
        }
    ),
    ErrorCode.UPSTREAM_OVERLOADED: frozenset(
        {
            "provider_overloaded",
            "provider_unavailable",
            "overloaded_error",
            "model_overloaded",
            "server_is_overloaded",
            "unavailable",
            "unavailable_error",
            "insufficient_system_resource",
        }
    ),
    ErrorCode.UPSTREAM_TIMEOUT: frozenset({"timeout", "timeout_error", "deadline_exceeded"}),
    ErrorCode.CONTENT_FILTERED: frozenset(
        {
            "content_policy_violation",
            "content_filter",
            "content_filtered",
            "moderation",
            "image_content_policy_violation",
            "bio_policy",
            "misalignment_policy_violation",
        }
    ),
}
_CODES_BY_WORD = {word: code for code, words in _CODE_WORDS.items() for word in words}

_STATUS_CODES = {
    401: ErrorCode.AUTH_REJECTED,
    402: ErrorCode.QUOTA_EXHAUSTED,
    403: ErrorCode.AUTH_FORBIDDEN,
    408: ErrorCode.UPSTREAM_TIMEOUT,
    413: ErrorCode.CONTEXT_TOO_LONG,
    429: ErrorCode.RATE_LIMITED,
    503: ErrorCode.UPSTREAM_OVERLOADED,
    504: ErrorCode.UPSTREAM_TIMEOUT,
    524: ErrorCode.UPSTREAM_TIMEOUT,
    529: ErrorCode.UPSTREAM_OVERLOADED,
}
_REFUSED_INPUT = frozenset({None, 400, 404, 413, 422, 500})
"""Statuses whose wording is looked at for an unknown model or a prompt that is too long."""

_REFUSAL_WORD = re.compile(
    r"invalid_(?!response)|image_|unsupported_|empty_image|failed_to_download", re.IGNORECASE
)
"""How words begin that blame the request, for errors inside a stream, which have no status."""

_CONTEXT_WORDING = re.compile(
    r"prompt is too long|prompt too long|(?:messages|input|prompt) (?:is|are) too long"
    r"|exceeds? (?:the )?(?:available |maximum )?context (?:window|size|length)|context window exceeds"
    r"|input token count.{0,40} exceeds the maximum|maximum (?:prompt|context) length"
    r"|reduce the length of the messages|greater than the context length|context[ _]length[ _]exceeded",
    re.IGNORECASE | re.DOTALL,
)
_KEY_WORDING = re.compile(
    r"(?:incorrect|invalid|expired|missing|wrong) (?:x-)?api[- _]?key"
    r"|api[- _]?key (?:is |was )?(?:not valid|not found|invalid|incorrect|expired|missing)",
    re.IGNORECASE,
)
_CREDIT_WORDING = re.compile(
    r"credit balance is too low|(?:insufficient|not enough|requires? more|out of) (?:credits?|balance|funds)"
    r"|key limit exceeded",
    re.IGNORECASE,
)
_MODERATION_WORDING = re.compile(
    r"moderation|flagged|content (?:policy|filter)|safety (?:system|filter)", re.IGNORECASE
)
_MODEL_WORDING = re.compile(
    r"\bmodels?\b.{0,150}(?:not exist|not found|n[o']t exist|deprecated|decommissioned|no longer available)"
    r"|not a valid model|(?:unknown|invalid|unsupported) model\b|no such model|no endpoints found for",
    re.IGNORECASE | re.DOTALL,
)


def classify(report: UpstreamReport, status: int | None) -> ErrorCode:
    """The code for what was reported, with the HTTP status if there was one."""
    by_word = (_CODES_BY_WORD.get(word.lower()) for word in report.words)
    by_rule = (*by_word, _by_wording(report, status))
    code = next((code for code in by_rule if code is not None), None)
    if code is None and status is None and any(map(_REFUSAL_WORD.match, report.words)):
        return ErrorCode.UPSTREAM_BAD_REQUEST
    return code if code is not None else _by_status(status)


def _by_wording(report: UpstreamReport, status: int | None) -> ErrorCode | None:
    message = report.message or ""
    if report.moderation or (status == HTTPStatus.FORBIDDEN and _MODERATION_WORDING.search(message)):
        return ErrorCode.CONTENT_FILTERED
    if _CREDIT_WORDING.search(message):
        return ErrorCode.QUOTA_EXHAUSTED
    if status in _REFUSED_INPUT and _CONTEXT_WORDING.search(message):
        return ErrorCode.CONTEXT_TOO_LONG
    if status in {None, 400} and _KEY_WORDING.search(message):
        return ErrorCode.AUTH_REJECTED
    if status in _REFUSED_INPUT and _names_unknown_model(message, status):
        return ErrorCode.MODEL_UNKNOWN
    if status == HTTPStatus.BAD_REQUEST and not message and not report.words:
        return ErrorCode.CONTEXT_TOO_LONG  # Cerebras says nothing else when a prompt is too long.
    return None


def _names_unknown_model(message: str, status: int | None) -> bool:
    anthropic_style = status == HTTPStatus.NOT_FOUND and message.startswith("model:")
    return anthropic_style or bool(_MODEL_WORDING.search(message))


def _by_status(status: int | None) -> ErrorCode:
    if status in _STATUS_CODES:
        return _STATUS_CODES[status]
    if status is not None and status in range(300, 500):
        return ErrorCode.UPSTREAM_BAD_REQUEST
    return ErrorCode.UPSTREAM_ERROR
