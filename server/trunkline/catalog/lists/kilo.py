"""Kilo's list: OpenRouter's shape, for an account, an organisation or everybody (wire-formats 1c)."""

import logging
from functools import partial
from urllib.parse import quote

from trunkline.catalog.listed import Fetch, ListContext, ParsedList
from trunkline.catalog.lists.documents import status_of
from trunkline.catalog.lists.fields import today
from trunkline.catalog.lists.gateway_entries import gateway_model
from trunkline.catalog.lists.openrouter import gateway_page
from trunkline.catalog.lists.pages import read_models
from trunkline.errors import TrunklineError

logger = logging.getLogger(__name__)

_UNAUTHORIZED = 401


class KiloReader:
    """Reads `<base>/models`, or `<base>/organizations/{id}/models` with the option `organization`.

    The headers that Kilo wants (its editor name, the organisation) come with the provider's row, since chat
    requests carry them too.
    """

    knows_prices = True

    async def read(self, context: ListContext, fetch: Fetch) -> ParsedList:
        """The list. Who has a key that is refused gets what everybody does, as in Kilo's own client."""
        organization = context.options.get("organization") if context.has_key else None
        if organization:
            return await _read(context, fetch, f"/organizations/{quote(organization, safe='')}/models")
        try:
            return await _read(context, fetch, "/models")
        except TrunklineError as error:
            if not context.has_key or status_of(error) != _UNAUTHORIZED:
                raise
        logger.warning("%s refuses the key: its list for everybody is used", context.provider_id)
        return await _read(context, partial(fetch, anonymous=True), "/models")


async def _read(context: ListContext, fetch: Fetch, path: str) -> ParsedList:
    return await read_models(
        f"{context.base_url}{path}",
        fetch,
        gateway_page,
        partial(gateway_model, zero_is_free=True, today=today()),
        context.provider_id,
    )


READER = KiloReader()
