"""model/countTokens: how long a text or a conversation is for a model."""

from pydantic import model_validator

from trunkline_protocol.base import ModelRef, Request, WireModel
from trunkline_protocol.chat import Tool
from trunkline_protocol.messages import Message


class ModelCountTokensParams(WireModel):
    """Params of `model/countTokens`: a conversation or a text, not both."""

    model: ModelRef
    messages: tuple[Message, ...] | None = None
    tools: tuple[Tool, ...] = ()
    text: str | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "ModelCountTokensParams":
        if (self.messages is None) == (self.text is None):
            msg = "exactly one of messages and text is needed"
            raise ValueError(msg)
        return self


class ModelCountTokensResult(WireModel):
    """Result of `model/countTokens`."""

    tokens: int
    exact: bool
    """Whether the provider counted; otherwise it is an estimate."""


MODEL_COUNT_TOKENS = Request(
    "model/countTokens",
    "How many tokens a text or a conversation is for a model.",
    ModelCountTokensParams,
    ModelCountTokensResult,
    "control",
)
