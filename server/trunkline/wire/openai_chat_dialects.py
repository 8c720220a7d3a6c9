"""What differs between endpoints of chat completions, as data: one row for each that deviates.

An endpoint is known by its provider id or by its host, so that one that a user configured under a name of
their own is known too. Answers of all dialects are read the same way.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal
from urllib.parse import urlsplit

from trunkline.wire.adapter import ChatCall
from trunkline_protocol.base import JsonObject

_USAGE_CHUNK: JsonObject = {"stream_options": {"include_usage": True}}


@dataclass(frozen=True, slots=True)
class Toggle:
    """Members of the body that switch reasoning on and off, where there is more to say than an effort."""

    on: JsonObject
    off: JsonObject
    budget: str | None = None
    """The member that takes a number of reasoning tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One way of speaking chat completions; what is left out is what every endpoint understands."""

    ask_for_usage: JsonObject = field(default_factory=lambda: _USAGE_CHUNK)
    """The members that make the endpoint report tokens while it streams."""
    output_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    seed: Literal["seed", "random_seed"] = "seed"
    top_k: bool = True
    """Whether it ignores a `top_k` that its models do not take, instead of refusing the request."""
    cache_key: bool = False
    """Whether it knows `prompt_cache_key`."""
    marks_cache: Literal["nothing", "claude", "everything"] = "nothing"
    """For which models behind it a request says what to cache."""
    reasoning: Literal["effort", "object"] | Toggle = "effort"
    """`effort`: the member `reasoning_effort`; `object`: an object `reasoning`; or switches."""
    takes_schema: bool = True
    """Whether answers can be bound to a JSON Schema, and not just to JSON."""
    is_gateway: bool = False
    """Whether it takes `provider` for routing and fetches files by address."""
    reasoning_field: str | None = None
    """Where its models want their reasoning back when the catalogue does not say."""


OPENROUTER = Dialect(
    # Gateways differ in which of the two they heed; the other one is ignored.
    ask_for_usage={"usage": {"include": True}, **_USAGE_CHUNK},
    cache_key=True,
    marks_cache="claude",
    reasoning="object",
    is_gateway=True,
)

_COMPATIBLE = Dialect()
_OPENAI = Dialect(output_limit="max_completion_tokens", top_k=False, cache_key=True)
_ENABLE_THINKING = Toggle({"enable_thinking": True}, {"enable_thinking": False}, "thinking_budget")
_THINKING = Toggle({"thinking": {"type": "enabled"}}, {"thinking": {"type": "disabled"}})
_KEPT_THINKING = replace(_THINKING, on={"thinking": {"type": "enabled", "clear_thinking": False}})
_TEMPLATE_THINKING = Toggle(
    {"chat_template_args": {"enable_thinking": True}}, {"chat_template_args": {"enable_thinking": False}}
)
_ALIBABA = Dialect(reasoning=_ENABLE_THINKING, marks_cache="everything")
_ZAI = Dialect(reasoning=_KEPT_THINKING, takes_schema=False)
_DEEPSEEK = Dialect(reasoning=_THINKING, takes_schema=False, reasoning_field="reasoning_content")
# These two report tokens unasked, and Mistral refuses members that it does not know.
_MISTRAL = Dialect(ask_for_usage={}, seed="random_seed", top_k=False)
_PERPLEXITY = Dialect(ask_for_usage={})
_SILICONFLOW = Dialect(reasoning=_ENABLE_THINKING)
_SWITCHED = Dialect(reasoning=_THINKING)
_TOGETHER = Dialect(reasoning=Toggle({"reasoning": {"enabled": True}}, {"reasoning": {"enabled": False}}))

_BY_PROVIDER: Mapping[str, Dialect] = MappingProxyType(
    {
        "alibaba": _ALIBABA,
        "alibaba-cn": _ALIBABA,
        "azure": _OPENAI,
        "azure-cognitive-services": _OPENAI,
        "baseten": Dialect(reasoning=_TEMPLATE_THINKING),
        "deepseek": _DEEPSEEK,
        "groq": Dialect(top_k=False),
        "mistral": _MISTRAL,
        "moonshotai": _SWITCHED,
        "moonshotai-cn": _SWITCHED,
        "openai": _OPENAI,
        "perplexity": _PERPLEXITY,
        "siliconflow": _SILICONFLOW,
        "siliconflow-cn": _SILICONFLOW,
        "togetherai": _TOGETHER,
        "venice": Dialect(cache_key=True),
        "xiaomi": _SWITCHED,
        "zai": _ZAI,
        "zai-coding-plan": _ZAI,
        "zhipuai": _ZAI,
        "zhipuai-coding-plan": _ZAI,
    }
)
_BY_HOST: Mapping[str, Dialect] = MappingProxyType(
    {
        "aliyuncs.com": _ALIBABA,
        "api.deepseek.com": _DEEPSEEK,
        "api.groq.com": Dialect(top_k=False),
        "api.mistral.ai": _MISTRAL,
        "api.moonshot.ai": _SWITCHED,
        "api.moonshot.cn": _SWITCHED,
        "api.openai.com": _OPENAI,
        "api.perplexity.ai": _PERPLEXITY,
        "api.siliconflow.cn": _SILICONFLOW,
        "api.siliconflow.com": _SILICONFLOW,
        "api.together.ai": _TOGETHER,
        "api.together.xyz": _TOGETHER,
        "api.venice.ai": Dialect(cache_key=True),
        "api.z.ai": _ZAI,
        "baseten.co": Dialect(reasoning=_TEMPLATE_THINKING),
        "open.bigmodel.cn": _ZAI,
        "openai.azure.com": _OPENAI,
        "services.ai.azure.com": _OPENAI,
        "xiaomimimo.com": _SWITCHED,
    }
)
"""Hosts, each with everything below it."""


_OPENAI_REASONING = re.compile(r"(?:^|[/.])(?:gpt-[5-9]|o[1-9])(?![a-z0-9])", re.IGNORECASE)
"""Models of OpenAI that refuse `max_tokens`, whoever passes it on to them."""


def dialect_of(call: ChatCall) -> Dialect:
    """How the endpoint of `call`, which is no gateway, wants to be spoken to."""
    host = urlsplit(call.base_url).hostname or ""
    labels = host.split(".")
    tails = (".".join(labels[start:]) for start in range(len(labels)))
    by_host = next((_BY_HOST[tail] for tail in tails if tail in _BY_HOST), None)
    dialect = by_host or _BY_PROVIDER.get(call.provider_id, _COMPATIBLE)
    if _OPENAI_REASONING.search(call.model_id):
        return replace(dialect, output_limit="max_completion_tokens")
    return dialect


def is_claude(call: ChatCall) -> bool:
    """Whether the model is one of Anthropic's, wherever it runs."""
    return _named(call, "claude", "anthropic")


def is_mistral(call: ChatCall) -> bool:
    """Whether the model is one of Mistral's, wherever it runs."""
    return call.provider_id == "mistral" or _named(call, "mistral", "devstral")


def takes_cache_marks(call: ChatCall, dialect: Dialect) -> bool:
    """Whether the model caches the parts of a prompt that are marked."""
    return dialect.marks_cache == "everything" or (dialect.marks_cache == "claude" and is_claude(call))


def _named(call: ChatCall, *words: str) -> bool:
    name = call.model_id.lower()
    return any(word in name for word in words)
