"""The composition root: the only place where all rooms meet.

Every way in (stdio, command line, tests) makes one `Application` and talks to its parts. Parts are made on
first use: a process that only lists providers never imports an HTTP library.
"""

import os
from functools import cached_property
from typing import TYPE_CHECKING

from trunkline.config.paths import Paths

if TYPE_CHECKING:
    from trunkline.auth.renewal import Renewals
    from trunkline.auth.resolver import CredentialResolver
    from trunkline.auth.store import KeyStore
    from trunkline.auth.store_format import StoredKey
    from trunkline.catalog.catalogue import Catalogue
    from trunkline.catalog.live import LiveLists
    from trunkline.chat.activity import Activity
    from trunkline.chat.engine import ChatEngine
    from trunkline.chat.limits import Limits
    from trunkline.chat.probe import Probe
    from trunkline.chat.telemetry import Telemetry
    from trunkline.chat.token_counts import TokenCounts
    from trunkline.config.load import ConfigFile
    from trunkline.providers.changes import Changes
    from trunkline.providers.configure import ProviderEditor
    from trunkline.providers.directory import ModelDirectory
    from trunkline.providers.keys import KeyRing
    from trunkline.providers.logins import Logins
    from trunkline.providers.registry import ProviderRegistry
    from trunkline.sessions.hub import SessionHub
    from trunkline.sessions.live_session import LiveSession
    from trunkline.sessions.tool_rounds import SessionTools
    from trunkline.tools.mcp_servers import McpServers
    from trunkline.tools.user_rules import UserRules
    from trunkline.tools.workspace_tools import WorkspaceTools
    from trunkline.wire.http import HttpClient


class Application:
    """Everything Trunkline is, for one user. Nothing is read or opened before it is needed."""

    def __init__(self, paths: Paths | None = None, *, offline: bool = False) -> None:
        """`offline` switches off everything that fetches lists, whatever settings and environment say."""
        self._paths = paths
        self._offline = offline

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

        return KeyStore(self.paths.data / "auth.json", keep_in=lambda: self.config.own().settings.key_store)

    def key_store_notices(self) -> tuple[str, ...]:
        """What the user should know of the key store, each sentence once; nothing before it was used."""
        return self.store.notices() if "store" in self.__dict__ else ()

    @cached_property
    def resolver(self) -> "CredentialResolver":
        """The one place that decides which key is used."""
        from trunkline.auth.resolver import CredentialResolver

        async def fresh(key: "StoredKey") -> "StoredKey":
            return await self.renewals.fresh(key)

        return CredentialResolver(self.store, fresh=fresh)

    @cached_property
    def renewals(self) -> "Renewals":
        """Keeps what signing in gave from expiring."""
        from trunkline.auth.renewal import Renewals

        return Renewals(self.store, self.http)

    @cached_property
    def registry(self) -> "ProviderRegistry":
        """Which providers there are."""
        from trunkline.providers.registry import ProviderRegistry

        return ProviderRegistry(self.config, self.catalogue)

    @cached_property
    def keys(self) -> "KeyRing":
        """Keys by provider: set, list, select, verify, remove."""
        from trunkline.providers.keys import KeyRing

        return KeyRing(
            self.registry, self.store, self.resolver, self.changes, lambda: self.http, self.is_offline
        )

    @cached_property
    def logins(self) -> "Logins":
        """Sign-ins under way."""
        from trunkline.auth.login import SignIns
        from trunkline.providers.logins import Logins

        return Logins(self.registry, self.store, self.keys, SignIns(self.http), self.changes)

    @cached_property
    def changes(self) -> "Changes":
        """Who is told of changes."""
        from trunkline.providers.changes import Changes

        return Changes(lambda: self.directory)

    @cached_property
    def catalogue(self) -> "Catalogue":
        """What models.dev knows: packaged, cached, or fetched."""
        from trunkline.catalog.catalogue import Catalogue
        from trunkline.config.environment import catalogue_source
        from trunkline.providers.changes import CATALOGUE

        url, file = catalogue_source(self.config.current().settings, os.environ)
        return Catalogue(
            lambda: self.http,
            self.paths.cache,
            url=url,
            file=file,
            offline=self.is_offline,
            on_change=lambda: self.changes.models(CATALOGUE),
        )

    @cached_property
    def live(self) -> "LiveLists":
        """Model lists fetched from providers."""
        from trunkline.catalog.live import LiveLists

        return LiveLists(
            self.http,
            offline=self.is_offline,
            on_change=self.changes.models,
            on_attempt=self.changes.providers,
        )

    def is_offline(self) -> bool:
        """Whether no list may be fetched now."""
        from trunkline.config.environment import offline

        return self._offline or offline(self.config.current().settings, os.environ)

    @cached_property
    def directory(self) -> "ModelDirectory":
        """Answers which providers and models there are."""
        from trunkline.providers.directory import ModelDirectory

        return ModelDirectory(self.registry, self.resolver, self.catalogue, self.live)

    @cached_property
    def provider_editor(self) -> "ProviderEditor":
        """Changes the user's own configuration of providers."""
        from trunkline.providers.configure import ProviderEditor

        return ProviderEditor(
            self.paths.config, self.config, self.registry, self.resolver, self.directory, self.changes
        )

    @cached_property
    def probe(self) -> "Probe":
        """Finds out whether providers can be reached."""
        from trunkline.chat.probe import Probe

        return Probe(self.registry, self.resolver, self.chat, self.http, self.is_offline)

    @cached_property
    def token_counts(self) -> "TokenCounts":
        """Counts tokens, where possible at the provider."""
        from trunkline.chat.token_counts import TokenCounts

        return TokenCounts(self.directory, self.resolver, self.http, self.is_offline)

    @cached_property
    def chat(self) -> "ChatEngine":
        """The chat engine."""
        from trunkline.chat.engine import ChatEngine

        return ChatEngine(
            self.directory,
            self.resolver,
            self.http,
            self.limits,
            self.keys.noticed,
            lambda: self.config.current().settings.request,
            activity=self.activity,
            telemetry=self.telemetry,
        )

    @cached_property
    def limits(self) -> "Limits":
        """How many requests of a provider run at a time."""
        from trunkline.chat.limits import DEFAULT_CONCURRENCY, Limits

        def limit_of(provider_id: str) -> int:
            section = self.config.current().settings.provider.get(provider_id)
            return (section and section.options.max_concurrency) or DEFAULT_CONCURRENCY

        return Limits(limit_of)

    @cached_property
    def telemetry(self) -> "Telemetry":
        """Hears of chat requests that have ended."""
        from trunkline.chat.telemetry import Telemetry

        return Telemetry()

    @cached_property
    def activity(self) -> "Activity":
        """Whether anything is being generated."""
        from trunkline.chat.activity import Activity

        return Activity()

    @cached_property
    def sessions(self) -> "SessionHub":
        """The conversations that are kept."""
        from trunkline.sessions.fanout import LocalFanout
        from trunkline.sessions.hub import HubServices, SessionHub
        from trunkline.sessions.sqlite.store import SqliteSessionLog

        services = HubServices(
            engine=lambda: self.chat,
            directory=lambda: self.directory,
            tools_of=self._session_tools,
            activity=self.activity,
            settings=lambda: self.config.current().settings.sessions,
            changed=self.changes.sessions,
        )
        return SessionHub(SqliteSessionLog(self.paths.state / "sessions.db"), LocalFanout(), services)

    def _session_tools(self, session: "LiveSession") -> "SessionTools":
        from trunkline.sessions.permissions import Permissions
        from trunkline.sessions.tool_rounds import SessionTools

        sources = (self.workspace_tools, self.mcp_servers)
        return SessionTools(session, sources, Permissions(session, self.tool_rules))

    @cached_property
    def tool_rules(self) -> "UserRules":
        """What the user lets tools do without being asked."""
        from trunkline.tools.user_rules import UserRules

        return UserRules(self.config, self.paths.config)

    @cached_property
    def workspace_tools(self) -> "WorkspaceTools":
        """The built-in tools; none of them shows this user's own files of Trunkline."""
        from trunkline.tools.workspace_tools import WorkspaceTools

        private = (self.paths.config, self.paths.data, self.paths.state, self.paths.cache)
        return WorkspaceTools(private, self.tool_rules.policy)

    @cached_property
    def mcp_servers(self) -> "McpServers":
        """The MCP servers of the user's configuration."""
        from trunkline.tools.mcp_servers import McpServers

        return McpServers(lambda: self.config.own().settings)

    @cached_property
    def http(self) -> "HttpClient":
        """The one HTTP client; opens nothing until it is used."""
        from trunkline.wire.http import HttpClient

        return HttpClient(http2=lambda: self.config.current().settings.http2)

    async def aclose(self) -> None:
        """Close what was opened; turns are interrupted first, while they can still say so."""
        if "sessions" in self.__dict__:
            await self.sessions.aclose()
        if "mcp_servers" in self.__dict__:
            await self.mcp_servers.aclose()
        if "logins" in self.__dict__:
            await self.logins.aclose()
        if "keys" in self.__dict__:
            await self.keys.aclose()
        if "renewals" in self.__dict__:
            await self.renewals.aclose()
        if "live" in self.__dict__:
            await self.live.aclose()
        if "catalogue" in self.__dict__:
            await self.catalogue.aclose()
        if "telemetry" in self.__dict__:
            await self.telemetry.aclose()
        if "http" in self.__dict__:
            await self.http.aclose()
