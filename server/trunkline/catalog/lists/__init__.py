"""Readers of live model lists, one for each way of publishing models, imported when they are asked for.

`entries` (a list of entries, one at a time), `pages`, `fields` and `kinds` (which ids are chat models) hold
what the readers share; `documents` is how they get at the network.
"""

from collections.abc import Mapping
from importlib import import_module

from trunkline.catalog.listed import ListReader
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode

LISTS: Mapping[str, tuple[str, str]] = {
    "anthropic": ("anthropic", "READER"),
    "apertis": ("apertis", "READER"),
    "deepseek": ("openai", "READER"),
    "fastrouter": ("openrouter", "FASTROUTER"),
    "gemini": ("gemini", "READER"),
    "groq": ("openai", "READER"),
    "kilo": ("kilo", "READER"),
    "llamacpp": ("llamacpp", "READER"),
    "lmstudio": ("lmstudio", "READER"),
    "mistral": ("openai", "READER"),
    "ollama": ("ollama", "READER"),
    "openai": ("openai", "READER"),
    "openrouter": ("openrouter", "OPENROUTER"),
    "vllm": ("vllm", "READER"),
    "xai": ("openai", "XAI"),
}
"""The module here and the name in it of every reader. `openai` reads any OpenAI-compatible endpoint."""


def reader(name: str) -> ListReader:
    """The reader of that name.

    Raises:
        TrunklineError: PROVIDER_MISCONFIGURED, when there is none.
    """
    if name not in LISTS:
        raise TrunklineError(
            ErrorCode.PROVIDER_MISCONFIGURED,
            f"There is no reader {name!r} for model lists.",
            hint=f"Readers are: {', '.join(sorted(LISTS))}.",
        )
    module, attribute = LISTS[name]
    found: ListReader = getattr(import_module(f"{__name__}.{module}"), attribute)
    return found
