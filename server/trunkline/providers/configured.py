"""A provider's row with what its section of the configuration says instead."""

from dataclasses import replace

from trunkline.config.settings import ProviderSettings
from trunkline.providers.endpoint import is_local
from trunkline.providers.spec import ProviderSpec
from trunkline.providers.wires import api_type_of
from trunkline_protocol.providers import ApiType

_LISTS: dict[ApiType, str] = {
    "openai-chat": "openai",
    "openai-responses": "openai",
    "openrouter": "openrouter",
    "anthropic": "anthropic",
    "gemini": "gemini",
    "ollama": "ollama",
}
"""How an endpoint that speaks a format most likely lists its models."""


def configured(row: ProviderSpec, own: ProviderSettings) -> ProviderSpec:
    """`row` as the user wants it."""
    api_type = own.api_type or (api_type_of(own.npm) if own.npm else row.api_type)
    own_url = own.options.base_url or own.api
    base_url = own_url or row.base_url
    env_vars = row.env_vars if own.env is None else own.env
    return replace(
        row,
        api_type=api_type,
        base_url=base_url,
        env_vars=env_vars,
        key_header=row.key_header if api_type == row.api_type else None,
        needs_key=_needs_key(row, own, own_url),
        model_list=_model_list(row, own, api_type),
    )


def _needs_key(row: ProviderSpec, own: ProviderSettings, own_url: str | None) -> bool:
    """Servers on this machine that the user has set up mostly need none."""
    if row.source == "config":
        # Who names a variable for the key means that there is one.
        return bool(own.env) and not is_local(own_url)
    return row.needs_key and not (row.source == "catalog" and is_local(own_url))


def _model_list(row: ProviderSpec, own: ProviderSettings, api_type: ApiType) -> str | None:
    """How it is asked for its models.

    A provider of the user's own is asked unless told otherwise, one of the catalogue's only when told so.
    """
    wanted = own.options.discover_models
    if wanted is False:
        return None
    usual = row.model_list if api_type == row.api_type else None
    if usual is not None or not (wanted or row.source == "config" or row.model_list):
        return usual
    return _LISTS.get(api_type)
