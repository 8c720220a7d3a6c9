"""The lists of Apertis: one for a key, and a public one of bare ids (wire-formats 1c)."""

from functools import partial
from urllib.parse import urljoin

from trunkline.catalog.listed import Fetch, ListContext, ParsedList
from trunkline.catalog.lists.fields import today
from trunkline.catalog.lists.openai import open_page
from trunkline.catalog.lists.openai_entries import open_model
from trunkline.catalog.lists.pages import read_models


class ApertisReader:
    """Reads `<base>/models` with a key, and `/api/models` of the same server without one."""

    knows_prices = False

    async def read(self, context: ListContext, fetch: Fetch) -> ParsedList:
        """The list; either address may answer in either shape."""
        base_url = context.base_url
        return await read_models(
            f"{base_url}/models" if context.has_key else urljoin(base_url, "/api/models"),
            fetch,
            open_page,
            partial(open_model, today=today()),
            context.provider_id,
        )


READER = ApertisReader()
