"""Reading a list entry by entry: one that is malformed is left out and reported, the others are kept."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from trunkline.catalog.listed import ListedModel, ParsedList
from trunkline.errors import TrunklineError
from trunkline.wire.json_values import parse_json
from trunkline_protocol.errors import ErrorCode

Entry = Mapping[str, Any]

_LONGEST_ID_SHOWN = 80
_REASONS_SHOWN = 3
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_HINT = "Check the provider's base URL; if it is right, try again later."


class MalformedEntryError(Exception):
    """One entry cannot be read; the message says why."""


def document(body: bytes, provider_id: str) -> Any:
    """The JSON value of an answer.

    Raises:
        TrunklineError: UPSTREAM_ERROR when it is none. Not STREAM_MALFORMED: nothing was streamed, and a
            proxy's login page or a cut answer may well be gone at the next try.
    """
    try:
        return parse_json(body)
    except ValueError:
        raise not_a_list(provider_id, "The answer is not JSON.") from None


def entries_under(key: str, answer: object, provider_id: str) -> list[object]:
    """The list that `answer` holds under `key`; raises like `document` when there is none."""
    data = cast("Entry", answer).get(key) if isinstance(answer, dict) else None
    if not isinstance(data, list):
        raise not_a_list(provider_id, f"The answer is not a JSON object with a list named {key}.")
    return cast("list[object]", data)


def not_a_list(provider_id: str, detail: str) -> TrunklineError:
    """The answer holds no list of models."""
    return TrunklineError(
        ErrorCode.UPSTREAM_ERROR,
        f"The model list of {provider_id} is not in the expected format.",
        provider_id=provider_id,
        detail=detail,
        hint=_HINT,
    )


def parsed_list(
    raw: Iterable[object],
    parse: Callable[[Entry], ListedModel | None],
    *,
    provider_id: str,
    notes: tuple[str, ...] = (),
) -> ParsedList:
    """The models of the entries `raw`; `notes` is what else was left out.

    `parse` returns None for an entry that is not offered at the moment, and raises `MalformedEntryError`. Of
    two entries with one id the first counts.

    Raises:
        TrunklineError: UPSTREAM_ERROR when no model is left. A provider has models, so such a list says that
            something is wrong with it and must not replace a good one.
    """
    models: dict[str, ListedModel] = {}
    skipped: list[str] = []
    for index, value in enumerate(raw):
        try:
            model = parse(as_object(value, "the entry"))
        except MalformedEntryError as problem:
            skipped.append(f"{_where(index, value)}: {problem}")
            continue
        if model is not None and models.setdefault(model.model_id, model) is not model:
            skipped.append(f"{_where(index, value)}: its id occurred before")
    if not models:
        raise _empty(provider_id, (*skipped, *notes))
    return ParsedList(tuple(models.values()), (*skipped, *notes))


def _empty(provider_id: str, reasons: tuple[str, ...]) -> TrunklineError:
    return TrunklineError(
        ErrorCode.UPSTREAM_ERROR,
        f"The model list of {provider_id} holds no model.",
        provider_id=provider_id,
        detail="; ".join(reasons[:_REASONS_SHOWN]) or None,
        hint=_HINT,
    )


def identifier(entry: Entry, *keys: str) -> str:
    """The first text that is not blank under `keys` (`id` where none are named)."""
    for key in keys or ("id",):
        model_id = as_text(entry, key).strip()
        if _CONTROL.search(model_id):
            raise MalformedEntryError("its id holds control characters")
        if model_id:
            return model_id
    raise MalformedEntryError("it has no id")


def as_object(value: object, what: str) -> Entry:
    """`value` as an object; null is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedEntryError(f"{what} is not an object")
    return cast("Entry", value)


def as_list(entry: Entry, key: str) -> list[object]:
    """The list under `key`; nothing is an empty one."""
    value = entry.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedEntryError(f"{key} is not a list")
    return cast("list[object]", value)


def as_text(entry: Entry, key: str) -> str:
    """The text under `key`; nothing is an empty one."""
    value = entry.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedEntryError(f"{key} is not text")
    return value


def label(value: object) -> str | None:
    """`value` if it is text with something in it, but with spaces for control characters."""
    return _CONTROL.sub(" ", value) if isinstance(value, str) and value.strip() else None


def _where(index: int, raw: object) -> str:
    model_id = cast("Entry", raw).get("id") if isinstance(raw, dict) else None
    named = f" ({model_id[:_LONGEST_ID_SHOWN]})" if isinstance(model_id, str) and model_id else ""
    return f"entry {index}{named}"
