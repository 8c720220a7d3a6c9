"""Anthropic's list: limits and capabilities of every model, without prices, a thousand models at a time.

The API version is a header of the wire format.
"""

from urllib.parse import quote

from trunkline.catalog.listed import ListedModel
from trunkline.catalog.lists.entries import Entry, as_object, document, entries_under, identifier, label
from trunkline.catalog.lists.fields import iso_date, limit
from trunkline.catalog.lists.pages import Page, PagedReader
from trunkline.wire.json_values import object_in, text_in
from trunkline_protocol.models import Modality, TokenRange


def _page(body: bytes, provider_id: str) -> Page:
    answer = document(body, provider_id)
    entries = entries_under("data", answer, provider_id)
    last = text_in(object_in(answer).get("last_id")) if object_in(answer).get("has_more") is True else ""
    return Page(entries, next_url=f"?limit=1000&after_id={quote(last, safe='')}" if last else None)


def _model(entry: Entry) -> ListedModel:
    capabilities = as_object(entry.get("capabilities"), "capabilities")
    effort = object_in(capabilities.get("effort"))
    thinking = object_in(capabilities.get("thinking"))
    reasons = _supported(thinking)
    takes_budget = _supported(object_in(object_in(thinking.get("types")).get("enabled")))
    return ListedModel(
        model_id=identifier(entry),
        name=label(entry.get("display_name")),
        context_window=limit(entry.get("max_input_tokens")),
        max_output=limit(entry.get("max_tokens")),
        input_modalities=_inputs(capabilities),
        reasoning=reasons,
        reasoning_efforts=_efforts(effort) if reasons else None,
        reasoning_budget=TokenRange() if takes_budget else None,
        structured_output=_supported(object_in(capabilities.get("structured_outputs"))),
        release_date=iso_date(entry.get("created_at")),
    )


def _supported(feature: Entry) -> bool | None:
    supported = feature.get("supported")
    return supported if isinstance(supported, bool) else None


def _efforts(effort: Entry) -> tuple[str, ...] | None:
    """The levels in the list's order; none where there is no such control."""
    supported = _supported(effort)
    if supported is None:
        return None
    return tuple(level for level, value in effort.items() if supported and _supported(object_in(value)))


def _inputs(capabilities: Entry) -> tuple[Modality, ...] | None:
    kinds: tuple[tuple[Modality, str], ...] = (("image", "image_input"), ("pdf", "pdf_input"))
    said = {kind: _supported(object_in(capabilities.get(key))) for kind, key in kinds}
    if all(takes is None for takes in said.values()):
        return None
    return ("text", *(kind for kind, _ in kinds if said[kind]))


READER = PagedReader("/models?limit=1000", _page, _model)
