"""The composition root: the only place where all rooms meet.

Every way in (stdio, command line, tests) makes one `Application` and talks to its parts. Parts are made on
first use: a process that only lists providers never imports an HTTP library.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from trunkline.config.paths import Paths

if TYPE_CHECKING:
    from trunkline.auth.resolver import CredentialResolver
    from trunkline.auth.store import KeyStore
    from trunkline.catalog.live import LiveLists
    from trunkline.catalog.modelsdev import ModelsDev
    from trunkline.chat.engine import ChatEngine
    from trunkline.config.load import ConfigFile
    from trunkline.providers.directory import ModelDirectory
    from trunkline.providers.keys import KeyRing
    from trunkline.providers.registry import ProviderRegistry
    from trunkline.wire.http import HttpClient


class Application:
    """Everything Trunkline is, for one user. Nothing is read or opened before it is needed."""

    def __init__(self, paths: Paths | None = None) -> None:
        self._paths = paths

    @cached_property
    def paths(self) -> Paths:
        """Where this user's files are."""
        return self._paths or Paths.for_user()

    @cached_property
    def config(self) -> "ConfigFile":
        """The user's configuration."""
        from trunkline.config.load import ConfigFile

        return ConfigFile(self.paths.config)

    @cached_property
    def store(self) -> "KeyStore":
        """The keys on disk."""
        from trunkline.auth.store import KeyStore

        return KeyStore(self.paths.data / "auth.json")

    @cached_property
    def resolver(self) -> "CredentialResolver":
        """The one place that decides which key is used."""
        from trunkline.auth.resolver import CredentialResolver

        return CredentialResolver(self.store)

    @cached_property
    def registry(self) -> "ProviderRegistry":
        """Which providers there are."""
        from trunkline.providers.registry import ProviderRegistry

        return ProviderRegistry(self.config, self.offline)

    @cached_property
    def keys(self) -> "KeyRing":
        """Keys by provider: set, list, remove."""
        from trunkline.providers.keys import KeyRing

        return KeyRing(self.registry, self.store, self.resolver)

    @cached_property
    def offline(self) -> "ModelsDev":
        """The catalogue that needs no network."""
        from trunkline.catalog.modelsdev import ModelsDev

        return ModelsDev()

    @cached_property
    def live(self) -> "LiveLists":
        """Model lists fetched from providers."""
        from trunkline.catalog.live import LiveLists

        return LiveLists(self.http)

    @cached_property
    def directory(self) -> "ModelDirectory":
        """Answers which providers and models there are."""
        from trunkline.providers.directory import ModelDirectory

        return ModelDirectory(self.registry, self.resolver, self.offline, self.live)

    @cached_property
    def chat(self) -> "ChatEngine":
        """The chat engine."""
        from trunkline.chat.engine import ChatEngine

        return ChatEngine(self.directory, self.resolver, self.http)

    @cached_property
    def http(self) -> "HttpClient":
        """The one HTTP client; opens nothing until it is used."""
        from trunkline.wire.http import HttpClient

        return HttpClient()

    async def aclose(self) -> None:
        """Close what was opened."""
        if "live" in self.__dict__:
            await self.live.aclose()
        if "http" in self.__dict__:
            await self.http.aclose()
