"""Where an answer has something from: grounding, citation and URL context metadata of a candidate."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from trunkline.wire.json_values import list_in, number_in, object_in, text_in
from trunkline_protocol.base import JsonObject
from trunkline_protocol.messages import Citation

_FETCHED = frozenset({"", "URL_RETRIEVAL_STATUS_SUCCESS"})


class PlacedCitation(NamedTuple):
    """A citation and the text that it belongs to."""

    citation: Citation
    text_index: int | None
    """Among the answer's texts; None for one that belongs to none in particular."""


class _Place(NamedTuple):
    text_index: int
    start: int
    end: int


def read_citations(candidate: JsonObject, texts: Sequence[str]) -> list[PlacedCitation]:
    """The citations in one chunk's candidate; `texts` are the answer's texts as far as they came.

    Google counts bytes of UTF-8 over all text, we count characters of one text. A position that does not
    fit the text that it quotes is looked for, and left out where it is not found.
    """
    return [
        *_from_url_context(object_in(candidate.get("urlContextMetadata"))),
        *_from_citation_metadata(object_in(candidate.get("citationMetadata")), texts),
        *_from_grounding(object_in(candidate.get("groundingMetadata")), texts),
    ]


def _from_url_context(metadata: JsonObject) -> Iterator[PlacedCitation]:
    for item in map(object_in, list_in(metadata.get("urlMetadata"))):
        url = text_in(item.get("retrievedUrl"))
        if url and text_in(item.get("urlRetrievalStatus")) in _FETCHED:
            yield PlacedCitation(Citation(url=url, raw=item), None)


def _from_citation_metadata(metadata: JsonObject, texts: Sequence[str]) -> Iterator[PlacedCitation]:
    for source in map(object_in, list_in(metadata.get("citations") or metadata.get("citationSources"))):
        if source:
            yield _placed(source, _place(source, texts), {"raw": source})


def _from_grounding(metadata: JsonObject, texts: Sequence[str]) -> Iterator[PlacedCitation]:
    chunks = [object_in(chunk) for chunk in list_in(metadata.get("groundingChunks"))]
    unused = set(range(len(chunks)))
    for support in map(object_in, list_in(metadata.get("groundingSupports"))):
        place = _place(object_in(support.get("segment")), texts)
        for index in list_in(support.get("groundingChunkIndices")):
            if isinstance(index, int) and 0 <= index < len(chunks):
                unused.discard(index)
                raw = {"groundingChunk": chunks[index], "groundingSupport": support}
                yield _placed(_source(chunks[index]), place, {"raw": raw})
    for index in sorted(unused):
        yield _placed(_source(chunks[index]), None, {"raw": {"groundingChunk": chunks[index]}})


def _source(chunk: JsonObject) -> JsonObject:
    """A chunk's one member: `web`, `retrievedContext`, `maps`, `image`, or a newer kind."""
    return next((object_in(value) for value in chunk.values() if isinstance(value, dict)), JsonObject())


def _placed(source: JsonObject, place: _Place | None, raw: JsonObject) -> PlacedCitation:
    return PlacedCitation(
        Citation(
            url=_first(source, "uri", "sourceUri", "imageUri"),
            title=_first(source, "title"),
            cited_text=_first(source, "text"),
            file_id=_first(source, "documentName", "mediaId"),
            start=place.start if place else None,
            end=place.end if place else None,
            **raw,
        ),
        place.text_index if place else None,
    )


def _first(source: JsonObject, *names: str) -> str | None:
    return next(filter(None, (text_in(source.get(name)) for name in names)), None)


def _place(segment: JsonObject, texts: Sequence[str]) -> _Place | None:
    quoted = text_in(segment.get("text"))
    end_byte = number_in(segment.get("endIndex"))
    whole = "".join(texts)
    if end_byte is not None:
        encoded = whole.encode()
        start_byte = int(number_in(segment.get("startIndex")) or 0)
        passage = encoded[start_byte : int(end_byte)].decode("utf-8", "replace")
        if passage and (not quoted or passage == quoted):
            start = len(encoded[:start_byte].decode("utf-8", "replace"))
            return _within(texts, start, start + len(passage))
    start = whole.find(quoted) if quoted else -1
    return None if start < 0 else _within(texts, start, start + len(quoted))


def _within(texts: Sequence[str], start: int, end: int) -> _Place | None:
    """Positions over all texts as positions in the one where the passage begins."""
    for index, text in enumerate(texts):
        if start < len(text):
            return _Place(index, start, min(end, len(text)))
        start, end = start - len(text), end - len(text)
    return None
