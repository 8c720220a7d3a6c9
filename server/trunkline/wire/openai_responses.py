"""The OpenAI Responses API: the request for an answer and the one that counts its tokens.

Used without state: nothing is stored, the whole conversation is sent, and a reasoning model gives its
reasoning encrypted so that it can be sent back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall, ChatDecoder, ChatRequest
from trunkline.wire.http import HttpRequest
from trunkline.wire.json_values import number_in, object_in, parse_json, request_json
from trunkline.wire.key_header import KeyHeader
from trunkline.wire.openai_responses_decoder import OpenAiResponsesDecoder
from trunkline.wire.openai_responses_input import input_items
from trunkline.wire.openai_tools import tool_members
from trunkline.wire.reasoning_options import OFF, effort_of, usable_reasoning
from trunkline.wire.sampling_options import usable_sampling
from trunkline.wire.substitutes import dropped
from trunkline.wire.tool_schemas import is_strict, tool_schema
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import NamedToolChoice, Notice, Tool, ToolChoice
from trunkline_protocol.errors import ErrorCode

_COUNTED = frozenset(
    {
        "input",
        "instructions",
        "model",
        "parallel_tool_calls",
        "reasoning",
        "text",
        "tool_choice",
        "tools",
        "truncation",
    }
)
"""Members of the body that make up the prompt; the endpoint that counts takes no others."""


@dataclass(frozen=True, slots=True)
class OpenAiResponsesAdapter:
    """See `trunkline.wire.adapter.ChatAdapter` and `TokenCounter`."""

    key_header: KeyHeader = "authorization"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def build_request(self, call: ChatCall) -> ChatRequest:
        """`POST <base URL>/responses`, without credentials."""
        notices: list[Notice] = []
        body = {**_body(call, notices), "stream": True}
        request = _post(f"{call.base_url}/responses", body, accept="text/event-stream")
        return ChatRequest(request, tuple(notices))

    def decoder(self, call: ChatCall) -> ChatDecoder:
        """A decoder for one answer to `call`."""
        return OpenAiResponsesDecoder(call)

    def count_request(self, call: ChatCall) -> HttpRequest:
        """`POST <base URL>/responses/input_tokens`, without credentials."""
        body = {name: value for name, value in _body(call, []).items() if name in _COUNTED}
        return _post(f"{call.base_url}/responses/input_tokens", body, accept="application/json")

    def read_count(self, body: bytes) -> int:
        """`input_tokens` of the answer; raises `STREAM_MALFORMED` when it has none."""
        try:
            tokens = number_in(object_in(parse_json(body)).get("input_tokens"))
        except ValueError:
            tokens = None
        if tokens is None or tokens < 0:
            raise TrunklineError(
                ErrorCode.STREAM_MALFORMED,
                "The provider's answer does not say how many tokens it counted.",
                hint="Check the provider's base URL: something else than its API may have answered.",
            )
        return int(tokens)


def _post(url: str, body: JsonObject, *, accept: str) -> HttpRequest:
    headers = {"content-type": "application/json", "accept": accept}
    return HttpRequest(method="POST", url=url, headers=headers, body=request_json(body))


def _body(call: ChatCall, notices: list[Notice]) -> JsonObject:
    params, options = call.params, call.params.options
    body: JsonObject = {"model": call.model_id, "input": input_items(call, notices), "store": False}
    if call.info.capabilities.reasoning:
        body["include"] = ["reasoning.encrypted_content"]
    optional: JsonObject = {
        "max_output_tokens": options.max_output_tokens,
        **tool_members(call.params, notices, tool=lambda tool: _tool(tool, call), choice=_tool_choice),
        "text": _text_format(params.output_schema),
        "reasoning": _reasoning(call, notices),
        "prompt_cache_key": options.cache.key if options.cache else None,
        **_sampling(call, notices),
    }
    body |= {name: value for name, value in optional.items() if value is not None}
    return body | call.extra_body | (options.provider or {})


def _sampling(call: ChatCall, notices: list[Notice]) -> JsonObject:
    """`temperature` and `top_p` as far as the model takes them; the others are unknown to this API."""
    options = call.params.options
    usable = usable_sampling(options, call.info, notices)
    unknown = {"topK": usable.top_k, "stop": options.stop, "seed": options.seed}
    ttl = options.cache.ttl if options.cache else None
    for name, value in {**unknown, "cache.ttl": ttl}.items():
        if value is not None:
            dropped(name, "the Responses API has no such option", notices)
    return {"temperature": usable.temperature, "top_p": usable.top_p}


def _reasoning(call: ChatCall, notices: list[Notice]) -> JsonObject | None:
    """The effort, and with it a summary, which is all that one gets to see of the reasoning.

    A number of tokens cannot be said here, and no effort stands for one.
    """
    wanted = usable_reasoning(call.params.options.reasoning, call.info, notices)
    if wanted is None:
        return None
    effort = effort_of(wanted)
    return {"effort": effort, **({} if effort == OFF else {"summary": "auto"})}


def _tool(tool: Tool, call: ChatCall) -> JsonObject:
    """Not `strict`, which is the API's default and refuses schemas with optional properties."""
    described = {} if tool.description is None else {"description": tool.description}
    schema = tool_schema(tool.input_schema, provider_id=call.provider_id, model_id=call.model_id)
    return {"type": "function", "name": tool.name, **described, "parameters": schema, "strict": False}


def _tool_choice(choice: ToolChoice | None) -> str | JsonObject | None:
    return {"type": "function", "name": choice.name} if isinstance(choice, NamedToolChoice) else choice


def _text_format(schema: JsonObject | None) -> JsonObject | None:
    if schema is None:
        return None
    return {
        "format": {"type": "json_schema", "name": "answer", "schema": schema, "strict": is_strict(schema)}
    }
