"""llmock as the provider of each wire format, and what it is asked."""

from typing import Any

from support.user import CANARY, User
from trunkline.client import Client
from trunkline_protocol.chat import ChatStreamParams

WIRES = {
    "fastrouter": ("FASTROUTER_API_KEY", "/v1"),
    "openai": ("OPENAI_API_KEY", "/v1"),
    "anthropic": ("ANTHROPIC_API_KEY", "/anthropic/v1"),
    "google": ("GOOGLE_API_KEY", "/gemini/v1beta"),
}
"""A provider for each wire format: chat completions, Responses, Messages, Gemini. Its key and its route."""


def routed(user: User, llmock_url: str, provider_id: str, **settings: Any) -> dict[str, str]:
    """Send the provider's requests to llmock; the environment, with a key, of a server that does so."""
    key, route = WIRES[provider_id]
    user.route(llmock_url + route, provider_id, **settings)
    return {**user.env, key: CANARY}


async def known_model(client: Client, provider_id: str = "fastrouter") -> str:
    models = await client.request("model/list", {"providerIds": [provider_id], "refresh": "never"})
    return next(model["model"] for model in models["models"] if model["capabilities"]["tools"])


def ask(model: str, **more: Any) -> ChatStreamParams:
    return ChatStreamParams.model_validate(
        {"model": model, "messages": [{"role": "user", "content": "Hello"}], **more}
    )
