"""What the tests of the providers room share: catalogues that need no network, and a user with FastRouter."""

import asyncio
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from support.upstream import Answer, Upstream, answer_json
from support.user import CANARY, User
from trunkline.auth.resolver import CredentialResolver
from trunkline.auth.store import KeyStore
from trunkline.catalog.catalogue import Catalogue
from trunkline.catalog.live import LiveLists
from trunkline.config.load import ConfigFile
from trunkline.errors import TrunklineError
from trunkline.providers.directory import ModelDirectory
from trunkline.providers.registry import ProviderRegistry
from trunkline.providers.rows import LOCAL
from trunkline.wire.http import HttpClient
from trunkline_protocol.models import ModelListParams, ModelListResult
from trunkline_protocol.providers import ProviderInfo, ProviderListParams, ProviderListResult

OFFLINE_MODEL = "fastrouter/openai/gpt-5"
LIVE_MODEL = "fastrouter/acme/rocket-1"
LOCAL_SERVERS = [row.provider_id for row in LOCAL]
"""What runs on the developer's machine must not change what a test sees."""


def packaged() -> Catalogue:
    """The packaged catalogue."""
    return catalogue_at(Path(os.environ["TRUNKLINE_MODELS_FILE"]))


def catalogue_of(directory: Path, **providers: dict[str, Any]) -> Catalogue:
    """A catalogue that knows these providers only; what an entry leaves out is as usual."""
    usual: dict[str, Any] = {
        "env": ["ACME_API_KEY"],
        "npm": "@ai-sdk/openai-compatible",
        "api": "https://acme.example/v1",
        "models": {"talker": {"id": "talker", "name": "Talker"}},
    }
    document = {
        name: {"id": name, "name": name.title(), **usual, **entry} for name, entry in providers.items()
    }
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "api.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return catalogue_at(file)


def catalogue_at(file: Path) -> Catalogue:
    """The catalogue in `file`."""

    def http() -> HttpClient:
        raise AssertionError

    return Catalogue(http, file.parent, file=file, offline=lambda: False)


def list_of(*ids: str) -> Answer:
    return answer_json({"data": [{"id": model_id} for model_id in ids]})


def suggestions_of(error: TrunklineError) -> list[str]:
    return list(error.fields.get("suggestions") or [])


@dataclass
class World:
    """One user, one FastRouter on loopback, and a directory of the real parts."""

    user: User
    upstream: Upstream
    http: HttpClient
    now: float = 0.0
    is_offline: bool = False
    environ: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        self.store = KeyStore(self.user.paths.data / "auth.json")
        self.catalogue = packaged()
        self.resolver = CredentialResolver(self.store, self.environ)
        config = ConfigFile(self.user.paths.config, self.environ)
        self.registry = ProviderRegistry(config, self.catalogue, self.environ)
        self.live = LiveLists(self.http, offline=lambda: self.is_offline, clock=lambda: self.now)
        self.directory = ModelDirectory(self.registry, self.resolver, self.catalogue, self.live, self.environ)
        self.configure()

    def configure(self, **more: Any) -> None:
        self.user.route(self.upstream.base_url, **more)

    def publish(self, answer: Answer) -> None:
        self.upstream.script = lambda _: answer

    def connect(self, key: str = CANARY) -> None:
        self.environ["FASTROUTER_API_KEY"] = key

    @property
    def fetches(self) -> int:
        return len(self.upstream.requests)

    def providers(self, *, include_disabled: bool = False) -> ProviderListResult:
        return self.directory.list_providers(ProviderListParams(include_disabled=include_disabled))

    def fastrouter(self, *, include_disabled: bool = False) -> ProviderInfo:
        providers = self.providers(include_disabled=include_disabled).providers
        (found,) = [info for info in providers if info.provider_id == "fastrouter"]
        return found

    def offline_count(self, provider_id: str) -> int:
        return self.catalogue.snapshot().data.count(provider_id)

    async def models(self, *ids: str, refresh: Any = "ifStale", **params: Any) -> ModelListResult:
        async with asyncio.timeout(20):
            return await self.directory.list_models(
                ModelListParams(provider_ids=ids or None, refresh=refresh, **params)
            )

    async def find(self, reference: str) -> str:
        async with asyncio.timeout(20):
            found = await self.directory.find(reference)
        assert found.info.model == reference
        assert found.info.provider_id == found.provider.provider_id
        return found.info.source

    async def not_found(self, reference: str) -> TrunklineError:
        with pytest.raises(TrunklineError) as caught:
            await self.find(reference)
        assert reference not in suggestions_of(caught.value)
        return caught.value
