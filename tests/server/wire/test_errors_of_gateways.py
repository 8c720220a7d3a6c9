"""FastRouter, OpenRouter, Kilo and Apertis: every documented error, and what it becomes."""

import pytest

from support.upstream_errors import DATE, Row, error

MIDNIGHT = (("date", DATE), ("retry-after", "59520"))

FASTROUTER = [
    Row(400, error("x", type="invalid_request_error", code="400", status=400), "upstreamBadRequest"),
    Row(401, error("Invalid API key", type="authentication_error", code="401", status=401), "authRejected", hint="auth login acme"),
    Row(402, error("Insufficient credits", type="billing", code="402", status=402), "quotaExhausted", hint="credits"),
    Row(403, error("Your input was flagged by moderation", type="moderation", code="403", status=403), "contentFiltered"),
    Row(429, error("TPM limit reached", type="rate_limit", code="429", status=429), "rateLimited", retryable=True, wait=7000, hint="Wait 7 s", headers=(("retry-after", "7"),)),
    Row(500, error("oops", type="server_error", code="500", status=500), "upstreamError", retryable=True),
    Row(502, error("The model is down", type="model_error", code="502", status=502), "upstreamError", retryable=True),
    Row(400, error("no free variant", type="invalid_request_error", code="free_slug_not_enabled"), "modelUnknown", model="v/m:free", hint="Leave out the `:free`"),
    # Not worth a retry today, and the wait goes to the next midnight (UTC): it is told, not slept.
    Row(429, error("used up", code="free_quota_exceeded", quota_limit=10, quota_used=10, reset_at="2026-10-22T00:00:00Z"), "quotaExhausted", wait=59_520_000, hint="or wait 17 h", headers=MIDNIGHT),
    Row(429, error("used up", code="free_quota_exceeded", quota_limit=10, quota_used=10, reset_at="2026-10-22T00:00:00Z"), "quotaExhausted", wait=59_520_000, headers=(("date", DATE),)),
    Row(500, {"error": "only a text"}, "upstreamError", retryable=True, says="only a text"),
]  # fmt: skip


def openrouter(status: int, error_type: str, kind: str, *, retryable: bool = False) -> Row:
    return Row(
        status,
        error("Provider returned error", code=status, metadata={"error_type": error_type}),
        kind,
        retryable,
    )


OPENROUTER = [
    openrouter(400, "context_length_exceeded", "contextTooLong"),
    openrouter(400, "token_limit_exceeded", "contextTooLong"),
    openrouter(400, "string_too_long", "contextTooLong"),
    openrouter(400, "max_tokens_exceeded", "upstreamBadRequest"),
    openrouter(401, "authentication", "authRejected"),
    openrouter(402, "payment_required", "quotaExhausted"),
    openrouter(403, "permission_denied", "authForbidden"),
    openrouter(403, "content_policy_violation", "contentFiltered"),
    openrouter(400, "refusal", "refused"),
    openrouter(404, "not_found", "upstreamBadRequest"),
    openrouter(400, "invalid_request", "upstreamBadRequest"),
    openrouter(400, "invalid_prompt", "upstreamBadRequest"),
    openrouter(400, "invalid_image", "upstreamBadRequest"),
    openrouter(412, "precondition_failed", "upstreamBadRequest"),
    openrouter(413, "payload_too_large", "contextTooLong"),
    openrouter(422, "unprocessable", "upstreamBadRequest"),
    openrouter(429, "rate_limit_exceeded", "rateLimited", retryable=True),
    openrouter(503, "provider_overloaded", "upstreamOverloaded", retryable=True),
    openrouter(502, "provider_unavailable", "upstreamOverloaded", retryable=True),
    openrouter(500, "server", "upstreamError", retryable=True),
    openrouter(504, "timeout", "upstreamTimeout", retryable=True),
    openrouter(408, "timeout", "upstreamTimeout", retryable=True),
    openrouter(500, "unmapped", "upstreamError", retryable=True),
    openrouter(524, "unmapped", "upstreamTimeout", retryable=True),
    openrouter(529, "unmapped", "upstreamOverloaded", retryable=True),
    # Words where there is no type yet
    Row(401, error("No auth credentials found", code=401), "authRejected"),
    Row(401, error("User not found.", code=401), "authRejected"),
    Row(402, error("This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens, but can only afford 4000.", code=402), "quotaExhausted"),
    Row(429, error("Rate limit exceeded: free-models-per-day.", code=429, metadata={"headers": {"X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1792627200000"}}), "rateLimited", retryable=True, wait=59_520_000, headers=(("date", DATE),)),
    Row(403, error("Key limit exceeded (total limit).", code=403), "quotaExhausted"),
    Row(403, error("Flagged", code=403, metadata={"reasons": ["violence"], "flagged_input": "...", "provider_name": "OpenAI", "model_slug": "x"}), "contentFiltered"),
    Row(400, error("acme/nothing is not a valid model ID", code=400), "modelUnknown"),
    Row(404, error("No endpoints found for acme/nothing.", code=404), "modelUnknown"),
    Row(502, error("Provider returned error", code=502, metadata={"provider_name": "Acme", "raw": '{"error":{"message":"upstream is busy"}}'}), "upstreamError", retryable=True, says="upstream is busy"),
    # Newer: what can be done is said by `availability`
    Row(404, {"error": {"error_type": "not_found", "http_status": 404, "message": "No provider now", "availability": {"code": "no_endpoint", "retryable": True, "retry_after": 3}}}, "upstreamBadRequest", retryable=True),
    Row(503, {"error": {"error_type": "provider_unavailable", "http_status": 503, "message": "x", "availability": {"code": "excluded", "retryable": False}}}, "upstreamOverloaded"),
    Row(503, {"error": {"error_type": "provider_overloaded", "http_status": 503, "message": "x", "availability": {"retryable": True, "retry_after": 3}}}, "upstreamOverloaded", retryable=True, wait=3000),
]  # fmt: skip

KILO = [
    Row(400, {"error": "Bad request", "message": "The body is not JSON"}, "upstreamBadRequest", says="The body is not JSON"),
    Row(404, {"error": "Not found", "message": "Model not found"}, "modelUnknown"),
    Row(429, {"error": "Too many requests", "message": "Free models: 200 an hour"}, "rateLimited", retryable=True),
    Row(503, {"error": "Unavailable", "message": "Try another provider"}, "upstreamOverloaded", retryable=True),
    Row(401, error("Sign in to use this model", code="PAID_MODEL_AUTH_REQUIRED"), "authMissing", hint="auth login acme"),
    Row(401, error("Too many", code="PROMOTION_MODEL_LIMIT_REACHED"), "rateLimited", retryable=True),
    Row(402, error("Add credits", title="Low balance", balance=-0.1, buyCreditsUrl="https://example.com"), "quotaExhausted", says="Add credits"),
]  # fmt: skip

APERTIS = [
    Row(401, error("x", code="invalid_api_key"), "authRejected"),
    Row(401, error("x", code="missing_api_key"), "authMissing"),
    Row(401, error("x", code="expired_api_key"), "authExpired", hint="auth login acme"),
    Row(402, error("x", code="quota_exceeded"), "quotaExhausted"),
    Row(402, error("x", code="insufficient_balance"), "quotaExhausted"),
    Row(404, error("x", code="model_not_found"), "modelUnknown", hint="trunkline models acme"),
    Row(400, error("x", code="context_length_exceeded"), "contextTooLong"),
    Row(429, error("x", code="rate_limit_exceeded"), "rateLimited", retryable=True),
    Row(503, error("x", code="model_overloaded"), "upstreamOverloaded", retryable=True),
    Row(502, error("x", code="upstream_error"), "upstreamError", retryable=True),
    Row(403, b"error code: 1010", "authForbidden", says="1010", hint="User-Agent"),
    Row(403, b"<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head></html>", "authForbidden", hint="User-Agent"),
]  # fmt: skip


@pytest.mark.parametrize("row", FASTROUTER)
def test_fastrouter(row: Row) -> None:
    row.check()


@pytest.mark.parametrize("row", OPENROUTER)
def test_openrouter(row: Row) -> None:
    row.check()


@pytest.mark.parametrize("row", KILO)
def test_kilo(row: Row) -> None:
    row.check()


@pytest.mark.parametrize("row", APERTIS)
def test_apertis(row: Row) -> None:
    row.check()
