"""A prompt that is too long, in the words of every provider and server that is known, with the sizes it names."""

import json
from typing import Any

import pytest

from trunkline.errors import describe
from trunkline.wire.upstream_errors import error_from_answer, error_from_payload
from trunkline_protocol.errors import ErrorCode, ErrorData


def refused(status: int, body: Any) -> ErrorData:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return describe(error_from_answer(status, {}, raw, provider_id="p", model_id="m")).data


def openai(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", **fields}}


TOO_LONG = [
    # Anthropic
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 213462 tokens > 200000 maximum"}}, 200000, 213462),
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens` and try again"}}, 200000, 209573),
    (413, {"type": "error", "error": {"type": "request_too_large", "message": "Request exceeds the maximum size"}}, None, None),
    # OpenAI: three generations of the same sentence
    (400, openai("This model's maximum context length is 8192 tokens. However, your messages resulted in 10203 tokens. Please reduce the length of the messages.", code="context_length_exceeded"), 8192, 10203),
    (400, openai("This model's maximum context length is 4097 tokens, however you requested 5000 tokens (1000 in your prompt; 4000 for the completion). Please reduce your prompt; or completion length."), 4097, 5000),
    (400, openai("Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300123 tokens. Please reduce the length of the messages.", code="context_length_exceeded"), 272000, 300123),
    (400, openai("Your input exceeds the context window of this model. Please adjust your input and try again."), None, None),
    # Google, with the numbers in brackets and without
    (400, {"error": {"code": 400, "message": "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).", "status": "INVALID_ARGUMENT"}}, 1048575, 1196265),
    (400, {"error": {"code": 400, "message": "The input token count exceeds the maximum number of tokens allowed 1048576.", "status": "INVALID_ARGUMENT"}}, 1048576, None),
    # xAI, Groq, DeepSeek, Mistral
    (400, {"code": "Client specified an invalid argument", "error": "This model's maximum prompt length is 131072 but the request contains 537812 tokens."}, 131072, 537812),
    (400, {"code": "Client specified an invalid argument", "error": "This model's maximum prompt length is 131072"}, 131072, None),
    (400, openai("Please reduce the length of the messages or completion.", param="messages"), None, None),
    (400, openai("This model's maximum context length is 65536 tokens. However, you requested 70001 tokens (66001 in the messages, 4000 in the completion). Please reduce the length of the messages or completion."), 65536, 70001),
    (400, {"object": "error", "message": "Prompt contains 65673 tokens and 0 draft tokens, too large for model with 32768 maximum context length", "type": "invalid_request_error", "code": "3051"}, 32768, 65673),
    # OpenRouter: the words, and its own type
    (400, {"error": {"code": 400, "message": "This endpoint's maximum context length is 200000 tokens. However, you requested about 2500021 tokens (2500021 of text input). Please reduce the length of either one."}}, 200000, 2500021),
    (400, {"error": {"code": 400, "message": "Provider returned error", "metadata": {"error_type": "context_length_exceeded"}}}, None, None),
    (400, {"error": {"code": 400, "message": "Provider returned error", "metadata": {"raw": '{"error":{"message":"prompt is too long: 12 tokens > 10 maximum"}}'}}}, 10, 12),
    # llama.cpp, old and new; Ollama cloud; LM Studio
    (400, {"error": {"code": 400, "message": "the request exceeds the available context size, try increasing it", "type": "exceed_context_size_error", "n_prompt_tokens": 5210, "n_ctx": 4096}}, 4096, 5210),
    (400, {"error": {"code": 400, "message": "request (5210 tokens) exceeds the available context size (4096 tokens), try increasing it"}}, 4096, 5210),
    (400, openai("prompt too long; exceeded max context length by 1119046 tokens"), None, None),
    (400, {"error": "The number of tokens to keep from the initial prompt is greater than the context length. Try to load the model with a larger context length."}, None, None),
    (400, {"error": "Trying to keep the first 12000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough."}, 4096, 12000),
    # Perplexity, Cerebras (nothing at all), Cohere, Moonshot, MiniMax, Alibaba, Z.ai, Fireworks, Bedrock
    (400, {"error": {"message": "The total length of all messages is too long.", "type": "too_many_prompt_tokens", "code": 400}}, None, None),
    (400, b"", None, None),
    (413, b"", None, None),
    (400, {"message": "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4389. Try using a shorter prompt"}, 4081, 4389),
    (400, {"error": {"message": "Invalid request: Your request exceeded model token limit: 131072 (requested: 200001)", "type": "invalid_request_error"}}, 131072, 200001),
    (400, openai("invalid params, context window exceeds limit (2013)"), None, None),
    (400, {"error": {"code": "InvalidParameter", "message": "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]"}}, 30720, None),
    (400, {"error": {"code": "1261", "message": "Prompt exceeds max length"}}, None, None),
    (400, openai("The prompt is too long: 140000, model maximum context length: 131071"), 131071, 140000),
    (400, {"message": "Input is too long for requested model."}, None, None),
    # vLLM, old and new; SGLang; Text Generation Inference; Copilot; Cloudflare
    (400, {"object": "error", "message": "The decoder prompt (length 5000) is longer than the maximum model length of 4096.", "type": "BadRequestError", "code": 400}, 4096, 5000),
    (400, {"error": {"message": "You passed 5000 input tokens and requested 100 output tokens. However, the model's context length is only 4096 tokens, resulting in a maximum input length of 3996 tokens.", "code": 400}}, 4096, 5000),
    (400, {"object": "error", "message": "The input (5000 tokens) is longer than the model's context length (4096 tokens)."}, 4096, 5000),
    (422, {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 100 `max_new_tokens`", "error_type": "validation"}, 4096, 5000),
    (400, openai("prompt token count of 128001 exceeds the limit of 64000", code="model_max_prompt_tokens_exceeded"), 64000, 128001),
    (400, {"errors": [{"message": "AiError: The estimated number of input and maximum output tokens (8001) exceeded this model context window limit (4096).", "code": 5021}], "success": False}, 4096, 8001),
    # Vertex; Cerebras when it speaks; vLLM's engine; NVIDIA; GitHub Models; an older Alibaba
    (400, {"error": {"code": 400, "message": "Unable to submit request because the input token count is 1200000 but model only supports up to 1048576. Reduce the input token count and try again.", "status": "INVALID_ARGUMENT"}}, 1048576, 1200000),
    (400, {"message": "Please reduce the length of the messages or completion. Current length is 8240 while limit is 8192", "type": "invalid_request_error", "code": "context_length_exceeded"}, 8192, 8240),
    (400, openai("The engine prompt length 1322246 exceeds the max_model_len 32768. Please reduce prompt."), 32768, 1322246),
    (400, openai("Requested generation length 1 is not possible! The provided prompt is 9000 tokens long, so generating 1 tokens requires a sequence length of 9001, but the maximum supported sequence length is just 8192!"), 8192, 9000),
    (413, openai("Request body too large for gpt-4.1 model. Max size: 8000 tokens.", code="tokens_limit_reached"), 8000, None),
    (400, openai("Total message token length exceed model limit (8192 tokens)"), 8192, None),
    # With marks between the thousands
    (400, openai("This model's maximum context length is 8,192 tokens. However, your messages resulted in 10,203 tokens."), 8192, 10203),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "limit", "actual"), TOO_LONG)
def test_a_prompt_that_is_too_long(status: int, body: Any, limit: int | None, actual: int | None) -> None:
    data = refused(status, body)
    assert data.kind == "contextTooLong"
    assert (data.limit, data.actual) == (limit, actual)
    assert data.retryable is False
    assert "Shorten" in (data.hint or "")


@pytest.mark.parametrize(
    "message",
    [
        "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for claude-sonnet-4-5",
        "max_tokens is too large: 50000. This model supports at most 16384 completion tokens, whereas you provided 50000.",
        "The number of completion tokens provided exceeds the model's limit of 4096.",
        "Invalid 'tools[0].function.name': string too long. Expected a string with maximum length 64, but got a string with length 70 instead.",
        "Image exceeds 5 MB maximum: 6291456 bytes > 5242880 bytes",
        "Please use a valid role: user, model.",
        "messages: at least one message is required",
    ],
)
def test_other_sizes_and_limits_are_something_else(message: str) -> None:
    data = refused(400, openai(message))
    assert (data.kind, data.limit, data.actual) == ("upstreamBadRequest", None, None)


@pytest.mark.parametrize("status", [401, 403, 429, 503])
def test_the_words_count_where_the_status_may_mean_the_prompt(status: int) -> None:
    assert (
        refused(status, openai("Too many tokens, please wait before trying again.")).kind != "contextTooLong"
    )


def test_inside_a_stream_it_is_the_same() -> None:
    payload = {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "prompt is too long: 12 tokens > 10 maximum"},
    }
    error = error_from_payload(payload, provider_id="p", model_id="m")
    assert error.code is ErrorCode.CONTEXT_TOO_LONG
    assert (error.fields.get("limit"), error.fields.get("actual")) == (10, 12)


def test_too_many_tokens_in_a_while_are_not_too_many_at_once() -> None:
    for words in ("Too many tokens, please wait before trying again.", "Too many tokens per day"):
        error = error_from_payload({"message": words}, provider_id="p", model_id="m")
        assert error.code is not ErrorCode.CONTEXT_TOO_LONG
