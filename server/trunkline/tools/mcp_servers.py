"""The MCP servers of the user's configuration, shared by all sessions of the process."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from typing_extensions import override

from trunkline.tools.mcp_server import McpServer
from trunkline.tools.toolbox import ToolSource, ToolSources

if TYPE_CHECKING:
    from trunkline.config.settings import Settings


class McpServers(ToolSources):
    """None is started before its tools are asked for."""

    def __init__(self, settings: "Callable[[], Settings]") -> None:
        """`settings` gives the user's own as they are now."""
        self._settings = settings
        self._servers: dict[str, McpServer] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @override
    def members(self) -> Sequence[ToolSource]:
        """A server per section that is enabled; one whose section changed is ended and made anew."""
        wanted = {name: one for name, one in self._settings().mcp.items() if one.enabled}
        for name in [name for name, server in self._servers.items() if wanted.get(name) != server.settings]:
            closing = asyncio.create_task(self._servers.pop(name).aclose())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        for name, settings in wanted.items():
            if name not in self._servers:
                self._servers[name] = McpServer(name, settings)
        return [self._servers[name] for name in wanted]

    async def aclose(self) -> None:
        """End them all."""
        servers = list(self._servers.values())
        self._servers.clear()
        await asyncio.gather(*self._closing, *(server.aclose() for server in servers))
