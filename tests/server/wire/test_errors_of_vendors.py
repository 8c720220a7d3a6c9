"""OpenAI, Azure, Anthropic, Google and other vendors: recorded and documented errors, and what they become."""

import pytest

from support.upstream_errors import Row, error

OPENAI = [
    Row(401, error("Incorrect API key provided: sk-ab***yz.", type="invalid_request_error", code="invalid_api_key"), "authRejected"),
    Row(401, error("Your account has been deactivated.", type="invalid_request_error", code="account_deactivated"), "authForbidden"),
    Row(403, error("Country, region, or territory not supported", code="unsupported_country_region_territory"), "authForbidden"),
    Row(429, error("You exceeded your current quota, please check your plan and billing details.", type="insufficient_quota", code="insufficient_quota"), "quotaExhausted"),
    Row(429, error("Rate limit reached for gpt-5 on requests per min (RPM): Limit 3. Please try again in 20s.", type="requests", code="rate_limit_exceeded"), "rateLimited", retryable=True, wait=20_000),
    Row(429, error("Rate limit reached. Please try again in 1m26.4s.", type="tokens", code="rate_limit_exceeded"), "rateLimited", retryable=True, wait=86_400),
    Row(429, error("Rate limit reached. Please try again in 5 minutes.", code="rate_limit_exceeded"), "rateLimited", retryable=True, wait=300_000),
    Row(429, error("Rate limit reached. Please try again in 432ms.", code="rate_limit_exceeded"), "rateLimited", retryable=True, wait=432),
    Row(404, error("The model `x` does not exist or you do not have access to it.", code="model_not_found"), "modelUnknown"),
    Row(400, error("Invalid prompt: your prompt was flagged as potentially violating our usage policy.", type="invalid_request_error", code="invalid_prompt"), "contentFiltered"),
    Row(400, error("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", code="unsupported_parameter"), "upstreamBadRequest"),
    Row(500, error("The server had an error while processing your request.", type="server_error"), "upstreamError", retryable=True),
    Row(503, error("The engine is currently overloaded", type="server_error"), "upstreamOverloaded", retryable=True),
    Row(503, error("Slow down", code="slow_down"), "upstreamOverloaded", retryable=True),
]  # fmt: skip

AZURE = [
    Row(401, error("Access denied due to invalid subscription key or wrong API endpoint.", code="401"), "authRejected"),
    Row(429, error("Requests have exceeded token rate limit of your current pricing tier. Please retry after 26 seconds.", code="429"), "rateLimited", retryable=True, wait=26_000),
    Row(404, error("The API deployment for this resource does not exist.", type="invalid_request_error", code="DeploymentNotFound"), "modelUnknown"),
    Row(404, error("Resource not found", code="404"), "upstreamBadRequest", hint="baseURL"),
    Row(429, error("Requests have exceeded rate limit.", code="RateLimitReached"), "rateLimited", retryable=True, wait=1000, headers=(("retry-after", "1"), ("retry-after-ms", "0"))),
    Row(429, error("Too Many Requests", code="429"), "rateLimited", retryable=True, wait=30_000, headers=(("retry-after", "30"),)),
    Row(400, error("The response was filtered due to the prompt triggering Azure OpenAI's content management policy.", code="content_filter", innererror={"code": "ResponsibleAIPolicyViolation"}), "contentFiltered"),
]  # fmt: skip


def anthropic(kind: str, message: str = "x") -> dict[str, object]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


ANTHROPIC = [
    Row(400, anthropic("invalid_request_error"), "upstreamBadRequest"),
    Row(400, anthropic("invalid_request_error", "Your credit balance is too low to access the Anthropic API."), "quotaExhausted"),
    Row(400, anthropic("invalid_request_error", "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."), "quotaExhausted"),
    Row(400, anthropic("invalid_request_error", "This organization has been disabled."), "authForbidden"),
    Row(401, anthropic("authentication_error", "invalid x-api-key"), "authRejected"),
    Row(401, anthropic("authentication_error", "OAuth token has expired. Please obtain a new token or refresh your existing token."), "authExpired"),
    Row(402, anthropic("billing_error"), "quotaExhausted"),
    Row(403, anthropic("permission_error"), "authForbidden"),
    Row(404, anthropic("not_found_error", "model: claude-nothing"), "modelUnknown"),
    Row(413, anthropic("request_too_large"), "contextTooLong"),
    Row(429, anthropic("rate_limit_error"), "rateLimited", retryable=True, wait=12_000, headers=(("retry-after", "12"), ("x-should-retry", "true"))),
    Row(429, anthropic("rate_limit_error", "Extra usage is required for long context requests."), "rateLimited", retryable=False, headers=(("x-should-retry", "false"),)),
    Row(500, anthropic("api_error", "Internal server error"), "upstreamError", retryable=True),
    Row(504, anthropic("timeout_error"), "upstreamTimeout", retryable=True),
    Row(529, anthropic("overloaded_error", "Overloaded"), "upstreamOverloaded", retryable=True),
    Row(529, anthropic("api_error", "Overloaded"), "upstreamOverloaded", retryable=True),
]  # fmt: skip


def google(code: int, status: str, message: str, *details: dict[str, object]) -> list[dict[str, object]]:
    return [{"error": {"code": code, "message": message, "status": status, "details": list(details)}}]


def reason(name: str) -> dict[str, object]:
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": name, "domain": "googleapis.com"}


RETRY: dict[str, object] = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.4s"}
GOOGLE = [
    Row(400, google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", reason("API_KEY_INVALID")), "authRejected"),
    Row(400, google(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.", reason("API_KEY_EXPIRED")), "authExpired"),
    Row(400, google(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key."), "authExpired"),
    Row(400, google(400, "INVALID_ARGUMENT", 'Unknown name "x": Cannot find field.'), "upstreamBadRequest"),
    Row(400, google(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), "authForbidden"),
    Row(401, google(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.", reason("ACCESS_TOKEN_EXPIRED")), "authExpired"),
    Row(403, google(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers (callers without established identity)."), "authMissing"),
    Row(403, google(403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key."), "authRejected"),
    Row(403, google(403, "PERMISSION_DENIED", "This API is not enabled.", reason("SERVICE_DISABLED")), "authForbidden"),
    Row(403, google(403, "PERMISSION_DENIED", "Billing is off.", reason("BILLING_DISABLED")), "quotaExhausted"),
    Row(404, google(404, "NOT_FOUND", "models/gemini-nothing is not found for API version v1beta."), "modelUnknown"),
    Row(429, google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", RETRY), "rateLimited", retryable=True, wait=34_400),
    Row(500, google(500, "INTERNAL", "An internal error has occurred."), "upstreamError", retryable=True),
    Row(503, google(503, "UNAVAILABLE", "The model is overloaded. Please try again later."), "upstreamOverloaded", retryable=True),
    Row(504, google(504, "DEADLINE_EXCEEDED", "The request timed out."), "upstreamTimeout", retryable=True),
]  # fmt: skip

OTHERS = [
    # xAI: a bad key is a bad request; credits are a permission
    Row(400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: ab***"}, "authRejected"),
    Row(403, {"code": "The caller does not have permission to execute the specified operation", "error": "Your newly created team doesn't have any credits yet."}, "quotaExhausted"),
    Row(429, {"code": "Some resource has been exhausted", "error": "Your team has either used all available credits or reached its monthly spending limit."}, "quotaExhausted"),
    Row(403, {"code": "The caller does not have permission to execute the specified operation", "error": "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"}, "contentFiltered"),
    Row(404, {"code": "Some requested entity was not found", "error": "The model grok-nothing does not exist or your team does not have access to it."}, "modelUnknown"),
    # DeepSeek
    Row(401, error("Authentication Fails, Your api key: ****-key is invalid", type="authentication_error", code="invalid_request_error"), "authRejected"),
    Row(402, error("Insufficient Balance", type="unknown_error", code="invalid_request_error"), "quotaExhausted"),
    Row(400, error("Model Not Exist", type="invalid_request_error", code="invalid_request_error"), "modelUnknown"),
    Row(503, error("Service is too busy", type="insufficient_system_resource"), "upstreamOverloaded", retryable=True),
    # Mistral
    Row(401, {"detail": "Invalid API Key"}, "authRejected", says="Invalid API Key"),
    Row(400, {"object": "error", "message": "Invalid model: x", "type": "invalid_model", "code": "1500"}, "modelUnknown"),
    Row(422, {"detail": [{"loc": ["body", "messages"], "msg": "Field required", "type": "missing"}]}, "upstreamBadRequest", says="Field required"),
    Row(429, {"object": "error", "message": "Service tier capacity exceeded for this model.", "type": "service_tier_capacity_exceeded", "code": "3505"}, "upstreamOverloaded", retryable=True),
    # Groq
    Row(400, error("The model `x` has been decommissioned and is no longer supported.", code="model_decommissioned"), "modelDeprecated"),
    Row(413, error("Request too large for model on tokens per minute (TPM): Limit 6000, Requested 7000", type="tokens", code="rate_limit_exceeded"), "rateLimited", retryable=True),
    Row(498, error("Flex capacity exceeded", code="capacity_exceeded"), "upstreamOverloaded", retryable=True),
    # MiniMax: numbers in a member of its own
    Row(400, {"base_resp": {"status_code": 2013, "status_msg": "invalid params"}}, "upstreamBadRequest", says="invalid params"),
    Row(401, {"base_resp": {"status_code": 1004, "status_msg": "login fail"}}, "authRejected", says="login fail"),
    Row(500, {"base_resp": {"status_code": 1008, "status_msg": "no more"}}, "quotaExhausted"),
    Row(429, {"base_resp": {"status_code": 1039, "status_msg": "TPM"}}, "rateLimited", retryable=True),
    # Moonshot, Z.ai, Alibaba
    Row(429, error("Your account reached max organization concurrency: 1, please try again after 1 seconds", type="rate_limit_reached_error"), "rateLimited", retryable=True, wait=1000),
    Row(400, error("The system detected potentially unsafe or sensitive content in input or generation.", code="1301"), "contentFiltered"),
    Row(429, error("Your account is suspended, please check your plan and billing details", type="exceeded_current_quota_error"), "quotaExhausted"),
    Row(404, error("Not found the model x or Permission denied", type="resource_not_found_error"), "modelUnknown"),
    Row(429, error("The engine is currently overloaded, please try again later", type="engine_overloaded_error"), "upstreamOverloaded", retryable=True),
    Row(429, error("Insufficient balance or no resource package. Please recharge.", code="1113"), "quotaExhausted"),
    Row(400, error("Access denied, please make sure your account is in good standing.", code="Arrearage"), "quotaExhausted"),
    Row(400, error("Input data may contain inappropriate content.", code="data_inspection_failed"), "contentFiltered"),
    Row(429, error("Requests rate limit exceeded", code="limit_requests"), "rateLimited", retryable=True),
]  # fmt: skip


@pytest.mark.parametrize("row", OPENAI)
def test_openai(row: Row) -> None:
    row.check()


@pytest.mark.parametrize("row", AZURE)
def test_azure(row: Row) -> None:
    row.check()


@pytest.mark.parametrize("row", ANTHROPIC)
def test_anthropic(row: Row) -> None:
    row.check()


@pytest.mark.parametrize("row", GOOGLE)
def test_google(row: Row) -> None:
    row.check()


@pytest.mark.parametrize("row", OTHERS)
def test_other_vendors(row: Row) -> None:
    row.check()
