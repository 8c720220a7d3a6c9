"""Which of our codes an error of a provider is.

First the provider's own word for the cause, then wording that is known to stand for one, then the provider's
word for the kind of error, and last the HTTP status.
"""

import re
from http import HTTPStatus

from trunkline.wire.context_overflow import says_too_long
from trunkline.wire.error_bodies import UpstreamReport
from trunkline.wire.error_words import cause_of, kind_of
from trunkline_protocol.errors import ErrorCode

_STATUS_CODES = {
    401: ErrorCode.AUTH_REJECTED,
    402: ErrorCode.QUOTA_EXHAUSTED,
    403: ErrorCode.AUTH_FORBIDDEN,
    408: ErrorCode.UPSTREAM_TIMEOUT,
    413: ErrorCode.CONTEXT_TOO_LONG,
    429: ErrorCode.RATE_LIMITED,
    503: ErrorCode.UPSTREAM_OVERLOADED,
    504: ErrorCode.UPSTREAM_TIMEOUT,
    522: ErrorCode.UPSTREAM_TIMEOUT,
    524: ErrorCode.UPSTREAM_TIMEOUT,
    529: ErrorCode.UPSTREAM_OVERLOADED,
}
_REFUSED_INPUT = frozenset({None, 400, 404, 410, 413, 422, 500})
"""Statuses whose wording is looked at for an unknown model or a prompt that is too long."""
_REFUSED_CONTENT = frozenset({None, 400, 403, 451})
"""Statuses whose wording is looked at for what was flagged."""
_REFUSED_KEY = frozenset({None, 400, 401, 403})
"""Statuses whose wording is looked at for a key."""

_REFUSAL_WORD = re.compile(
    r"invalid_(?!response)|image_|unsupported_|empty_image|failed_to_download|max_tokens_exceeded"
    r"|precondition_failed|unprocessable",
    re.IGNORECASE,
)
"""How words begin that blame the request, for errors inside a stream, which have no status."""

_KEY = r"(?:x-)?(?:api[- _]?key|(?:access |oauth |auth |bearer )token)"
_REJECTED_WORDING = re.compile(
    rf"(?:incorrect|invalid|wrong|malformed) {_KEY}"
    rf"|{_KEY} (?:is |was )?(?:not valid|not found|invalid|incorrect)"
    r"|api[- _]?key[^.]{0,40} is (?:invalid|not valid)|reported as leaked",
    re.IGNORECASE,
)
_EXPIRED_WORDING = re.compile(
    rf"expired {_KEY}|{_KEY} (?:is |was |has )?expired|\b(?:token|jwt) (?:is |has )?expired", re.IGNORECASE
)
_MISSING_WORDING = re.compile(
    rf"missing {_KEY}|{_KEY} (?:is |was )?missing|unregistered callers", re.IGNORECASE
)
_CREDIT_WORDING = re.compile(
    r"credit balance is too low|(?:insufficient|not enough|requires? more|out of|any|all available) "
    r"(?:credits?|balance|funds)|purchase (?:more )?credits|spend(?:ing)? limit|included credits"
    r"|specified api usage limits|key limit exceeded|suspended, please check your plan",
    re.IGNORECASE,
)
_MODERATION_WORDING = re.compile(
    r"moderation|flagged|content (?:management )?(?:policy|filter)|safety (?:system|filter)"
    r"|violat\w+ (?:our |the )?usage (?:guidelines|polic)|(?:inappropriate|sensitive) content",
    re.IGNORECASE,
)
_FORBIDDEN_WORDING = re.compile(
    r"(?:location|region|country|territory)[^.]{0,40} not supported"
    r"|(?:organization|account|project) (?:has been |is )(?:disabled|deactivated|suspended)",
    re.IGNORECASE,
)
_MODEL_WORDING = re.compile(
    r"\bmodels?\b.{0,150}(?:not exist|not found|n[o']t exist)|not found the model|no longer available"
    r"|not a valid model|(?:unknown|invalid|unsupported) model\b|no such model|no endpoints found for"
    r"|model identifier is invalid|requested model is not supported",
    re.IGNORECASE | re.DOTALL,
)
_RETIRED_WORDING = re.compile(
    r"\bmodels?\b.{0,100}\b(?:is|was|been) (?:deprecated|decommissioned|retired|shut down|discontinued)",
    re.IGNORECASE | re.DOTALL,
)


_NOTHING = UpstreamReport()


def classify(report: UpstreamReport, status: int | None) -> ErrorCode:
    """The code for what was reported, with the HTTP status if there was one."""
    if status == HTTPStatus.PAYMENT_REQUIRED:
        return ErrorCode.QUOTA_EXHAUSTED
    code = cause_of(report.words) or _by_wording(report, status) or kind_of(report.words)
    if code is None and status is None and any(map(_REFUSAL_WORD.match, report.words)):
        return ErrorCode.UPSTREAM_BAD_REQUEST
    return _by_status(status) if code is None or _is_vaguer(code, status) else code


def _is_vaguer(code: ErrorCode, status: int | None) -> bool:
    """Whether the kind says less than the status: "api_error" with 529 is an overload."""
    return code is ErrorCode.UPSTREAM_ERROR and status in _STATUS_CODES


def _by_wording(report: UpstreamReport, status: int | None) -> ErrorCode | None:
    message = report.message or ""
    if report.moderation or (status in _REFUSED_CONTENT and _MODERATION_WORDING.search(message)):
        return ErrorCode.CONTENT_FILTERED
    if _CREDIT_WORDING.search(message):
        return ErrorCode.QUOTA_EXHAUSTED
    if status in _REFUSED_INPUT and says_too_long(message):
        return ErrorCode.CONTEXT_TOO_LONG
    code = _about_the_key(message, status) or _about_the_model(message, status)
    if code is None and status == HTTPStatus.BAD_REQUEST and report == _NOTHING:
        return ErrorCode.CONTEXT_TOO_LONG  # Cerebras says nothing else when a prompt is too long.
    return code


def _about_the_key(message: str, status: int | None) -> ErrorCode | None:
    if status not in _REFUSED_KEY:
        return None
    if _EXPIRED_WORDING.search(message):
        return ErrorCode.AUTH_EXPIRED
    if _REJECTED_WORDING.search(message):
        return ErrorCode.AUTH_REJECTED
    if status != HTTPStatus.UNAUTHORIZED and _MISSING_WORDING.search(message):
        return ErrorCode.AUTH_MISSING
    return ErrorCode.AUTH_FORBIDDEN if _FORBIDDEN_WORDING.search(message) else None


def _about_the_model(message: str, status: int | None) -> ErrorCode | None:
    if status not in _REFUSED_INPUT:
        return None
    anthropic_style = status == HTTPStatus.NOT_FOUND and message.startswith("model:")
    if anthropic_style or _MODEL_WORDING.search(message):
        return ErrorCode.MODEL_UNKNOWN
    return ErrorCode.MODEL_DEPRECATED if _RETIRED_WORDING.search(message) else None


def _by_status(status: int | None) -> ErrorCode:
    if status in _STATUS_CODES:
        return _STATUS_CODES[status]
    if status is not None and status in range(300, 500):
        return ErrorCode.UPSTREAM_BAD_REQUEST
    return ErrorCode.UPSTREAM_ERROR
