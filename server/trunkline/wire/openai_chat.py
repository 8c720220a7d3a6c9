"""OpenAI chat completions: the request."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trunkline.wire.adapter import ChatCall, ChatDecoder, ChatRequest
from trunkline.wire.http import HttpRequest
from trunkline.wire.json_values import compact_json, request_json
from trunkline.wire.key_header import KeyHeader
from trunkline.wire.openai_chat_cache import mark_for_cache
from trunkline.wire.openai_chat_decoder import OpenAiChatDecoder
from trunkline.wire.openai_chat_dialects import OPENROUTER, Dialect, dialect_of, takes_cache_marks
from trunkline.wire.openai_chat_messages import chat_messages
from trunkline.wire.openai_chat_reasoning import reasoning_members
from trunkline.wire.openai_tools import tool_members
from trunkline.wire.reasoning_options import usable_reasoning
from trunkline.wire.sampling_options import usable_sampling
from trunkline.wire.substitutes import dropped
from trunkline.wire.tool_schemas import is_strict, tool_schema
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import ChatOptions, NamedToolChoice, Notice, Tool, ToolChoice


@dataclass(frozen=True, slots=True)
class OpenAiChatAdapter:
    """See `trunkline.wire.adapter.ChatAdapter`."""

    is_gateway: bool
    """Whether its endpoints speak OpenRouter's extensions."""
    key_header: KeyHeader = "authorization"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def build_request(self, call: ChatCall) -> ChatRequest:
        """`POST <base URL>/chat/completions`, without credentials."""
        notices: list[Notice] = []
        body = _body(call, OPENROUTER if self.is_gateway else dialect_of(call), notices)
        request = HttpRequest(
            method="POST",
            url=f"{call.base_url}/chat/completions",
            headers={"content-type": "application/json", "accept": "text/event-stream"},
            body=request_json(body),
        )
        return ChatRequest(request, tuple(notices))

    def decoder(self, call: ChatCall) -> ChatDecoder:
        """A decoder for one answer to `call`."""
        return OpenAiChatDecoder(call)


def _body(call: ChatCall, dialect: Dialect, notices: list[Notice]) -> JsonObject:
    params, options = call.params, call.params.options
    messages = chat_messages(call, dialect, notices)
    if options.cache is not None and takes_cache_marks(call, dialect):
        mark_for_cache(messages, options.cache.ttl)
    body: JsonObject = {"model": call.model_id, "messages": messages, "stream": True, **dialect.ask_for_usage}
    optional: JsonObject = {
        dialect.output_limit: options.max_output_tokens,
        "stop": options.stop,
        dialect.seed: options.seed,
        "prompt_cache_key": options.cache.key if options.cache and dialect.cache_key else None,
        **_sampling(call, dialect, notices),
        **tool_members(call.params, notices, tool=lambda tool: _tool(tool, call), choice=_tool_choice),
    }
    body |= {name: value for name, value in optional.items() if value is not None}
    reasoning = usable_reasoning(options.reasoning, call.info, notices)
    if reasoning is not None:
        body |= reasoning_members(reasoning, dialect, call.info)
    if dialect.is_gateway and "image" in call.info.output_modalities:
        body["modalities"] = list(call.info.output_modalities)
    if params.output_schema is not None:
        _bind_answer(body, params.output_schema, dialect)
    return body | call.extra_body | _provider_members(options, dialect)


def _sampling(call: ChatCall, dialect: Dialect, notices: list[Notice]) -> JsonObject:
    sampling = usable_sampling(call.params.options, call.info, notices)
    if sampling.top_k is not None and not dialect.top_k:
        dropped("topK", "this provider does not know it", notices)
        sampling = sampling._replace(top_k=None)
    return sampling._asdict()


def _tool(tool: Tool, call: ChatCall) -> JsonObject:
    schema = tool_schema(tool.input_schema, provider_id=call.provider_id, model_id=call.model_id)
    function: JsonObject = {"name": tool.name, "parameters": schema}
    if tool.description is not None:
        function["description"] = tool.description
    return {"type": "function", "function": function}


def _tool_choice(choice: ToolChoice | None) -> str | JsonObject | None:
    if isinstance(choice, NamedToolChoice):
        return {"type": "function", "function": {"name": choice.name}}
    return choice


def _bind_answer(body: JsonObject, schema: JsonObject, dialect: Dialect) -> None:
    """Binds the answer to the schema, or to JSON with the schema in words where an endpoint knows no more."""
    if dialect.takes_schema:
        wanted = {"name": "answer", "schema": schema, "strict": is_strict(schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": wanted}
        return
    words = f"Answer with one JSON object that follows this JSON Schema:\n{compact_json(schema)}"
    body["messages"] = [{"role": "system", "content": words}, *body["messages"]]
    body["response_format"] = {"type": "json_object"}


def _provider_members(options: ChatOptions, dialect: Dialect) -> JsonObject:
    if options.provider is None:
        return {}
    return {"provider": options.provider} if dialect.is_gateway else options.provider
