"""Google's list: limits and methods of every model, without prices, a thousand models at a time."""

from urllib.parse import quote

from trunkline.catalog.listed import ListedModel
from trunkline.catalog.lists.entries import (
    Entry,
    MalformedEntryError,
    as_list,
    document,
    entries_under,
    identifier,
    label,
)
from trunkline.catalog.lists.fields import limit
from trunkline.catalog.lists.kinds import is_chat_id
from trunkline.catalog.lists.pages import Page, PagedReader
from trunkline.wire.json_values import object_in, text_in


def _page(body: bytes, provider_id: str) -> Page:
    answer = document(body, provider_id)
    entries = entries_under("models", answer, provider_id)
    token = text_in(object_in(answer).get("nextPageToken"))
    return Page(entries, next_url=f"?pageSize=1000&pageToken={quote(token, safe='')}" if token else None)


def _model(entry: Entry) -> ListedModel:
    """Speech and image models have the same method as others, so their ids are looked at too.

    Nothing is said about tools; and a member that is false is left out of Google's JSON, so what is absent is
    left open.
    """
    model_id = identifier(entry, "name").removeprefix("models/")
    if not model_id:
        raise MalformedEntryError("it has no id")
    methods = as_list(entry, "supportedGenerationMethods")
    return ListedModel(
        model_id=model_id,
        name=label(entry.get("displayName")),
        version=label(entry.get("version")),
        context_window=limit(entry.get("inputTokenLimit")),
        max_output=limit(entry.get("outputTokenLimit")),
        reasoning=True if entry.get("thinking") is True else None,
        temperature="temperature" in entry or "maxTemperature" in entry or None,
        caching="createCachedContent" in methods or None,
        is_chat=("generateContent" in methods or not methods) and is_chat_id(model_id),
    )


READER = PagedReader("/models?pageSize=1000", _page, _model)
