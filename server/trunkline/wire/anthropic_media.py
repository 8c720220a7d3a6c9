"""Images and files as content blocks of the Messages API."""

from trunkline.wire.substitutes import is_text, modality_of, substitute, text_of
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import Notice
from trunkline_protocol.messages import MediaPart
from trunkline_protocol.models import ModelInfo

WIRE_MODALITIES = frozenset({"text", "image", "pdf"})
"""What the format has blocks for."""

_IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


def media_block(part: MediaPart, info: ModelInfo, notices: list[Notice]) -> JsonObject:
    """The block, or a text that says why there is none. `part` has passed `usable_parts`."""
    essence = part.mime_type.partition(";")[0].strip().lower()
    kind = modality_of(essence) or part.type
    if kind == "image":
        return _image(part, essence, notices)
    if kind == "pdf":
        return _document(_source(part, essence), part)
    if kind == "file" and is_text(part):
        return _text_file(part, info, notices)
    return _substitute(part, "the provider takes no files of this type", notices)


def text_block(text: str) -> JsonObject:
    """A block of text."""
    return {"type": "text", "text": text}


def _image(part: MediaPart, essence: str, notices: list[Notice]) -> JsonObject:
    media_type = "image/jpeg" if essence == "image/jpg" else essence
    if part.url is None and media_type not in _IMAGE_TYPES:
        return _substitute(part, "the provider takes only JPEG, PNG, GIF and WebP images", notices)
    return {"type": "image", "source": _source(part, media_type)}


def _text_file(part: MediaPart, info: ModelInfo, notices: list[Notice]) -> JsonObject:
    if part.data is None:
        return _substitute(part, "the provider fetches no text files by address", notices)
    text = text_of(part)
    if text is None:
        return _substitute(part, "it is not text in UTF-8", notices)
    if "pdf" in info.input_modalities:
        return _document({"type": "text", "media_type": "text/plain", "data": text}, part)
    # Who reads no PDF files knows no documents either (MiniMax).
    return text_block(f"{part.name or 'A file'}:\n\n{text}")


def _source(part: MediaPart, media_type: str) -> JsonObject:
    if part.url is not None:
        return {"type": "url", "url": part.url}
    return {"type": "base64", "media_type": media_type, "data": part.data}


def _document(source: JsonObject, part: MediaPart) -> JsonObject:
    block: JsonObject = {"type": "document", "source": source}
    return {**block, "title": part.name} if part.name else block


def _substitute(part: MediaPart, why: str, notices: list[Notice]) -> JsonObject:
    return text_block(substitute(part, why, notices).text)
