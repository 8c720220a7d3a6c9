"""Reads the `/models` answer of FastRouter and OpenRouter (wire-formats 1a and 1b) into models.

Both answer `{data: [{id, name, created, context_length, pricing, architecture, ...}]}`, with prices as
strings in USD per token.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

from pydantic_core import from_json

from trunkline.catalog.fields import (
    DEFAULT_CONTEXT_WINDOW,
    DEFAULT_MAX_OUTPUT,
    amount,
    modalities,
    token_limit,
)
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import Modality, ModelCapabilities, ModelInfo, Pricing

_LONGEST_ID_SHOWN = 80

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ParsedList:
    """The models of one answer, in its order, and why entries were left out (hidden models not counted)."""

    models: tuple[ModelInfo, ...]
    skipped: tuple[str, ...]


class _MalformedError(Exception):
    """One entry cannot be read; the message says why."""


def parse_model_list(body: bytes, *, provider_id: str, fetched_at: str) -> ParsedList:
    """Every chat model of the answer `body`, with `source="live"`.

    A malformed entry is left out and reported in `skipped`. Inactive models, and models that produce no
    text, are left out silently. Of two entries with one id the first counts.

    Raises:
        TrunklineError: UPSTREAM_ERROR when `body` is not JSON or holds no list. Not STREAM_MALFORMED: nothing
            was streamed, and a proxy's login page or a cut answer may well be gone at the next try.
    """
    models: list[ModelInfo] = []
    skipped: list[str] = []
    seen: set[str] = set()
    for index, raw in enumerate(_entries(body, provider_id)):
        try:
            entry = _object(raw, "the entry")
            model_id = _model_id(entry, seen)
            model = _model(entry, model_id, provider_id=provider_id, fetched_at=fetched_at)
            seen.add(model_id)
        except _MalformedError as problem:
            skipped.append(f"{_where(index, raw)}: {problem}")
            continue
        if "text" in model.output_modalities and _is_active(entry):
            models.append(model)
    return ParsedList(tuple(models), tuple(skipped))


def _entries(body: bytes, provider_id: str) -> list[object]:
    try:
        answer = from_json(body)
    except ValueError:
        answer = None
    data = cast("Entry", answer).get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list):
        raise TrunklineError(
            ErrorCode.UPSTREAM_ERROR,
            f"The model list of {provider_id} is not in the expected format.",
            provider_id=provider_id,
            detail="The answer is not a JSON object with a list named data.",
            hint="Check the provider's base URL; if it is right, try again later.",
        )
    return cast("list[object]", data)


def _model(entry: Entry, model_id: str, *, provider_id: str, fetched_at: str) -> ModelInfo:
    architecture = _object(entry.get("architecture"), "architecture")
    inputs = _modalities(architecture, "input_modalities")
    top_provider = _object(entry.get("top_provider"), "top_provider")
    return ModelInfo(
        model=f"{provider_id}/{model_id}",
        provider_id=provider_id,
        name=_text(entry, "name") or model_id,
        family=model_id.partition("/")[0] if "/" in model_id else None,
        context_window=token_limit(entry.get("context_length"), default=DEFAULT_CONTEXT_WINDOW),
        max_output=token_limit(
            entry.get("max_completion_tokens"),
            top_provider.get("max_completion_tokens"),
            default=DEFAULT_MAX_OUTPUT,
        ),
        input_modalities=inputs,
        output_modalities=_modalities(architecture, "output_modalities"),
        capabilities=_capabilities(_list(entry, "supported_parameters"), inputs),
        pricing=_pricing(_object(entry.get("pricing"), "pricing")),
        release_date=_date(entry.get("created")),
        source="live",
        fetched_at=fetched_at,
    )


def _capabilities(parameters: list[object], inputs: tuple[Modality, ...]) -> ModelCapabilities:
    """Only what the list names is claimed: with no list of parameters, nothing is."""

    def names(*wanted: str) -> bool:
        return any(name in parameters for name in wanted)

    return ModelCapabilities(
        tools=names("tools", "tool_choice"),
        reasoning=names("reasoning", "include_reasoning"),
        attachments=any(modality != "text" for modality in inputs),
        temperature=names("temperature"),
        structured_output=names("structured_outputs", "response_format"),
    )


def _pricing(prices: Entry) -> Pricing:
    return Pricing(
        input=_price(prices.get("prompt")),
        output=_price(prices.get("completion")),
        cache_read=_price(prices.get("input_cache_read")),
        cache_write=_price(prices.get("input_cache_write")),
    )


def _price(per_token: object) -> Decimal | None:
    """USD per million tokens. 0 is what these lists say when they do not know, so it is unknown."""
    return amount(per_token, shift=6) or None


def _modalities(architecture: Entry, key: str) -> tuple[Modality, ...]:
    """Text when the list says nothing; none when it names only what is unknown here."""
    names = _list(architecture, key)
    return modalities(names) if names else ("text",)


def _date(created: object) -> str | None:
    """The ISO date of Unix seconds in UTC; 0 is unknown, and so is what is no time."""
    seconds = amount(created)
    if not seconds:
        return None
    try:
        return datetime.fromtimestamp(int(seconds), UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return None


def _is_active(entry: Entry) -> bool:
    """OpenRouter lists only active models and does not say so."""
    return entry.get("is_active") not in (False, 0)


def _model_id(entry: Entry, seen: set[str]) -> str:
    model_id = _text(entry, "id").strip()
    if not model_id:
        raise _MalformedError("it has no id")
    if model_id in seen:
        raise _MalformedError("its id occurred before")
    return model_id


def _object(value: object, what: str) -> Entry:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _MalformedError(f"{what} is not an object")
    return cast("Entry", value)


def _list(entry: Entry, key: str) -> list[object]:
    value = entry.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _MalformedError(f"{key} is not a list")
    return cast("list[object]", value)


def _text(entry: Entry, key: str) -> str:
    value = entry.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _MalformedError(f"{key} is not text")
    return value


def _where(index: int, raw: object) -> str:
    model_id = cast("Entry", raw).get("id") if isinstance(raw, dict) else None
    named = f" ({model_id[:_LONGEST_ID_SHOWN]})" if isinstance(model_id, str) and model_id else ""
    return f"entry {index}{named}"
