"""Anthropic's Messages API: the request.

Requests carry the API version 2023-06-01, also those to Anthropic: other endpoints of this format know no
other, answers are the same in both, and 2026-10-21 only refuses more. What it refuses is not sent anyway
(documents in answers of the model, citations in text of the user), but for the sampling parameters, which
the models that take them get.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from trunkline.errors import TrunklineError
from trunkline.wire import anthropic_cache
from trunkline.wire.adapter import ChatCall, ChatDecoder, ChatRequest
from trunkline.wire.anthropic_decoder import AnthropicDecoder
from trunkline.wire.anthropic_messages import conversation
from trunkline.wire.anthropic_output import output_schema
from trunkline.wire.anthropic_reasoning import Thinking, sampling, thinking
from trunkline.wire.http import HttpRequest
from trunkline.wire.json_values import object_in, parse_json, request_json
from trunkline.wire.key_header import KeyHeader
from trunkline.wire.substitutes import dropped
from trunkline.wire.tool_schemas import tool_schema
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import NamedToolChoice, Notice, Tool
from trunkline_protocol.errors import ErrorCode

_VERSION = {"anthropic-version": "2023-06-01"}
_COUNTED = (
    "model",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "cache_control",
    "context_management",
    "mcp_servers",
)
"""Members that the counting endpoint takes; it refuses any other."""


@dataclass(frozen=True, slots=True)
class AnthropicAdapter:
    """See `trunkline.wire.adapter.ChatAdapter` and `TokenCounter`. The base URL ends in `/v1`."""

    key_header: KeyHeader = "x-api-key"
    headers: Mapping[str, str] = field(default_factory=_VERSION.copy)

    def build_request(self, call: ChatCall) -> ChatRequest:
        """`POST <base URL>/messages`, without credentials."""
        notices: list[Notice] = []
        body = _body(call, notices) | {"stream": True}
        return ChatRequest(
            self._request(f"{call.base_url}/messages", "text/event-stream", body), tuple(notices)
        )

    def decoder(self, call: ChatCall) -> ChatDecoder:
        """A decoder for one answer to `call`."""
        return AnthropicDecoder(call)

    def count_request(self, call: ChatCall) -> HttpRequest:
        """`POST <base URL>/messages/count_tokens`, without credentials."""
        body = _body(call, [])
        counted = {name: body[name] for name in _COUNTED if name in body}
        return self._request(f"{call.base_url}/messages/count_tokens", "application/json", counted)

    def read_count(self, body: bytes) -> int:
        """Tokens of the whole prompt; raises `STREAM_MALFORMED` when the answer does not say."""
        try:
            tokens = object_in(parse_json(body)).get("input_tokens")
        except ValueError:
            tokens = None
        if not isinstance(tokens, int) or isinstance(tokens, bool) or tokens < 0:
            raise TrunklineError(
                ErrorCode.STREAM_MALFORMED,
                "The provider did not say how many tokens there are.",
                hint="Check the provider's base URL: something else than its API may have answered.",
            )
        return tokens

    def _request(self, url: str, accept: str, body: JsonObject) -> HttpRequest:
        headers = {"content-type": "application/json", "accept": accept, **self.headers}
        return HttpRequest(method="POST", url=url, headers=headers, body=request_json(body))


def _body(call: ChatCall, notices: list[Notice]) -> JsonObject:
    params, options = call.params, call.params.options
    talk = conversation(call, notices)
    thought = thinking(call, notices)
    if options.seed is not None:
        dropped("seed", "this format knows none", notices)
    optional: JsonObject = {
        "system": talk.system,
        "tools": [_tool(tool, call) for tool in params.tools],
        "tool_choice": _tool_choice(call, notices),
        "thinking": thought.config,
        "output_config": _output_config(call, thought, notices),
        "stop_sequences": _stop_sequences(options.stop or (), notices),
    }
    body: JsonObject = {
        "model": call.model_id,
        "max_tokens": thought.max_tokens,
        "messages": talk.messages,
        **{name: value for name, value in optional.items() if value},
        **sampling(call, thinks=thought.is_on, notices=notices),
    }
    if options.cache is not None:
        if call.info.capabilities.caching is False:
            dropped("cache", "the provider caches no prompts of this model", notices)
        else:
            anthropic_cache.mark(body, options.cache)
    return _with_members(_with_members(body, call.extra_body), options.provider or {})


def _with_members(body: JsonObject, more: JsonObject) -> JsonObject:
    """`body` with `more` in it. The output settings are merged: a schema must survive a given effort."""
    output = {**object_in(body.get("output_config")), **object_in(more.get("output_config"))}
    return {**body, **more, **({"output_config": output} if output else {})}


def _tool(tool: Tool, call: ChatCall) -> JsonObject:
    schema = tool_schema(tool.input_schema, provider_id=call.provider_id, model_id=call.model_id)
    described = {} if tool.description is None else {"description": tool.description}
    return {"name": tool.name, **described, "input_schema": schema}


def _tool_choice(call: ChatCall, notices: list[Notice]) -> JsonObject | None:
    """The API takes a choice only with tools to choose from."""
    choice = call.params.tool_choice
    if not call.params.tools:
        if choice not in {None, "auto", "none"}:
            dropped("toolChoice", "there are no tools", notices)
        return None
    if choice == "none":
        return {"type": "none"}
    one_at_a_time: JsonObject = (
        {"disable_parallel_tool_use": True} if call.params.options.parallel_tool_calls is False else {}
    )
    if isinstance(choice, NamedToolChoice):
        return {"type": "tool", "name": choice.name, **one_at_a_time}
    if choice == "required":
        return {"type": "any", **one_at_a_time}
    return {"type": "auto", **one_at_a_time} if choice == "auto" or one_at_a_time else None


def _output_config(call: ChatCall, thought: Thinking, notices: list[Notice]) -> JsonObject:
    config: JsonObject = {} if thought.effort is None else {"effort": thought.effort}
    schema = call.params.output_schema
    if schema is None:
        return config
    if not call.info.capabilities.structured_output:
        dropped("outputSchema", "the model cannot be held to a schema", notices)
        return config
    return {**config, "format": {"type": "json_schema", "schema": output_schema(schema)}}


def _stop_sequences(stop: Iterable[str], notices: list[Notice]) -> list[str]:
    sequences = list(stop)
    visible = [text for text in sequences if text.strip()]
    if len(visible) < len(sequences):
        dropped("stop", "the provider takes no stop sequence of white space alone", notices)
    return visible
