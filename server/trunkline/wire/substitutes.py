"""What a model does not take: media replaced by a text that says so, options left out, each with a notice."""

import binascii
from collections.abc import Iterable

from trunkline_protocol.chat import Notice
from trunkline_protocol.messages import MediaPart, Part, TextPart, ToolResultPart
from trunkline_protocol.models import Modality, ModelInfo

_MODALITIES: dict[str, Modality] = {"image": "image", "audio": "audio", "video": "video"}
_PLURALS: dict[Modality, str] = {
    "text": "text",
    "image": "images",
    "audio": "sound",
    "video": "videos",
    "pdf": "PDF files",
}

_TEXT_TYPES = frozenset(
    {
        "application/ecmascript",
        "application/graphql",
        "application/javascript",
        "application/json",
        "application/sql",
        "application/toml",
        "application/x-sh",
        "application/xml",
        "application/yaml",
    }
)
_TEXT_SUFFIXES = ("+json", "+xml", "+yaml")
"""Media types that hold text, besides `text/*`."""


def usable_parts(parts: Iterable[Part], info: ModelInfo, notices: list[Notice]) -> list[Part]:
    """`parts`, with a text in place of each medium that the model cannot read, also in the results of tools.

    That is media of a modality that is not among the model's, and data that is empty or no base64. The text
    names what was there and asks the model to tell the user. Every replacement adds one notice. Media of a
    type that belongs to no modality are left to the provider. A `data:` address becomes data.
    """
    return [_usable(part, info, notices) for part in parts]


def substitute(part: MediaPart, why: str, notices: list[Notice]) -> TextPart:
    """The text in place of `part`, with a notice; `why` completes "because"."""
    kind = {"image": "The image", "audio": "The audio file", "file": "The file"}[part.type]
    what = f"{kind} {part.name} ({part.mime_type})" if part.name else f"{kind} ({part.mime_type})"
    notices.append(
        Notice(kind="inputReplaced", message=f"{what} was replaced by a note to the model, because {why}.")
    )
    return TextPart(text=f"[{what} belongs here, but {why}. Tell the user that it could not be read.]")


def is_text(part: MediaPart) -> bool:
    """Whether its type is one of text files."""
    essence = part.mime_type.partition(";")[0].strip().lower()
    return essence.startswith("text/") or essence in _TEXT_TYPES or essence.endswith(_TEXT_SUFFIXES)


def text_of(part: MediaPart) -> str | None:
    """What is in a text file that came as data; None for other types, and for what is not UTF-8."""
    if part.data is None or not is_text(part):
        return None
    try:
        return binascii.a2b_base64(part.data).decode("utf-8-sig")
    except ValueError:
        return None


def inlined(part: MediaPart) -> TextPart | None:
    """A text file as text under its name, for formats that have no place for one; None for anything else."""
    text = text_of(part)
    if text is None:
        return None
    return TextPart(text=f"{part.name}:\n{text}" if part.name else text)


def dropped(option: str, why: str, notices: list[Notice]) -> None:
    """Adds the notice that `option`, by its name in the protocol, is not sent; `why` completes "because"."""
    notices.append(Notice(kind="optionDropped", message=f"`{option}` is not sent, because {why}."))


def modality_of(mime_type: str) -> Modality | None:
    """What a model must be able to read for a medium of this type; None for types beyond the modalities."""
    essence = mime_type.partition(";")[0].strip().lower()
    return "pdf" if essence == "application/pdf" else _MODALITIES.get(essence.partition("/")[0])


def _usable(part: Part, info: ModelInfo, notices: list[Notice]) -> Part:
    if isinstance(part, MediaPart):
        return _readable(part, info, notices)
    if isinstance(part, ToolResultPart) and any(isinstance(item, MediaPart) for item in part.content):
        content = tuple(
            _readable(item, info, notices) if isinstance(item, MediaPart) else item for item in part.content
        )
        return part.model_copy(update={"content": content})
    return part


def _readable(part: MediaPart, info: ModelInfo, notices: list[Notice]) -> MediaPart | TextPart:
    modality = modality_of(part.mime_type)
    if modality is not None and modality not in info.input_modalities:
        return substitute(part, f"the model cannot read {_PLURALS[modality]}", notices)
    if part.data is not None:
        data = part.data
    elif part.url is not None and part.url[:5].lower() == "data:":
        kind, _, data = part.url.partition(",")
        data = data if kind.lower().endswith(";base64") else ""
    else:
        return part
    data = "".join(data.split())  # Encoders of mail wrap their lines.
    if not _is_base64(data):
        return substitute(part, "its data is empty or damaged", notices)
    return part if data == part.data else part.model_copy(update={"data": data, "url": None})


def _is_base64(data: str) -> bool:
    try:
        return len(data) % 4 == 0 and bool(binascii.a2b_base64(data, strict_mode=True))
    except ValueError:
        return False
