"""An MCP server that misbehaves on demand, on the official package; run as a program.

python mcp_program.py stdio
python mcp_program.py http     # prints the port of 127.0.0.1 that it listens at
"""

import asyncio
import os
import socket
import sys
from pathlib import Path

from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("misbehaving", log_level="CRITICAL")


@server.tool()
def environment() -> list[str]:
    return sorted(os.environ)


@server.tool()
def variable(name: str) -> str:
    return os.environ.get(name, "")


@server.tool()
def folder() -> str:
    return str(Path.cwd())


@server.tool()
def process() -> str:
    return str(os.getpid())


@server.tool()
def crash() -> str:
    os._exit(3)


@server.tool()
async def hang(path: str) -> str:
    """Says in a file, which may be a pipe, that it was begun and that it was cancelled."""
    note(path, "begun")
    try:
        await asyncio.sleep(3600)
    except BaseException:
        note(path, "cancelled")
        raise
    return "never"


def note(path: str, text: str) -> None:
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(text)


def serve_http() -> None:
    import uvicorn

    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)  # noqa: T201 - the test reads it
    app = server.streamable_http_app()
    asyncio.run(uvicorn.Server(uvicorn.Config(app, log_level="critical")).serve(sockets=[listener]))


@server.tool()
def long() -> str:
    return "x" * 200_000


@server.tool()
def header(name: str, context: Context) -> str:
    return str((context.headers or {}).get(name))


if __name__ == "__main__":
    if sys.argv[1] == "http":
        serve_http()
    else:
        server.run("stdio")
