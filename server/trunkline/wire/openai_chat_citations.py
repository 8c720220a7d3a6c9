"""Sources that chat completions name: annotations of the text, and the lists of search engines."""

from trunkline.wire.json_values import list_in, object_in, text_in
from trunkline_protocol.base import JsonObject
from trunkline_protocol.messages import Citation


def annotation_citation(annotation: JsonObject) -> Citation:
    """An entry of `annotations`: `url_citation` (OpenAI, OpenRouter), `file` or `file_citation`."""
    kind = text_in(annotation.get("type"))
    body = object_in(annotation.get(kind)) or annotation
    names = (text_in(body.get(name)) for name in ("title", "name", "filename"))
    return Citation(
        url=text_in(body.get("url")) or None,
        title=next(filter(None, names), None),
        cited_text=text_in(body.get("content")) or None,
        file_id=text_in(body.get("file_id")) or text_in(body.get("hash")) or None,
        start=_position(body.get("start_index")),
        end=_position(body.get("end_index")),
        raw=annotation,
    )


class SearchResults:
    """The sources beside an answer: `citations`, a list of addresses, and `search_results` (Perplexity).

    Every chunk repeats them, so the last ones count, and they belong to the whole answer.
    """

    def __init__(self) -> None:
        self._addresses: list[str] = []
        self._results: list[JsonObject] = []

    def take(self, chunk: JsonObject) -> None:
        """Takes over what a chunk lists, if it does."""
        addresses = [
            text_in(item) or text_in(object_in(item).get("url")) for item in list_in(chunk.get("citations"))
        ]
        self._addresses = list(dict.fromkeys(filter(None, addresses))) or self._addresses
        results = [object_in(item) for item in list_in(chunk.get("search_results"))]
        self._results = [result for result in results if result] or self._results

    def citations(self) -> list[Citation]:
        """The sources; addresses that the results name too are told once."""
        named = {text_in(result.get("url")) for result in self._results}
        bare: list[JsonObject] = [{"url": address} for address in self._addresses if address not in named]
        return [_source(source) for source in (*self._results, *bare)]


def _source(source: JsonObject) -> Citation:
    return Citation(
        url=text_in(source.get("url")) or None,
        title=text_in(source.get("title")) or None,
        cited_text=text_in(source.get("snippet")) or None,
        raw=source,
    )


def _position(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
