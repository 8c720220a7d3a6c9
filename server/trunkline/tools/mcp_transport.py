"""How an MCP server is reached: a program of this machine, or streamable HTTP.

The `mcp` package brings an HTTP client of its own; here it is given this user's certificates and headers.
"""

import asyncio
import os
import threading
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, TextIO

from trunkline.config.tool_settings import McpServerSettings

if TYPE_CHECKING:
    from mcp.client import Transport

_MOST_LINES = 20
_LONGEST_LINE = 500
_LAST_WORDS_S = 1.0
_MOST_EVENT_BYTES = 16 * 1024 * 1024


class StderrTail:
    """The last lines that a program wrote to standard error, for the case that it does not start.

    They are in no log: once the server runs, they may hold what the conversation is about.
    """

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_MOST_LINES)
        self._is_read = threading.Event()
        self._is_read.set()

    async def read_out(self) -> None:
        """Wait for the last words of a program that has ended; not for ever, another may hold its end."""
        if not self._is_read.is_set():
            await asyncio.to_thread(self._is_read.wait, _LAST_WORDS_S)

    @property
    def text(self) -> str:
        """The lines, shortened."""
        return "\n".join(self._lines)

    def open(self) -> TextIO:
        """The end that the program writes to; a thread reads the other one until all writers are gone."""
        reading, writing = os.pipe()
        self._is_read.clear()
        threading.Thread(target=self._read, args=(reading,), name="mcp stderr", daemon=True).start()
        return os.fdopen(writing, "w", encoding="utf-8")

    def _read(self, descriptor: int) -> None:
        rest = b""
        with os.fdopen(descriptor, "rb", buffering=0) as stream:
            while data := stream.read(4096):
                *lines, rest = (rest + data).split(b"\n")
                rest = rest[-_LONGEST_LINE:]
                self._lines.extend(
                    line[-_LONGEST_LINE:].decode("utf-8", "replace").rstrip() for line in lines
                )
        if rest:
            self._lines.append(rest.decode("utf-8", "replace"))
        self._is_read.set()


def transport(settings: McpServerSettings, stderr: StderrTail) -> "Transport":
    """The connection that the settings describe; entering it starts or opens it."""
    return _program(settings, stderr) if settings.command else _address(settings)


@asynccontextmanager
async def _program(settings: McpServerSettings, stderr: StderrTail) -> AsyncGenerator[Any]:
    from mcp import StdioServerParameters, stdio_client

    assert settings.command is not None  # noqa: S101 - the caller looked
    program, *arguments = settings.command
    parameters = StdioServerParameters(
        command=program,
        args=arguments,
        # The package adds the few variables that every program needs, and none of this process's keys.
        env={name: value.reveal() for name, value in settings.environment.items()},
        cwd=settings.cwd,
    )
    async with AsyncExitStack() as stack:
        with stderr.open() as errors:
            streams = await stack.enter_async_context(stdio_client(parameters, errors))
        yield streams


@asynccontextmanager
async def _address(settings: McpServerSettings) -> AsyncGenerator[Any]:
    import ssl

    import httpx2
    import truststore
    from mcp.client.streamable_http import streamable_http_client

    assert settings.url is not None  # noqa: S101 - the caller looked
    client = httpx2.AsyncClient(
        headers={name: value.reveal() for name, value in settings.headers.items()},
        timeout=None,  # whoever calls has a limit; one here would end the calls of others, too
        verify=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    )
    opening: AbstractAsyncContextManager[Any] = streamable_http_client(
        settings.url, http_client=client, max_sse_event_size=_MOST_EVENT_BYTES
    )
    async with client, opening as streams:
        yield streams
