"""How a model shall pick its tokens, as far as it lets itself be told."""

from typing import NamedTuple

from trunkline.wire.substitutes import dropped
from trunkline_protocol.chat import ChatOptions, Notice
from trunkline_protocol.models import ModelInfo


class Sampling(NamedTuple):
    """What is left of the options; None is left to the provider."""

    temperature: float | None
    top_p: float | None
    top_k: int | None


def usable_sampling(options: ChatOptions, info: ModelInfo, notices: list[Notice]) -> Sampling:
    """The sampling options, or none of them, with a notice each, for a model that refuses them."""
    if info.capabilities.temperature:
        return Sampling(options.temperature, options.top_p, options.top_k)
    given = {"temperature": options.temperature, "topP": options.top_p, "topK": options.top_k}
    for name in (name for name, value in given.items() if value is not None):
        dropped(name, "the model chooses how to sample", notices)
    return Sampling(None, None, None)
