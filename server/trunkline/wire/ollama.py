"""Ollama's own chat API: the request.

It says more than the OpenAI-compatible one of the same server: how large the context is, how long the model
stays loaded, whether it thinks, and above all that a conversation that does not fit is an error. Both APIs
otherwise drop its beginning without a word.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trunkline.wire.adapter import ChatCall, ChatDecoder, ChatRequest
from trunkline.wire.http import HttpRequest
from trunkline.wire.json_values import object_in, request_json
from trunkline.wire.key_header import KeyHeader
from trunkline.wire.ollama_decoder import OllamaDecoder
from trunkline.wire.ollama_messages import ollama_messages
from trunkline.wire.reasoning_options import OFF, no_budget, usable_reasoning
from trunkline.wire.sampling_options import usable_sampling
from trunkline.wire.substitutes import dropped
from trunkline.wire.tool_schemas import tool_schema
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import Notice, Tool


@dataclass(frozen=True, slots=True)
class OllamaAdapter:
    """See `trunkline.wire.adapter.ChatAdapter`."""

    key_header: KeyHeader = "authorization"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def build_request(self, call: ChatCall) -> ChatRequest:
        """`POST /api/chat` of the server whose OpenAI-compatible API is at the base URL, if that ends so."""
        notices: list[Notice] = []
        request = HttpRequest(
            method="POST",
            url=f"{call.base_url.removesuffix('/v1').removesuffix('/api')}/api/chat",
            headers={"content-type": "application/json", "accept": "application/x-ndjson"},
            body=request_json(_body(call, notices)),
        )
        return ChatRequest(request, tuple(notices))

    def decoder(self, call: ChatCall) -> ChatDecoder:
        """A decoder for one answer to `call`."""
        return OllamaDecoder(call)


def _body(call: ChatCall, notices: list[Notice]) -> JsonObject:
    """The body. Members of `options.provider` become members of it, those of its `options` too."""
    params = call.params
    given = call.extra_body | (params.options.provider or {})
    options = _model_options(call, notices) | object_in(given.get("options"))
    body: JsonObject = {
        "model": call.model_id,
        "messages": ollama_messages(call, notices),
        "stream": True,
        # A prompt that is too long is an error and an answer that gets too long ends. Servers before 0.12.6
        # ignore both.
        "truncate": False,
        "shift": False,
        **_thinking(call, notices),
        **_tools(call, notices),
    }
    if params.output_schema is not None:
        body["format"] = params.output_schema
    return body | given | ({"options": options} if options else {})


def _model_options(call: ChatCall, notices: list[Notice]) -> JsonObject:
    """The options of the model that runs.

    `num_ctx` is sent only if a user configured it. A context window out of the live list is the one that the
    server gives the model anyway; sent, it would make the server load the model anew whenever its default
    has changed.
    """
    options, info = call.params.options, call.info
    sampling = usable_sampling(options, info, notices)
    wanted: JsonObject = {
        "num_ctx": info.context_window if info.source == "config" and info.context_window else None,
        "num_predict": options.max_output_tokens,
        "seed": options.seed,
        "stop": options.stop,
        **sampling._asdict(),
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _thinking(call: ChatCall, notices: list[Notice]) -> JsonObject:
    """`think`: an effort for the models that have efforts, else on or off."""
    reasoning = usable_reasoning(call.params.options.reasoning, call.info, notices)
    if reasoning is None:
        return {}
    if reasoning.budget_tokens:
        raise no_budget()
    if reasoning.effort in {None, OFF}:
        return {"think": False}
    return {"think": reasoning.effort if call.info.capabilities.reasoning_efforts else True}


def _tools(call: ChatCall, notices: list[Notice]) -> JsonObject:
    """The tools. There is no way to choose one; forbidding them all is leaving them out."""
    params = call.params
    if params.tool_choice not in {None, "auto", "none"}:
        dropped("toolChoice", "Ollama leaves the choice to the model", notices)
    if params.options.parallel_tool_calls is False:
        dropped("parallelToolCalls", "Ollama leaves it to the model", notices)
    if not params.tools or params.tool_choice == "none":
        return {}
    return {"tools": [_tool(tool, call) for tool in params.tools]}


def _tool(tool: Tool, call: ChatCall) -> JsonObject:
    schema = tool_schema(tool.input_schema, provider_id=call.provider_id, model_id=call.model_id)
    function = {"name": tool.name, "description": tool.description or "", "parameters": schema}
    return {"type": "function", "function": function}
