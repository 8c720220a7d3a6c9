"""The public lists of FastRouter and OpenRouter, page by page."""

from dataclasses import dataclass
from functools import partial

from trunkline.catalog.listed import Fetch, ListContext, ParsedList
from trunkline.catalog.lists.documents import status_of
from trunkline.catalog.lists.entries import document, entries_under
from trunkline.catalog.lists.fields import today
from trunkline.catalog.lists.gateway_entries import gateway_model
from trunkline.catalog.lists.pages import Page, read_models
from trunkline.errors import TrunklineError
from trunkline.wire.json_values import object_in, text_in

_REFUSED = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class GatewayReader:
    """Reads `<base>/models`, without the key: the list is public. Where a proxy refuses that, with it."""

    zero_is_free: bool
    knows_prices: bool = True

    async def read(self, context: ListContext, fetch: Fetch) -> ParsedList:
        """The whole list."""
        try:
            return await self._read(context, partial(fetch, anonymous=True))
        except TrunklineError as error:
            if not context.has_key or status_of(error) not in _REFUSED:
                raise
        return await self._read(context, fetch)

    async def _read(self, context: ListContext, fetch: Fetch) -> ParsedList:
        return await read_models(
            f"{context.base_url}/models",
            fetch,
            gateway_page,
            partial(gateway_model, zero_is_free=self.zero_is_free, today=today()),
            context.provider_id,
        )


def gateway_page(body: bytes, provider_id: str) -> Page:
    """One page: `{data, total_count?, links: {next?}}`.

    Raises:
        TrunklineError: UPSTREAM_ERROR when it is none.
    """
    answer = document(body, provider_id)
    entries = entries_under("data", answer, provider_id)
    total = object_in(answer).get("total_count")
    return Page(
        entries,
        next_url=text_in(object_in(object_in(answer).get("links")).get("next")) or None,
        total=total if isinstance(total, int) else None,
    )


FASTROUTER = GatewayReader(zero_is_free=False)
OPENROUTER = GatewayReader(zero_is_free=True)
