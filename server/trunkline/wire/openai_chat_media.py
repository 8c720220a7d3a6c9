"""Media in chat completions: what users send, and what models make."""

from base64 import b64decode, b64encode
from mimetypes import guess_type
from urllib.parse import urlsplit

from trunkline.wire.json_values import object_in, text_in
from trunkline.wire.substitutes import inlined, modality_of, substitute
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import Notice
from trunkline_protocol.messages import MediaPart

_AUDIO_FORMATS = {"mpeg": "mp3", "wave": "wav", "vnd.wave": "wav", "mp4": "m4a"}
_SOUND_TYPES = {"pcm16": "audio/pcm", "mp3": "audio/mpeg"}


def media_content(part: MediaPart, notices: list[Notice], *, file_urls: bool) -> JsonObject:
    """The content part for a medium: its type says which kind it is, and where the type is unknown, the part.

    What has no place here becomes a text that says so. `file_urls`: whether the endpoint fetches files by
    address.
    """
    modality = modality_of(part.mime_type)
    address = part.url or f"data:{part.mime_type};base64,{part.data}"
    if modality == "image" or (modality is None and part.type == "image"):
        return {"type": "image_url", "image_url": {"url": address}}
    if modality == "video":
        return {"type": "video_url", "video_url": {"url": address}}
    if modality == "audio" and part.data is not None:
        subtype = part.mime_type.partition(";")[0].strip().lower().partition("/")[2].removeprefix("x-")
        sound = {"data": part.data, "format": _AUDIO_FORMATS.get(subtype, subtype)}
        return {"type": "input_audio", "input_audio": sound}
    if modality == "audio":
        return _noted(part, "this provider takes sound as data, not by address", notices)
    if part.type == "audio":
        return _noted(part, f"{part.mime_type!r} is not the type of a sound", notices)
    return _file(part, address, notices, file_urls=file_urls)


def made_image(image: JsonObject) -> MediaPart | None:
    """An image out of `images` or of a content part; None when there is none in it."""
    nested = image.get("image_url")
    return _from_address(text_in(nested) or text_in(object_in(nested).get("url")))


class SoundDraft:
    """A spoken answer while it is being received."""

    def __init__(self, sound_format: str) -> None:
        """`sound_format` is the one that was asked for."""
        self._mime_type = _SOUND_TYPES.get(sound_format, f"audio/{sound_format}")
        self._data = bytearray()

    def add(self, data: str) -> None:
        """Appends a piece in base64; one that is none is left out."""
        try:
            self._data += b64decode(data)
        except ValueError:
            return

    def part(self) -> MediaPart | None:
        """The sound as far as it came."""
        if not self._data:
            return None
        data = b64encode(self._data).decode("ascii")
        return MediaPart(type="audio", mime_type=self._mime_type, data=data)


def _file(part: MediaPart, address: str, notices: list[Notice], *, file_urls: bool) -> JsonObject:
    text = inlined(part)
    if text is not None:
        return {"type": "text", "text": text.text}
    if part.url is not None and not file_urls:
        return _noted(part, "this provider takes files as data, not by address", notices)
    return {"type": "file", "file": {"filename": part.name or "file", "file_data": address}}


def _noted(part: MediaPart, why: str, notices: list[Notice]) -> JsonObject:
    return {"type": "text", "text": substitute(part, why, notices).text}


def _from_address(url: str) -> MediaPart | None:
    if not url.startswith("data:"):
        mime_type = guess_type(urlsplit(url).path)[0] or "image/png"
        return MediaPart(type="image", mime_type=mime_type, url=url) if url else None
    kind, _, data = url.removeprefix("data:").partition(",")
    mime_type, _, encoding = kind.rpartition(";")
    if encoding != "base64" or not data:
        return None
    return MediaPart(type="image", mime_type=mime_type or "image/png", data=data)
