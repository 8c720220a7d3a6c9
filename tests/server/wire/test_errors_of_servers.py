"""Servers on this machine, hubs, and what stands before a provider: their errors, and what they become."""

import pytest

from support.upstream_errors import Row, error

ROWS = [
    # llama.cpp while it loads; Ollama; vLLM; GPUStack; LM Studio
    Row(503, {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}, "upstreamOverloaded", retryable=True),
    Row(404, {"error": "model 'nothing' not found"}, "modelUnknown"),
    Row(404, {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404}, "modelUnknown"),
    Row(404, {"code": 404, "reason": "NotFound", "message": "Model not found"}, "modelUnknown"),
    Row(500, {"detail": None, "error": {"message": "failed to decode, try again"}}, "upstreamError", retryable=True, says="failed to decode"),
    Row(401, {"error": {"message": "Invalid API Key", "type": "authentication_error", "code": 401}}, "authRejected"),
    # Hugging Face: a text, a list of texts, what the provider behind it says
    Row(401, {"error": "Invalid username or password."}, "authRejected"),
    Row(402, {"error": "You have exceeded your monthly included credits for Inference Providers."}, "quotaExhausted"),
    Row(422, {"error": ["Error in `parameters`", "Error in `inputs`"]}, "upstreamBadRequest", says="Error in `parameters`; Error in `inputs`"),
    Row(400, {"error": {"message": "The requested model 'x' is not supported", "code": "model_not_supported"}}, "modelUnknown"),
    # Cloudflare: its Workers' shape, its statuses, its pages
    Row(401, {"success": False, "errors": [{"code": 10000, "message": "Authentication error"}], "result": None}, "authRejected", says="Authentication error"),
    Row(429, {"success": False, "errors": [{"code": 3036, "message": "You have used up your daily free allocation"}]}, "rateLimited", retryable=True, says="daily free"),
    Row(520, b"error code: 520", "upstreamError", retryable=True),
    Row(521, b"error code: 521", "upstreamError", retryable=True),
    Row(522, b"error code: 522", "upstreamTimeout", retryable=True),
    Row(524, b"error code: 524", "upstreamTimeout", retryable=True),
    # FastAPI with an object of its own; RFC 9457
    Row(404, {"detail": {"error": "model not found"}}, "modelUnknown", says="model not found"),
    Row(400, {"type": "about:blank", "title": "Bad", "status": 400, "detail": "A field is missing"}, "upstreamBadRequest", says="A field is missing"),
    # NestJS; new-api; AWS; Baidu
    Row(400, {"statusCode": 400, "message": ["model is empty", "n is no number"], "error": "Bad Request"}, "upstreamBadRequest", says="model is empty; n is no number"),
    Row(400, {"code": 400, "msg": "bad parameter", "data": None}, "upstreamBadRequest", says="bad parameter"),
    Row(400, {"code": 400, "data": None}, "upstreamBadRequest"),
    Row(403, {"Message": "User is not authorized to perform bedrock:InvokeModel"}, "authForbidden", says="InvokeModel"),
    Row(500, {"error_code": 336100, "error_msg": "try again"}, "upstreamError", retryable=True, says="try again"),
    # An event of a stream instead of JSON
    Row(429, b'data: {"error":{"message":"used up","code":"insufficient_quota"}}\n\ndata: [DONE]\n\n', "quotaExhausted", says="used up"),
    Row(529, b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n', "upstreamOverloaded", retryable=True, says="busy"),
    Row(500, b"data: nothing\n\n", "upstreamError", retryable=True, says="nothing"),
    # Nothing that speaks the format
    Row(404, b"404 page not found", "upstreamBadRequest", hint="baseURL"),
    Row(405, {"detail": "Method Not Allowed"}, "upstreamBadRequest"),
    Row(301, b"", "upstreamBadRequest", hint="baseURL"),
    Row(502, b"<html><head><title>502 Bad Gateway</title></head></html>", "upstreamError", retryable=True, says="502 Bad Gateway"),
    Row(503, b"", "upstreamOverloaded", retryable=True),
    # The provider says whether to try again
    Row(409, error("locked"), "upstreamBadRequest", retryable=True, headers=(("x-should-retry", "true"),)),
    Row(409, error("locked"), "upstreamBadRequest", headers=(("x-should-retry", "false"),)),
    # or says nothing, where the vendors' own clients do
    Row(409, error("locked"), "upstreamBadRequest", retryable=True),
    Row(425, error("too early"), "upstreamBadRequest", retryable=True),
    Row(500, error("x"), "upstreamError", headers=(("x-should-retry", "false"),)),
    Row(401, error("x"), "authRejected", headers=(("x-should-retry", "true"),)),
    # Words in whatever spelling
    Row(400, error("x", code="RateLimitExceeded"), "rateLimited", retryable=True),
    Row(400, error("x", code="insufficient-quota"), "quotaExhausted"),
    Row(400, error("x", type="Content Filter"), "contentFiltered"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_servers_hubs_and_proxies(row: Row) -> None:
    row.check()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "Wait 1 s "),
        (120, "Wait 120 s "),
        (121, "Wait 3 min "),
        (7200, "Wait 120 min "),
        (7201, "Wait 3 h "),
    ],
)
def test_a_wait_is_told_as_people_tell_it(seconds: int, said: str) -> None:
    headers = (("retry-after", str(seconds)),)
    Row(429, b"", "rateLimited", retryable=True, wait=seconds * 1000, hint=said, headers=headers).check()
