"""What a provider says in the body of an error answer, whatever shape it has.

Shapes seen: `{error: {message, code, type, metadata}}`, `{error: "text", message?, code?}`, `{message}`,
`{detail: "text" | [{msg}] | {message}}`, `{errors: [{message, code}]}` and `{error: ["text"]}`, `{base_resp}`
(MiniMax), the same in a one-element array (Google) or in an event of a stream, plain text, an HTML page,
nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any

from trunkline.secrets import scrub
from trunkline.wire.json_values import list_in, number_in, object_in, parse_json, text_in
from trunkline_protocol.base import JsonObject

_DETAIL_CHARS = 1000
_READ_CHARS = 64 * 1024
"""How much of a text is looked at; what people can use is at its beginning."""
_WORD_CHARS = 100
_CODES = range(400, 600)
_IN_EVENT = re.compile(r"^data: ?(\{.*)", re.MULTILINE)
_SAYINGS = ("message", "msg", "error_msg", "Message", "error_description")
"""Members with words for people, in the order in which they are looked for."""
_BASE_RESP = {
    1001: "timeout",
    1002: "rate_limit_exceeded",
    1004: "invalid_api_key",
    1008: "insufficient_balance",
    1026: "content_filter",
    1027: "content_filter",
    1039: "rate_limit_exceeded",
    2049: "invalid_api_key",
}
"""Words for MiniMax' numbers (platform.minimax.io/docs/api-reference/errorcode)."""
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class UpstreamReport:
    """What the provider said about an error."""

    message: str | None = None
    """Plain text for people, without keys, at most 1,000 characters."""
    words: tuple[str, ...] = ()
    """Its codes and types that are words, most specific first, as they came, without keys."""
    status: int | None = None
    """The HTTP status that the body names."""
    request_id: str | None = None
    moderation: bool = False
    """Whether it says which content was flagged."""
    retryable: bool | None = None
    """Whether the provider itself calls the error retryable."""
    error: JsonObject | None = None
    """The error object itself, when there is one."""


def report_from_body(body: bytes) -> UpstreamReport:
    """Reads a body; one that says nothing gives an empty report."""
    text = body.decode("utf-8", "replace").strip()
    event = _IN_EVENT.search(text) if text.startswith(("data:", "event:")) else None
    try:
        value = parse_json(event[1] if event else text)
    except ValueError:
        return UpstreamReport(message=plain_text(text) or None)
    items = list_in(value)
    payload = object_in(items[0] if items else value)
    return (
        report_from_payload(payload)
        if payload
        else UpstreamReport(message=plain_text(text_in(value)) or None)
    )


def report_from_payload(payload: JsonObject) -> UpstreamReport:
    """Reads a JSON object that holds an error under `error`, or is one itself."""
    nested = payload.get("error") or _of_base_resp(object_in(payload.get("base_resp")))
    several = list_in(payload.get("errors")) or list_in(nested)
    error = object_in(nested) or object_in(next(iter(several), None)) or payload
    metadata = object_in(error.get("metadata"))
    return UpstreamReport(
        message=_message(payload, error, metadata, several),
        words=_words(payload, error, metadata),
        status=_status(error, metadata),
        request_id=_word(payload.get("request_id")) or _word(error.get("request_id")) or None,
        moderation="flagged_input" in metadata or bool(list_in(metadata.get("reasons"))),
        retryable=_retryable(error),
        error=error,
    )


def is_failure(payload: JsonObject) -> bool:
    """Whether an object in the place of an answer says itself that it is an error."""
    return bool(
        payload.get("error")
        or payload.get("errors")
        or "error" in (payload.get("object"), payload.get("type"))
        or _of_base_resp(object_in(payload.get("base_resp")))
    )


def plain_text(text: str) -> str:
    """`text` for people: an HTML page's title or words, on one line, keys masked, cut to size."""
    text = text[:_READ_CHARS]
    if text.lstrip()[:1] == "<":
        title = _TITLE.search(text)
        text = unescape(_TAG.sub(" ", title[1] if title else text))
    text = scrub(" ".join("".join(char if char.isprintable() else " " for char in text).split()))
    return text if len(text) <= _DETAIL_CHARS else text[: _DETAIL_CHARS - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _message(
    payload: JsonObject, error: JsonObject, metadata: JsonObject, several: Sequence[Any]
) -> str | None:
    said = [
        *(_said(source) for source in (error, payload)),
        text_in(payload.get("error")),
        "; ".join(filter(None, map(text_in, several))),
        _detail(error.get("detail")),
        _detail(payload.get("detail")),
    ]
    first = next(filter(None, said), "")
    raw = _raw(metadata.get("raw"))
    return plain_text(f"{first}: {raw}" if raw and raw not in first else first) or None


def _said(source: JsonObject) -> str:
    """A text, or several of them (NestJS)."""
    for name in _SAYINGS:
        value = source.get(name)
        said = text_in(value) or "; ".join(filter(None, map(text_in, list_in(value))))
        if said:
            return said
    return ""


def _of_base_resp(answer: JsonObject) -> JsonObject | None:
    """MiniMax' `base_resp` as an error; every good answer has one as well, with the code 0."""
    code = answer.get("status_code")
    if not isinstance(code, int) or not code:
        return None
    return {"message": text_in(answer.get("status_msg")), "code": _BASE_RESP.get(code, str(code))}


def _detail(detail: object) -> str:
    """FastAPI's `detail`: a text, a list of `{loc, msg}`, or an object of the application's own."""
    messages = [text_in(object_in(item).get("msg")) for item in list_in(detail)]
    own = object_in(detail)
    return (
        text_in(detail)
        or "; ".join(filter(None, messages))
        or text_in(own.get("message"))
        or text_in(own.get("error"))
    )


def _raw(raw: object) -> str:
    """The answer of the provider behind a gateway, as text."""
    if isinstance(raw, str) and raw:
        return report_from_body(raw.encode("utf-8", "replace")).message or ""
    payload = object_in(raw)
    return (report_from_payload(payload).message or "") if payload else ""


def _words(payload: JsonObject, error: JsonObject, metadata: JsonObject) -> tuple[str, ...]:
    candidates = (
        error.get("code"),
        *(object_in(detail).get("reason") for detail in list_in(error.get("details"))),
        object_in(error.get("innererror")).get("code"),
        metadata.get("error_type"),
        error.get("error_type"),
        error.get("type"),
        error.get("status"),
        payload.get("code"),
        object_in(error.get("availability")).get("code"),
    )
    words = map(_word, candidates)
    return tuple(dict.fromkeys(word for word in words if word and not word.isdigit()))


def _word(value: object) -> str:
    """A code or an id, which may hold anything, like any other text."""
    return plain_text(text_in(value))[:_WORD_CHARS]


def _status(error: JsonObject, metadata: JsonObject) -> int | None:
    for value in (
        *(error.get(name) for name in ("code", "status", "status_code", "http_status")),
        metadata.get("status_code"),
    ):
        number = int(value) if isinstance(value, str) and value.isdecimal() else number_in(value)
        if number is not None and number in _CODES:
            return int(number)
    return None


def _retryable(error: JsonObject) -> bool | None:
    value = object_in(error.get("availability")).get("retryable")
    return value if isinstance(value, bool) else None
