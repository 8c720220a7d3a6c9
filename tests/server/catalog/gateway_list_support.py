"""Entries of the shape that FastRouter, OpenRouter and Kilo share, and what is read of them."""

from typing import Any

from remote_list_support import ListServer, read

from trunkline.catalog.listed import ListedModel, ParsedList
from trunkline_protocol.models import Pricing

GATEWAYS = ["fastrouter", "openrouter", "kilo"]
ZERO_IS_FREE = ["openrouter", "kilo"]

FULL: dict[str, Any] = {
    "id": "acme/rocket-1",
    "name": "Acme: Rocket 1",
    "created": 1779926400,
    "context_length": 200_000,
    "max_completion_tokens": 32_000,
    "pricing": {
        "prompt": "0.000005",
        "completion": "0.000025",
        "input_cache_read": "0.0000005",
        "input_cache_write": "0.00000625",
        "image": "0.024",
    },
    "architecture": {"input_modalities": ["text", "image", "file"], "output_modalities": ["text"]},
    "supported_parameters": ["tools", "temperature", "reasoning", "structured_outputs"],
    "top_provider": {"max_completion_tokens": 64_000},
    "is_active": True,
}


def answer(*entries: object) -> ListServer:
    return ListServer({"/v1/models": {"object": "list", "data": entries}})


async def parse(*entries: object, gateway: str = "openrouter") -> ParsedList:
    return await read(gateway, answer(*entries))


async def parse_one(entry: dict[str, Any], gateway: str = "openrouter") -> ListedModel:
    (model,) = (await parse(entry, gateway=gateway)).models
    return model


async def pricing_of(prices: dict[str, Any], gateway: str = "openrouter") -> Pricing:
    pricing = (await parse_one({"id": "a", "pricing": prices}, gateway)).pricing
    assert pricing is not None
    return pricing
