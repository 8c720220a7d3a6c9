"""Which adapter speaks which wire format. One is imported when it is first asked for."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import MappingProxyType

from trunkline.wire.adapter import ChatAdapter, TokenCounter
from trunkline_protocol.providers import ApiType


def _openai_chat() -> ChatAdapter:
    from trunkline.wire.openai_chat import OpenAiChatAdapter

    return OpenAiChatAdapter(is_gateway=False)


def _openrouter() -> ChatAdapter:
    from trunkline.wire.openai_chat import OpenAiChatAdapter

    return OpenAiChatAdapter(is_gateway=True)


def _openai_responses() -> ChatAdapter:
    from trunkline.wire.openai_responses import OpenAiResponsesAdapter

    return OpenAiResponsesAdapter()


def _anthropic() -> ChatAdapter:
    from trunkline.wire.anthropic import AnthropicAdapter

    return AnthropicAdapter()


def _gemini() -> ChatAdapter:
    from trunkline.wire.gemini import GeminiAdapter

    return GeminiAdapter()


def _ollama() -> ChatAdapter:
    from trunkline.wire.ollama import OllamaAdapter

    return OllamaAdapter()


_MAKERS: Mapping[ApiType, Callable[[], ChatAdapter]] = MappingProxyType(
    {
        "openai-chat": _openai_chat,
        "openrouter": _openrouter,
        "openai-responses": _openai_responses,
        "anthropic": _anthropic,
        "gemini": _gemini,
        "ollama": _ollama,
    }
)


@cache
def adapter(api_type: ApiType) -> ChatAdapter:
    """The adapter of a wire format; raises `KeyError` for one that nobody speaks here."""
    return _MAKERS[api_type]()


def token_counter(api_type: ApiType) -> TokenCounter | None:
    """The adapter of a wire format if its endpoints count tokens."""
    found = adapter(api_type)
    return found if isinstance(found, TokenCounter) else None


class _Adapters(Mapping[ApiType, ChatAdapter]):
    def __getitem__(self, api_type: ApiType) -> ChatAdapter:
        return adapter(api_type)

    def __iter__(self) -> Iterator[ApiType]:
        return iter(_MAKERS)

    def __len__(self) -> int:
        return len(_MAKERS)


ADAPTERS: Mapping[ApiType, ChatAdapter] = _Adapters()
"""Every adapter by the name of its format."""
