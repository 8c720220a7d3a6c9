"""A reply as FastRouter documents it on the wire: the chunks of a stream, or one JSON object."""

import re
import secrets
import time
from collections.abc import Iterator

from trunkline.demo.price_list import ListedModel
from trunkline.demo.simulated_model import Reply, ToolRequest, reasoning_detail
from trunkline_protocol.base import JsonObject

_CHARACTERS_PER_TOKEN = 4
_FRAGMENT = 7
"""Characters of tool arguments in one chunk: small enough to cut through names and values."""


class Completion:
    """One answer with everything the wire needs to know about it."""

    def __init__(self, model: ListedModel, prompt: str, reply: Reply) -> None:
        self._model = model
        self._prompt = prompt
        self._reply = reply
        self._id = f"fr-{secrets.token_hex(10)}"
        self._created = int(time.time())

    def whole(self) -> JsonObject:
        """The answer to a request that does not stream."""
        reply = self._reply
        message: JsonObject = {"role": "assistant", "content": reply.text}
        if reply.reasoning:
            message |= {"reasoning": reply.reasoning, "reasoning_details": reply.reasoning_details}
        if reply.tool:
            message["tool_calls"] = [_tool_call(reply.tool, reply.tool.arguments)]
        choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason}
        return self._envelope("chat.completion", [choice]) | {"usage": self._usage()}

    def chunks(self) -> Iterator[JsonObject]:
        """The stream, in order; the last chunk has the usage and no choice."""
        for delta in self._deltas():
            yield self._chunk(delta)
        yield self._chunk({}, self._reply.finish_reason)
        yield self._envelope("chat.completion.chunk", []) | {"usage": self._usage()}

    def _deltas(self) -> Iterator[JsonObject]:
        reply = self._reply
        yield {"role": "assistant", "content": ""}
        if reply.reasoning:
            for piece in _words(reply.reasoning):
                yield {"content": "", "reasoning": piece, "reasoning_details": [reasoning_detail(text=piece)]}
            signed = reasoning_detail(text="", signature=reply.signature)
            yield {"content": "", "reasoning": None, "reasoning_details": [signed]}
        for piece in _words(reply.text):
            yield {"content": piece}
        if reply.tool:
            yield {"tool_calls": [{"index": 0, **_tool_call(reply.tool, "")}]}
            arguments = reply.tool.arguments
            for start in range(0, len(arguments), _FRAGMENT):
                fragment = arguments[start : start + _FRAGMENT]
                yield {"tool_calls": [{"index": 0, "function": {"arguments": fragment}}]}

    def _chunk(self, delta: JsonObject, finish_reason: str | None = None) -> JsonObject:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return self._envelope("chat.completion.chunk", [choice])

    def _envelope(self, kind: str, choices: list[JsonObject]) -> JsonObject:
        return {
            "id": self._id,
            "object": kind,
            "created": self._created,
            "model": self._model.model_id,
            "choices": choices,
        }

    def _usage(self) -> JsonObject:
        reply = self._reply
        prompt = estimated_tokens(self._prompt)
        reasoning = estimated_tokens(reply.reasoning)
        arguments = reply.tool.arguments if reply.tool else ""
        completion = reasoning + estimated_tokens(reply.text) + estimated_tokens(arguments)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "cost": float(self._model.cost(prompt, completion)),
            "provider": self._model.vendor,
            "chat_id": self._id,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }


def estimated_tokens(text: str) -> int:
    """A simple estimate, four characters to a token, rounded up."""
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


def _tool_call(tool: ToolRequest, arguments: str) -> JsonObject:
    return {"id": tool.call_id, "type": "function", "function": {"name": tool.name, "arguments": arguments}}


def _words(text: str) -> list[str]:
    return re.findall(r"\S+\s*", text)
