"""A list that comes in pages: followed to its end, on its own server, and not for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urljoin

from trunkline.catalog.listed import Fetch, ListContext, ListedModel, ParsedList
from trunkline.catalog.lists.entries import Entry, parsed_list
from trunkline.wire.origin import origin_of

MOST_PAGES = 20
"""Pages of one list at most; today's longest lists have one."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer."""

    entries: list[object]
    next_url: str | None = None
    """Where the list goes on, absolute or relative to this page; None on the last one."""
    total: int | None = None
    """How many entries the whole list has, where it says so."""


ReadPage = Callable[[bytes, str], Page]
"""Makes a page of an answer's body; of which provider it is, for errors."""
Parse = Callable[[Entry], ListedModel | None]
"""As for `parsed_list`."""


@dataclass(frozen=True, slots=True)
class PagedReader:
    """Reads a list that stands at one address, for whoever has a key."""

    path: str
    """Below the base URL."""
    read_page: ReadPage
    parse: Parse
    knows_prices: bool = False

    async def read(self, context: ListContext, fetch: Fetch) -> ParsedList:
        """The whole list."""
        url = f"{context.base_url}{self.path}"
        return await read_models(url, fetch, self.read_page, self.parse, context.provider_id)


async def read_models(
    url: str, get: Callable[[str], Awaitable[bytes]], read: ReadPage, parse: Parse, provider_id: str
) -> ParsedList:
    """The models of the list that begins at `url`.

    `read` and `parse` run in a thread: a big answer takes tens of milliseconds, and nobody else should wait
    for it. A next page elsewhere is not fetched, since the key belongs to this server. What is missing at the
    end is reported in `skipped`.

    Raises:
        TrunklineError: what `get` and `read` raise, and UPSTREAM_ERROR when there is no model.
    """
    entries: list[object] = []
    notes: list[str] = []
    seen: list[str] = []
    total = 0
    following: str | None = url
    while following is not None:
        seen.append(following)
        page = await asyncio.to_thread(read, await get(following), provider_id)
        entries += page.entries
        total = max(total, page.total or 0)
        following = _following(page, seen, notes)
    if total > len(entries) and not notes:
        notes.append(f"the rest of the list: it says that it has {total} models and names {len(entries)}")
    return await asyncio.to_thread(parsed_list, entries, parse, provider_id=provider_id, notes=tuple(notes))


def _following(page: Page, seen: list[str], notes: list[str]) -> str | None:
    """The page after `page`, the last of `seen`; `notes` gets a line when it must not be fetched."""
    if page.next_url is None:
        return None
    try:
        url = urljoin(seen[-1], page.next_url)
    except ValueError:
        url = ""
    if not same_origin(seen[-1], url):
        notes.append("the rest of the list: it is on another server")
    elif url in seen:
        notes.append("the rest of the list: its pages go in a circle")
    elif len(seen) >= MOST_PAGES:
        notes.append(f"the rest of the list: it has more than {MOST_PAGES} pages")
    else:
        return url
    return None


def same_origin(url: str, other: str) -> bool:
    """Whether both are absolute URLs with the same scheme, host and port (RFC 6454, section 5)."""
    try:
        return origin_of(url) == origin_of(other)
    except ValueError:
        return False
