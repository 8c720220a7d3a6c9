"""Which adapter speaks which wire format."""

from collections.abc import Mapping
from types import MappingProxyType

from trunkline.wire.adapter import ChatAdapter
from trunkline.wire.openai_chat import OPENAI, OPENROUTER, OpenAiChatAdapter
from trunkline_protocol.providers import ApiType

ADAPTERS: Mapping[ApiType, ChatAdapter] = MappingProxyType(
    {
        "openai-chat": OpenAiChatAdapter(OPENAI),
        "openrouter": OpenAiChatAdapter(OPENROUTER),
    }
)
