"""Lists of OpenAI-compatible endpoints, whatever shape they have and whatever they say beyond ids."""

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import cast

from trunkline.catalog.listed import Fetch, ListContext, ParsedList
from trunkline.catalog.lists.documents import status_of
from trunkline.catalog.lists.entries import document, not_a_list
from trunkline.catalog.lists.fields import today
from trunkline.catalog.lists.openai_entries import open_model
from trunkline.catalog.lists.pages import Page, read_models
from trunkline.errors import TrunklineError
from trunkline.wire.json_values import object_in

_NOT_HERE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})


class _NoListHereError(TrunklineError):
    """The answer holds no list; it may be at another address."""


@dataclass(frozen=True, slots=True)
class OpenAiReader:
    """Reads the first of `paths` below the base URL where there is a list."""

    paths: tuple[str, ...] = ("/models", "/v1/models")
    knows_prices: bool = False
    """Few of these lists have prices; those that have are believed nevertheless."""

    async def read(self, context: ListContext, fetch: Fetch) -> ParsedList:
        """The list. Where no address has one, the error is that of the first."""
        first: TrunklineError | None = None
        for path in self._paths_below(context.base_url):
            try:
                return await read_models(
                    f"{context.base_url}{path}",
                    fetch,
                    open_page,
                    partial(open_model, today=today()),
                    context.provider_id,
                )
            except TrunklineError as error:
                if not isinstance(error, _NoListHereError) and status_of(error) not in _NOT_HERE:
                    raise
                first = first or error
        raise first or not_a_list(context.provider_id, "No address was tried.")

    def _paths_below(self, base_url: str) -> tuple[str, ...]:
        """Without `/v1/v1`."""
        has_version = base_url.endswith("/v1")
        return tuple(path for path in self.paths if not (has_version and path.startswith("/v1/")))


def open_page(body: bytes, provider_id: str) -> Page:
    """The entries of `{data: [...]}`, `{models: [...]}` or a bare list; an entry that is text is an id.

    Raises:
        TrunklineError: UPSTREAM_ERROR when it is none of these.
    """
    try:
        answer = document(body, provider_id)
    except TrunklineError as error:
        raise _no_list_here(error) from None
    entries = answer
    if isinstance(answer, dict):
        members = object_in(answer)
        entries = members["data"] if isinstance(members.get("data"), list) else members.get("models")
    if not isinstance(entries, list):
        raise _no_list_here(
            not_a_list(provider_id, "The answer is neither a JSON list nor an object with one.")
        )
    return Page(
        [{"id": entry} if isinstance(entry, str) else entry for entry in cast("list[object]", entries)]
    )


def _no_list_here(error: TrunklineError) -> _NoListHereError:
    return _NoListHereError(error.code, error.message, **error.fields)


READER = OpenAiReader()
XAI = OpenAiReader(paths=("/language-models", "/models"))
"""xAI's `/models` has ids alone; its list of language models has modalities and prices."""
