"""The code words of providers' errors, and which of our codes each stands for.

Compared without case and punctuation: `rate_limit_exceeded` is `RateLimitExceeded` is `rate-limit-exceeded`.
"""

import re
from collections.abc import Mapping

from trunkline_protocol.errors import ErrorCode

_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]")

_CAUSES: dict[ErrorCode, str] = {
    ErrorCode.AUTH_MISSING: "missing_api_key paid_model_auth_required",
    ErrorCode.AUTH_REJECTED: "invalid_api_key api_key_invalid invalid_authentication_error incorrect_api_key",
    ErrorCode.AUTH_EXPIRED: "expired_api_key api_key_expired token_expired access_token_expired",
    ErrorCode.AUTH_FORBIDDEN: "insufficient_permissions unsupported_country_region_territory"
    " account_deactivated organization_disabled access_terminated consumer_suspended service_disabled"
    " api_key_service_blocked",
    ErrorCode.QUOTA_EXHAUSTED: "insufficient_quota quota_exceeded free_quota_exceeded quota_exhausted"
    " exceeded_current_quota_error insufficient_balance insufficient_credits insufficient_funds"
    " payment_required billing_error billing_not_active billing_disabled billing_hard_limit_reached"
    " credit_limit arrearage allocationquota.freetieronly usage_limit_reached",
    ErrorCode.CONTEXT_TOO_LONG: "context_length_exceeded context_window_exceeded exceed_context_size_error"
    " model_max_prompt_tokens_exceeded token_limit_exceeded too_many_prompt_tokens max_prompt_tokens_exceeded"
    " prompt_too_long request_too_large payload_too_large string_too_long tokens_limit_reached",
    ErrorCode.MODEL_UNKNOWN: "model_not_found unknown_model invalid_model model_not_supported"
    " model_not_available deploymentnotfound free_slug_not_enabled",
    ErrorCode.MODEL_DEPRECATED: "model_decommissioned model_deprecated",
    ErrorCode.RATE_LIMITED: "rate_limit_exceeded rate_limited ratelimitreached rate_limit_reached"
    " rate_limit_reached_error too_many_requests tokens_per_minute_limit_exceeded limit_requests"
    " throttling.ratequota promotion_model_limit_reached",
    ErrorCode.UPSTREAM_OVERLOADED: "provider_overloaded provider_unavailable overloaded_error overloaded"
    " model_overloaded server_is_overloaded engine_overloaded_error slow_down capacity_exceeded"
    " service_unavailable_error service_tier_capacity_exceeded"
    " unavailable_error insufficient_system_resource over_capacity",
    ErrorCode.UPSTREAM_TIMEOUT: "timeout_error request_timeout",
    ErrorCode.CONTENT_FILTERED: "content_policy_violation content_filter content_filtered contentfilter"
    " moderation moderation_blocked image_content_policy_violation responsibleaipolicyviolation"
    " data_inspection_failed bio_policy misalignment_policy_violation",
    ErrorCode.REFUSED: "refusal",
}
"""Words that name one cause."""

_KINDS: dict[ErrorCode, str] = {
    ErrorCode.AUTH_REJECTED: "authentication authentication_error unauthorized unauthenticated",
    ErrorCode.AUTH_FORBIDDEN: "permission_denied permission_error permission_denied_error forbidden",
    ErrorCode.RATE_LIMITED: "rate_limit_error",
    ErrorCode.UPSTREAM_OVERLOADED: "unavailable service_unavailable",
    ErrorCode.UPSTREAM_TIMEOUT: "timeout deadline_exceeded",
    ErrorCode.UPSTREAM_ERROR: "server_error internal_server_error api_error server",
}
"""Words that name a kind of error, about which the message may tell more."""


def _normal(word: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", word.lower())


def _by_word(table: dict[ErrorCode, str]) -> Mapping[str, ErrorCode]:
    return {_normal(word): code for code, words in table.items() for word in words.split()}


_CODE_OF_CAUSE = _by_word(_CAUSES)
_CODE_OF_KIND = _by_word(_KINDS)


def cause_of(words: tuple[str, ...]) -> ErrorCode | None:
    """The code of the first of `words` that names a cause."""
    return _first(words, _CODE_OF_CAUSE)


def kind_of(words: tuple[str, ...]) -> ErrorCode | None:
    """The code of the first of `words` that names a kind."""
    return _first(words, _CODE_OF_KIND)


def _first(words: tuple[str, ...], table: Mapping[str, ErrorCode]) -> ErrorCode | None:
    return next((table[word] for word in map(_normal, words) if word in table), None)
