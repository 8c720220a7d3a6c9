"""One configured MCP server: started when a turn asks for its tools, started again when it has crashed.

The package wants a connection to be opened and closed in one task, so each has a task of its own; calls come
from anywhere.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from typing_extensions import override

from trunkline import __version__
from trunkline.config.tool_settings import McpServerSettings
from trunkline.errors import TrunklineError
from trunkline.secrets import scrub
from trunkline.tools.output import error_output
from trunkline.tools.toolbox import Access, Editor, ToolOutput, ToolRun, ToolSource
from trunkline_protocol.chat import Tool
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    import anyio
    import mcp_types
    from mcp import Client

logger = logging.getLogger(__name__)

_MOST_STARTS = 4
"""Within `_FORGIVEN_S` of each other: what keeps crashing is left alone."""
_FORGIVEN_S = 600.0
_MOST_PAGES = 20
_CLOSING_S = 10.0
"""A program gets two seconds to end, two after being asked to, and is then killed."""


class McpServer(ToolSource):
    """Its tools are called `<server>_<tool>`."""

    def __init__(self, name: str, settings: McpServerSettings) -> None:
        self.settings = settings
        self._name = name
        self._own_names: Mapping[str, str] = MappingProxyType({})
        self._connection: _Connection | None = None
        self._connecting = asyncio.Lock()
        self._starts: list[float] = []

    @override
    async def tools(self, editor: Editor | None, cwd: Path | None) -> Sequence[Tool]:
        from trunkline.tools.mcp_content import tool_of

        listed = await self._listed()
        tools = [(tool_of(self._name, tool), tool.name) for tool in listed]
        self._own_names = {tool.name: own_name for tool, own_name in tools}
        return [tool for tool, _ in tools]

    @override
    def access(self, run: ToolRun) -> Access:
        return Access("execute")

    @override
    async def run(self, run: ToolRun) -> ToolOutput:
        try:
            return await self._call(run)
        except TrunklineError as error:
            return error_output(error)

    async def aclose(self) -> None:
        """End the program or the connection."""
        async with self._connecting:
            if self._connection is not None:
                await self._connection.aclose()
                self._connection = None

    async def _listed(self) -> "Sequence[mcp_types.Tool]":
        """All its tools; a server that was found dead is started once more."""
        connection = await self._connected()
        try:
            return await connection.list_tools()
        except _Ended:
            return await (await self._connected()).list_tools()

    async def _call(self, run: ToolRun) -> ToolOutput:
        from trunkline.tools.mcp_content import output_of

        connection = await self._connected()
        try:
            return output_of(await connection.call_tool(self._own_names[run.name], run.arguments))
        except _Ended:
            # It may have done its work: whether to call it again is for the model to decide.
            raise self._failed("ended during the call") from None

    async def _connected(self) -> "_Connection":
        async with self._connecting:
            if self._connection is not None and self._connection.is_alive:
                return self._connection
            if self._connection is not None:
                await self._connection.aclose()
                self._connection = None
            if find_spec("mcp") is None:
                raise self._failed("needs the package mcp", hint="Install it: pip install 'trunkline[mcp]'.")
            now = asyncio.get_running_loop().time()
            self._starts = [start for start in self._starts if now - start < _FORGIVEN_S]
            if len(self._starts) >= _MOST_STARTS:
                raise self._failed(
                    f"has failed {_MOST_STARTS} times in a row and is left alone",
                    hint=f"Correct `mcp.{self._name}`, or try again in {_FORGIVEN_S / 60:g} minutes.",
                )
            self._starts.append(now)
            self._connection = await self._opened()
            return self._connection

    async def _opened(self) -> "_Connection":
        await asyncio.to_thread(import_module, "mcp")  # it takes half a second, which nobody must wait for
        connection = _Connection(self._name, self.settings)
        try:
            await connection.open()
        except BaseException:
            await connection.aclose()
            raise
        logger.info("MCP server %s is there", self._name)
        return connection

    def _failed(self, what: str, hint: str | None = None) -> TrunklineError:
        return failed(self._name, what, hint=hint)


class _Ended(Exception):  # noqa: N818 - it never leaves this module
    """The server is not there any more."""


class _Connection:
    """A server that runs, in a task of its own."""

    def __init__(self, name: str, settings: McpServerSettings) -> None:
        from trunkline.tools.mcp_transport import StderrTail

        self._name = name
        self._settings = settings
        self._timeout_s = settings.timeout / 1000
        self._stderr = StderrTail()
        self._ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._leave = asyncio.Event()
        self._scope: anyio.CancelScope | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it was there when it was last used."""
        return self._task is not None and not self._task.done() and not self._leave.is_set()

    async def open(self) -> None:
        """Wait until it can be used; raises TOOL_FAILED when it cannot within its time."""
        self._task = asyncio.create_task(self._serve())
        try:
            async with asyncio.timeout(self._timeout_s):
                await asyncio.shield(self._ready)
        except TimeoutError:
            raise failed(
                self._name,
                f"did not start within {self._timeout_s:g} s",
                detail=self._stderr.text,
                hint=f"Raise `mcp.{self._name}.timeout` if it needs longer.",
            ) from None

    async def list_tools(self) -> "Sequence[mcp_types.Tool]":
        """All pages."""
        from mcp import MCPError

        tools: list[mcp_types.Tool] = []
        cursor: str | None = None
        try:
            async with asyncio.timeout(self._timeout_s):
                for _ in range(_MOST_PAGES):
                    page = await self._ready.result().list_tools(cursor=cursor, cache_mode="bypass")
                    tools += page.tools
                    cursor = page.next_cursor
                    if cursor is None:
                        break
        except TimeoutError:
            self._leave.set()  # what does not even list its tools is started anew the next time
            raise failed(self._name, f"did not list its tools within {self._timeout_s:g} s") from None
        except MCPError as error:
            raise self._what(error) from None
        except ValueError:  # pydantic's is one
            raise failed(self._name, "lists its tools in a form that is none") from None
        return tools

    async def call_tool(self, name: str, arguments: dict[str, object]) -> "mcp_types.CallToolResult":
        """Cancelling tells the server."""
        from mcp import MCPError

        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._ready.result().call_tool(name, arguments)
        except TimeoutError:
            late = f"did not answer within {self._timeout_s:g} s"
            raise failed(self._name, late, code=ErrorCode.TOOL_TIMEOUT) from None
        except MCPError as error:
            raise self._what(error) from None
        except (ValueError, RuntimeError):
            raise failed(self._name, "answered in a form that is none") from None

    async def aclose(self) -> None:
        """Leave; nothing of a program is left running."""
        self._leave.set()
        if self._task is None:
            return
        if not self._ready.done() and self._scope is not None:
            self._scope.cancel()
        _, late = await asyncio.wait({self._task}, timeout=_CLOSING_S)
        for task in late:
            task.cancel()
            await asyncio.wait({task})
        if self._ready.done() and not self._ready.cancelled():
            self._ready.exception()  # whoever waited may have gone

    async def _serve(self) -> None:
        import anyio
        from mcp import Client
        from mcp_types import Implementation

        from trunkline.tools.mcp_transport import transport

        information = Implementation(name="trunkline", version=__version__)
        try:
            with anyio.CancelScope() as self._scope:
                async with Client(transport(self._settings, self._stderr), client_info=information) as client:
                    self._ready.set_result(client)
                    await self._leave.wait()
        except Exception as error:  # noqa: BLE001 - whatever the package raises of a server that does not work
            if self._ready.done():
                logger.info("MCP server %s ended: %s", self._name, type(error).__name__)
            else:
                await self._stderr.read_out()
                self._ready.set_exception(self._not_started(error))
        finally:
            self._leave.set()

    def _not_started(self, error: Exception) -> TrunklineError:
        from mcp import MCPError

        cause = _first_cause(error)
        if isinstance(cause, OSError) and cause.strerror:
            why = cause.strerror
        else:
            why = cause.error.message if isinstance(cause, MCPError) else type(cause).__name__
        return failed(self._name, f"does not start: {why}", detail=self._stderr.text)

    def _what(self, error: Exception) -> Exception:
        """What an error of the protocol means."""
        from mcp import MCPError
        from mcp_types import CONNECTION_CLOSED

        assert isinstance(error, MCPError)  # noqa: S101 - the callers caught it
        if error.error.code == CONNECTION_CLOSED:
            self._leave.set()
            return _Ended()
        return failed(self._name, f"answered with an error: {error.error.message}")


def _first_cause(error: BaseException) -> BaseException:
    if not isinstance(error, BaseExceptionGroup):
        return error
    return _first_cause(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])


def failed(
    name: str,
    what: str,
    *,
    code: ErrorCode = ErrorCode.TOOL_FAILED,
    detail: str | None = None,
    hint: str | None = None,
) -> TrunklineError:
    """Why a server is of no use."""
    return TrunklineError(
        code,
        scrub(f"The MCP server {name} {what}."),
        detail=scrub(detail) if detail else None,
        hint=hint,
    )
