"""Google's Gemini API (`generativelanguage.googleapis.com/v1beta` and what speaks like it): the requests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall, ChatDecoder, ChatRequest
from trunkline.wire.gemini_decoder import GeminiDecoder
from trunkline.wire.gemini_messages import conversation
from trunkline.wire.gemini_thinking import thinking_config
from trunkline.wire.http import HttpRequest
from trunkline.wire.json_values import number_in, object_in, parse_json, request_json
from trunkline.wire.key_header import KeyHeader
from trunkline.wire.sampling_options import usable_sampling
from trunkline.wire.substitutes import dropped
from trunkline.wire.tool_roots import object_root
from trunkline.wire.tool_schemas import gemini_json_schema
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import NamedToolChoice, Notice, Tool
from trunkline_protocol.errors import ErrorCode

_RESOURCES = ("models/", "tunedModels/", "publishers/", "projects/")
"""What names of models begin with where they are names of resources."""
_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}


@dataclass(frozen=True, slots=True)
class GeminiAdapter:
    """See `trunkline.wire.adapter.ChatAdapter` and `TokenCounter`.

    `options.cache` says nothing here: these models cache prompts by themselves.
    """

    key_header: KeyHeader = "x-goog-api-key"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def build_request(self, call: ChatCall) -> ChatRequest:
        """`POST <base URL>/models/<model>:streamGenerateContent?alt=sse`, without credentials."""
        notices: list[Notice] = []
        body = _prompt(call, notices)
        tool_config = _tool_config(call, notices)
        if tool_config:
            body["toolConfig"] = tool_config
        generation_config = _generation_config(call, notices)
        if generation_config:
            body["generationConfig"] = generation_config
        for extra in (call.extra_body, call.params.options.provider or {}):
            body = _merged(body, extra)
        http = _post(
            call, f"{_resource(call.model_id)}:streamGenerateContent?alt=sse", body, "text/event-stream"
        )
        return ChatRequest(http, tuple(notices))

    def decoder(self, call: ChatCall) -> ChatDecoder:
        """A decoder for one answer to `call`."""
        return GeminiDecoder(call)

    def count_request(self, call: ChatCall) -> HttpRequest:
        """`POST <base URL>/models/<model>:countTokens`, without credentials.

        Instructions and tools count only inside a whole request, which then replaces the bare contents.
        """
        resource = _resource(call.model_id)
        body = _prompt(call, [])
        if body.keys() != {"contents"}:
            body = {"generateContentRequest": {"model": resource, **body}}
        return _post(call, f"{resource}:countTokens", body, "application/json")

    def read_count(self, body: bytes) -> int:
        """Tokens of the whole prompt; raises `STREAM_MALFORMED` when the answer does not say."""
        try:
            tokens = number_in(object_in(parse_json(body)).get("totalTokens"))
        except ValueError:
            tokens = None
        if tokens is None:
            raise TrunklineError(
                ErrorCode.STREAM_MALFORMED,
                "The provider's answer does not say how many tokens it counted.",
                hint="Check the provider's base URL: something else than its API may have answered.",
            )
        return int(tokens)


def _post(call: ChatCall, path: str, body: JsonObject, accept: str) -> HttpRequest:
    return HttpRequest(
        method="POST",
        url=f"{call.base_url}/{path}",
        headers={"content-type": "application/json", "accept": accept},
        body=request_json(body),
    )


def _resource(model_id: str) -> str:
    """The path of a model. A colon begins the method there, so that one in the model's name is escaped."""
    path = model_id if model_id.startswith(_RESOURCES) else f"models/{model_id}"
    if not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise TrunklineError(
            ErrorCode.MODEL_UNKNOWN,
            "The model's name is none that this provider could have.",
            hint="Run `trunkline models` to see the models there are.",
        )
    return quote(path, safe="/")


def _prompt(call: ChatCall, notices: list[Notice]) -> JsonObject:
    instructions, contents = conversation(call, notices)
    body: JsonObject = {"contents": contents}
    if instructions:
        body["systemInstruction"] = {"parts": instructions}
    if call.params.tools:
        body["tools"] = [{"functionDeclarations": [_declaration(tool) for tool in call.params.tools]}]
    return body


def _declaration(tool: Tool) -> JsonObject:
    """A tool with its JSON Schema as such.

    The older `parameters` refuses whole requests for a keyword that it does not know, and takes nothing but
    texts as values of an `enum`.
    """
    declaration: JsonObject = {
        "name": tool.name,
        "parametersJsonSchema": gemini_json_schema(object_root(tool.input_schema)),
    }
    return declaration if tool.description is None else {**declaration, "description": tool.description}


def _tool_config(call: ChatCall, notices: list[Notice]) -> JsonObject | None:
    choice = call.params.tool_choice
    if choice is None:
        return None
    if not call.params.tools:
        if choice not in {"auto", "none"}:
            dropped("toolChoice", "there are no tools to choose from", notices)
        return None
    if isinstance(choice, NamedToolChoice):
        return {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [choice.name]}}
    return {"functionCallingConfig": {"mode": _MODES[choice]}}


def _generation_config(call: ChatCall, notices: list[Notice]) -> JsonObject:
    params, options = call.params, call.params.options
    sampling = usable_sampling(options, call.info, notices)
    if options.parallel_tool_calls is False:
        dropped("parallelToolCalls", "Google lets the model decide how many tools it calls at once", notices)
    schema = params.output_schema
    config: JsonObject = {
        "maxOutputTokens": options.max_output_tokens,
        "temperature": sampling.temperature,
        "topP": sampling.top_p,
        "topK": sampling.top_k,
        "stopSequences": options.stop,
        "seed": options.seed,
        "responseMimeType": None if schema is None else "application/json",
        "responseJsonSchema": None if schema is None else gemini_json_schema(schema),
        "thinkingConfig": thinking_config(options.reasoning, call.info, notices),
    }
    return {name: value for name, value in config.items() if value is not None}


def _merged(body: JsonObject, extra: JsonObject) -> JsonObject:
    """`body` with the members of `extra`, which win; objects merge, tools are added to those there are."""
    merged = dict(body)
    for name, value in extra.items():
        there = merged.get(name)
        if isinstance(there, dict) and isinstance(value, dict):
            merged[name] = _merged(object_in(there), object_in(value))
        elif name == "tools" and isinstance(there, list) and isinstance(value, list):
            merged[name] = [*there, *value]
        else:
            merged[name] = value
    return merged
