"""The `keys.json` of `llm`: an object of keys by the names that its plugins, or its users, gave them."""

from pathlib import Path

from trunkline.auth.importing.found import Found, KnownProviders, found_key, useless
from trunkline_protocol.base import JsonObject

KEY_ID = "llm"

PROVIDERS = {
    "claude": "anthropic",
    "fireworks": "fireworks-ai",
    "gemini": "google",
    "github": "github-models",
    "grok": "xai",
    "moonshot": "moonshotai",
    "together": "togetherai",
}
"""The names of its plugins that are not the provider's id. Where both are there, the id itself counts."""

_REMARK = "//"
"""Begins the name of the member that warns people who open the file."""


def read_names(file: Path, document: JsonObject, known: KnownProviders) -> tuple[Found, ...]:
    """Every key of `document`."""
    return tuple(
        _read_name(file, name, value, document, known)
        for name, value in document.items()
        if not name.startswith(_REMARK)
    )


def _read_name(file: Path, name: str, value: object, document: JsonObject, known: KnownProviders) -> Found:
    provider_id = name if name in known.ids else PROVIDERS.get(name)
    if provider_id is None or provider_id not in known.ids:
        return useless(file, name, "no provider here has this name; store it with `trunkline auth login`")
    if provider_id != name and provider_id in document:
        return useless(file, name, f"an older name of {provider_id}, which is there as well", provider_id)
    return found_key(file, name, provider_id, KEY_ID, value)
