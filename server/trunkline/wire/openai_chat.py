"""OpenAI chat completions: the request, and the two dialects that endpoints speak."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydantic_core import to_json

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall, ChatDecoder, ChatRequest
from trunkline.wire.http import HttpRequest
from trunkline.wire.key_header import KeyHeader
from trunkline.wire.openai_chat_decoder import OpenAiChatDecoder
from trunkline.wire.openai_chat_messages import chat_messages
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import NamedToolChoice, ReasoningOptions, Tool, ToolChoice
from trunkline_protocol.errors import ErrorCode

_OPENAI_HOSTS = ("api.openai.com", ".openai.azure.com")
"""Their newer models refuse `max_tokens`; elsewhere it is the name that every server knows."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between endpoints of this format. Answers are read the same way."""

    ask_for_usage: JsonObject = field(repr=False)
    """The member of the body that makes the endpoint report tokens while streaming."""
    is_gateway: bool
    """Whether it takes `reasoning` as an object, `provider` for routing, and fetches files by address."""


_USAGE_CHUNK: JsonObject = {"stream_options": {"include_usage": True}}

OPENAI = Dialect(ask_for_usage=_USAGE_CHUNK, is_gateway=False)
OPENROUTER = Dialect(
    # Gateways differ in which of the two they heed; the other one is ignored.
    ask_for_usage={"usage": {"include": True}, **_USAGE_CHUNK},
    is_gateway=True,
)


@dataclass(frozen=True, slots=True)
class OpenAiChatAdapter:
    """See `trunkline.wire.adapter.ChatAdapter`."""

    dialect: Dialect
    key_header: KeyHeader = "authorization"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def build_request(self, call: ChatCall) -> ChatRequest:
        """`POST <base URL>/chat/completions`, without credentials."""
        return ChatRequest(
            HttpRequest(
                method="POST",
                url=f"{call.base_url}/chat/completions",
                headers={"content-type": "application/json", "accept": "text/event-stream"},
                body=to_json(self._body(call)),
            )
        )

    def decoder(self, call: ChatCall) -> ChatDecoder:
        """A decoder for one answer to `call`."""
        return OpenAiChatDecoder(call)

    def _body(self, call: ChatCall) -> JsonObject:
        params, options = call.params, call.params.options
        body: JsonObject = {
            "model": call.model_id,
            "messages": chat_messages(call, file_urls=self.dialect.is_gateway),
            "stream": True,
            **self.dialect.ask_for_usage,
        }
        optional: JsonObject = {
            _output_limit_name(call.base_url): options.max_output_tokens,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "top_k": options.top_k,
            "stop": options.stop,
            "seed": options.seed,
            "parallel_tool_calls": options.parallel_tool_calls,
            "tools": [_tool(tool) for tool in params.tools] or None,
            "tool_choice": _tool_choice(params.tool_choice),
            "prompt_cache_key": options.cache.key if options.cache else None,
        }
        body |= {name: value for name, value in optional.items() if value is not None}
        if options.reasoning is not None:
            body |= self._reasoning(options.reasoning)
        body |= call.extra_body
        if options.provider is not None:
            body |= {"provider": options.provider} if self.dialect.is_gateway else options.provider
        return body

    def _reasoning(self, reasoning: ReasoningOptions) -> JsonObject:
        if self.dialect.is_gateway:
            wanted = {"effort": reasoning.effort, "max_tokens": reasoning.budget_tokens}
            given = {name: value for name, value in wanted.items() if value is not None}
            return {"reasoning": given} if given else {}
        if reasoning.budget_tokens is not None:
            raise TrunklineError(
                ErrorCode.UNSUPPORTED_OPTION,
                "This provider takes a reasoning effort, not a number of reasoning tokens.",
                hint="Use `reasoning.effort` instead of `reasoning.budgetTokens`.",
            )
        return {} if reasoning.effort is None else {"reasoning_effort": reasoning.effort}


def _output_limit_name(base_url: str) -> str:
    host = urlsplit(base_url).hostname or ""
    return "max_completion_tokens" if host.endswith(_OPENAI_HOSTS) else "max_tokens"


def _tool(tool: Tool) -> JsonObject:
    function: JsonObject = {"name": tool.name, "parameters": tool.input_schema}
    if tool.description is not None:
        function["description"] = tool.description
    return {"type": "function", "function": function}


def _tool_choice(choice: ToolChoice | None) -> str | JsonObject | None:
    if isinstance(choice, NamedToolChoice):
        return {"type": "function", "function": {"name": choice.name}}
    return choice
