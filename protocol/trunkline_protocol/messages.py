"""Messages of a conversation and the parts they are made of."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from trunkline_protocol.base import JsonObject, ModelRef, WireModel


class ProviderData(WireModel):
    """What a model wants back unread on the next turn (signatures, encrypted reasoning)."""

    provider_id: str
    model: ModelRef
    """Only this provider's same model gets the data back."""
    data: Any


class Citation(WireModel):
    """Where an answer says that it has something from. Absent is unknown."""

    url: str | None = None
    title: str | None = None
    cited_text: str | None = None
    """What stands at the source."""
    file_id: str | None = None
    """A file or document of the request, as the provider names it."""
    start: int | None = None
    """Where the supported passage begins in the text that the citation belongs to, in characters."""
    end: int | None = None
    """Where it ends, not included."""
    raw: JsonObject
    """The provider's own form of it, whole."""


class TextPart(WireModel):
    """Text."""

    type: Literal["text"] = "text"
    text: str
    citations: tuple[Citation, ...] | None = None
    """In answers only."""
    provider_data: ProviderData | None = None


class MediaPart(WireModel):
    """An image, a sound or a file, inline or by address. Also in answers of models that make images."""

    type: Literal["image", "audio", "file"]
    mime_type: str
    """For example `image/png`, `audio/wav`, `application/pdf`."""
    data: str | None = None
    """The bytes in base64."""
    url: str | None = None
    """An address the provider fetches itself."""
    name: str | None = None
    """A file name, for the model to refer to."""
    provider_data: ProviderData | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "MediaPart":
        if (self.data is None) == (self.url is None):
            msg = "exactly one of data and url is needed"
            raise ValueError(msg)
        return self


class ReasoningPart(WireModel):
    """What the model thought before it answered."""

    type: Literal["reasoning"] = "reasoning"
    text: str
    provider_data: ProviderData | None = None


class ToolCallPart(WireModel):
    """The model asks for a tool."""

    type: Literal["toolCall"] = "toolCall"
    call_id: str
    name: str
    arguments: JsonObject
    arguments_text: str | None = None
    """What the model wrote, only where that is not a JSON object; `arguments` is empty then."""
    provider_data: ProviderData | None = None


class ToolResultPart(WireModel):
    """The answer of a tool."""

    type: Literal["toolResult"] = "toolResult"
    call_id: str
    content: tuple[Annotated[TextPart | MediaPart, Field(discriminator="type")], ...]
    is_error: bool = False


class OpaquePart(WireModel):
    """Something that the provider did itself (a web search, code it ran) and wants back on the next turn."""

    type: Literal["opaque"] = "opaque"
    name: str
    """What it is, in the provider's words, for example `web_search_tool_result`."""
    provider_data: ProviderData


Part = Annotated[
    TextPart | MediaPart | ReasoningPart | ToolCallPart | ToolResultPart | OpaquePart,
    Field(discriminator="type"),
]


def _text_as_part(content: object) -> object:
    """A bare string is accepted for one text part: it is what people write by hand."""
    return ({"type": "text", "text": content},) if isinstance(content, str) else content


class Message(WireModel):
    """One message of a conversation. On input, `content` may be a bare string."""

    role: Literal["system", "user", "assistant", "tool"]
    content: Annotated[tuple[Part, ...], BeforeValidator(_text_as_part, str | tuple[Part, ...])]
