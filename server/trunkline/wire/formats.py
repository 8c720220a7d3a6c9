"""Which adapter speaks which wire format. One is imported when it is first asked for."""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from trunkline_protocol.providers import ApiType

if TYPE_CHECKING:
    from trunkline.wire.adapter import ChatAdapter, TokenCounter


def _openai_chat() -> "ChatAdapter":
    from trunkline.wire.openai_chat import OpenAiChatAdapter

    return OpenAiChatAdapter(is_gateway=False)


def _openrouter() -> "ChatAdapter":
    from trunkline.wire.openai_chat import OpenAiChatAdapter

    return OpenAiChatAdapter(is_gateway=True)


def _openai_responses() -> "ChatAdapter":
    from trunkline.wire.openai_responses import OpenAiResponsesAdapter

    return OpenAiResponsesAdapter()


def _anthropic() -> "ChatAdapter":
    from trunkline.wire.anthropic import AnthropicAdapter

    return AnthropicAdapter()


def _gemini() -> "ChatAdapter":
    from trunkline.wire.gemini import GeminiAdapter

    return GeminiAdapter()


def _ollama() -> "ChatAdapter":
    from trunkline.wire.ollama import OllamaAdapter

    return OllamaAdapter()


_MAKERS: Mapping[ApiType, "Callable[[], ChatAdapter]"] = MappingProxyType(
    {
        "openai-chat": _openai_chat,
        "openrouter": _openrouter,
        "openai-responses": _openai_responses,
        "anthropic": _anthropic,
        "gemini": _gemini,
        "ollama": _ollama,
    }
)


SPOKEN: frozenset[ApiType] = frozenset(_MAKERS)
"""Formats that there is an adapter for."""


@cache
def adapter(api_type: ApiType) -> "ChatAdapter":
    """The adapter of a wire format; raises `KeyError` for one that nobody speaks here."""
    return _MAKERS[api_type]()


def token_counter(api_type: ApiType) -> "TokenCounter | None":
    """The adapter of a wire format if its endpoints count tokens."""
    from trunkline.wire.adapter import TokenCounter

    found = adapter(api_type)
    return found if isinstance(found, TokenCounter) else None
