"""vLLM's list: `/v1/models`, with the window of each model and the adapters it serves.

Shape: `ModelCard` in vLLM's `entrypoints/openai` (2026-11).

    GET /v1/models  {data: [{id, root, parent, max_model_len}]}

A LoRA adapter is a model of its own, whose `parent` is the id of the model it was made for. Whether a model
calls tools, reasons or sees depends on how the server was started, and is not told.
"""

from trunkline.catalog.listed import Fetch, ListContext, ListedModel, ListReader, ParsedList
from trunkline.catalog.lists.entries import Entry, document, entries_under, identifier, parsed_list
from trunkline.catalog.lists.fields import limit
from trunkline.catalog.lists.kinds import is_chat_id
from trunkline.catalog.lists.local_server import free
from trunkline.wire.json_values import object_in, text_in


class _VLLMReader:
    knows_prices = True

    async def read(self, context: ListContext, fetch: Fetch) -> ParsedList:
        answer = document(await fetch(f"{context.base_url}/models"), context.provider_id)
        entries = entries_under("data", answer, context.provider_id)
        if not entries:
            return ParsedList(())
        windows = {
            text_in(entry.get("id")): limit(entry.get("max_model_len")) for entry in map(object_in, entries)
        }

        def model(entry: Entry) -> ListedModel:
            model_id = identifier(entry)
            below = text_in(entry.get("parent"))
            return ListedModel(
                model_id=model_id,
                context_window=limit(entry.get("max_model_len"), windows.get(below)),
                temperature=True,
                structured_output=True,
                pricing=free(),
                is_chat=is_chat_id(below or model_id),
            )

        return parsed_list(entries, model, provider_id=context.provider_id)


READER: ListReader = _VLLMReader()
