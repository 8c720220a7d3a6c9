"""One session, followed and written to at once over stdin, a unix socket and a WebSocket of one real process."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from support.daemon import running_daemon
from support.provider import MODEL, Provider, chunk
from support.remote import header, read_token
from support.sessions import FOLLOWING, Follower, is_gap_free, text_of
from support.upstream import Upstream, answer_sse
from support.user import CANARY, SERVER, User
from support.wire import Wire, request
from trunkline.rpc.framing import encode_frame
from trunkline_protocol.errors import ErrorCode

pytestmark = pytest.mark.skipif(os.name != "posix", reason="unix sockets")

INITIALIZE: dict[str, Any] = request("initialize", 0, capabilities=FOLLOWING, processId=None)
WEATHER: dict[str, Any] = {"name": "weather", "inputSchema": {"type": "object"}}


class WebMessages:
    """A WebSocket as a follower uses it."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._outgoing: asyncio.Queue[Any] = asyncio.Queue()
        self._sending = asyncio.create_task(self._send())

    def send(self, *messages: Any) -> None:
        for message in messages:
            self._outgoing.put_nowait(message)

    async def receive_or_wait(self) -> Any:
        try:
            return json.loads(await self._connection.recv())
        except ConnectionClosed:
            return None

    async def _send(self) -> None:
        while True:
            await self._connection.send(json.dumps(await self._outgoing.get()))

    async def close(self) -> None:
        self._sending.cancel()
        await asyncio.wait({self._sending})


class Server:
    """A process that listens; what it said tells where."""

    def __init__(self, process: Process, said: list[str]) -> None:
        self.process = process
        addresses = [line.split()[-1] for line in said if "listening on" in line]
        self.socket = next((url.removeprefix("unix:") for url in addresses if url.startswith("unix:")), "")
        self.url = next(url for url in addresses if url.startswith("ws:"))
        self.token_file = Path(next(line for line in said if "a token" in line).split()[-1])
        self.token = read_token(self.token_file)


@asynccontextmanager
async def serving(user: User, *arguments: str) -> AsyncGenerator[Server]:
    process = await asyncio.create_subprocess_exec(
        *SERVER[:-1],
        "serve",
        *arguments,
        stdin=PIPE if "--stdio" in arguments else DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env={**user.env, "FASTROUTER_API_KEY": CANARY},
    )
    assert process.stderr is not None
    said: list[str] = []
    if process.stdin is not None:
        # An editor's own process answers its editor before it does anything else.
        process.stdin.write(encode_frame(json.dumps(INITIALIZE).encode()))
    try:
        async with asyncio.timeout(20):
            while not said or "a token" not in said[-1]:
                line = await process.stderr.readline()
                assert line, said
                said.append(line.decode().strip())
        yield Server(process, said)
    finally:
        if process.returncode is None:
            process.terminate()
        _, errors = await process.communicate()
        assert CANARY.encode() not in errors


@asynccontextmanager
async def follower(server: Server, way: str) -> AsyncGenerator[Follower]:
    async with AsyncExitStack() as stack:
        if way == "websocket":
            headers = {"Authorization": f"Bearer {server.token}"}
            connection = await stack.enter_async_context(
                connect(server.url, additional_headers=headers, proxy=None, max_size=None)
            )
            wire: Any = WebMessages(connection)
            stack.push_async_callback(wire.close)
        elif way == "unix":
            reader, writer = await asyncio.open_unix_connection(server.socket)
            stack.callback(writer.close)
            writer.write(header(server.token))
            wire = Wire(reader, writer)
        else:
            assert server.process.stdout is not None
            assert server.process.stdin is not None
            wire = Wire(server.process.stdout, server.process.stdin)
        made = Follower(wire)
        stack.push_async_callback(made.close)
        if way == "stdio":
            await made.until(lambda: made.arrived, "the answer to initialize")
        else:
            await made.call("initialize", **INITIALIZE["params"])
        wire.send({"jsonrpc": "2.0", "method": "initialized", "params": {}})
        yield made


async def sunny(_: dict[str, Any]) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": "Sunny"}]}


async def prompt(client: Follower, session_id: str, key: str) -> dict[str, Any]:
    said = [{"type": "text", "text": key}]
    return await client.call("session/prompt", sessionId=session_id, input=said, requestKey=key)


@pytest.mark.parametrize("first", ["stdio", "unix"])
async def test_two_ways_in_see_the_same_and_write_one_after_the_other(
    user: User, scripted: Upstream, provider: Provider, sockets: Path, first: str
) -> None:
    hold = asyncio.Event()
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    provider.answers = [
        answer_sse(chunk(content="slow"), chunk("stop"), done=False, hold=hold),
        answer_sse(chunk(tool_calls=[call]), chunk("tool_calls")),
        answer_sse(chunk("stop", content="fast")),
    ]
    listen = ["--listen", "ws://127.0.0.1:0"]
    listen += ["--stdio"] if first == "stdio" else ["--listen", f"unix:{sockets}/t.sock"]
    async with (
        serving(user, *listen) as server,
        follower(server, first) as one,
        follower(server, "websocket") as two,
        follower(server, "websocket") as three,
    ):
        created = await one.call("session/create", model=MODEL, title="T", tools=[WEATHER])
        session_id = created["session"]["sessionId"]
        await two.call("session/attach", sessionId=session_id, role="controller")
        attached = await three.call("session/attach", sessionId=session_id, role="observer")
        one.answering = {"tool/call": sunny}
        await prompt(one, session_id, "first")
        await one.event("text.delta")
        queued = await prompt(two, session_id, "second")
        write = {"sessionId": session_id, "input": [{"type": "text", "text": "x"}], "requestKey": "x"}
        assert await three.refused("session/prompt", **write) == ErrorCode.NOT_PERMITTED
        hold.set()
        for client in (one, two):
            await client.until(lambda client=client: client.asked("permission/request"), "permission/request")
        asked = two.asked("permission/request")[0]
        two.reply(asked["id"], {"outcome": "selected", "optionId": "once"})
        withdrawn = await one.until(
            lambda: [m for m in one.arrived if m.get("method") == "$/cancelRequest"], "$/cancelRequest"
        )
        for client in (one, two, three):
            await client.event("turn.completed", turnId=queued["turnId"], status="completed")
            last = (await client.event("state", state="idle"))["seq"]
        seen = [
            [event for event in client.events if attached["headSeq"] < event["seq"] <= last]
            for client in (one, two, three)
        ]
    assert len(scripted.chats()) == 3
    assert queued["state"] == "queued"
    assert withdrawn[0]["params"]["id"] == one.asked("permission/request")[0]["id"]
    assert three.asked("permission/request") == []
    assert all(is_gap_free(events) for events in seen)
    whole = [[event for event in events if event["type"] != "text.delta"] for events in seen]
    assert whole[0] == whole[1] == whole[2]
    assert [text_of(events) for events in seen] == ["slowfast"] * 3
    assert user.files_with(CANARY) == []


async def relayed(user: User, *place: str) -> tuple[Process, Follower]:
    """An editor behind `trunkline attach`."""
    relay = await asyncio.create_subprocess_exec(
        *SERVER[:-1], "attach", *place, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=user.env
    )
    assert relay.stdout is not None
    assert relay.stdin is not None
    editor = Follower(wire := Wire(relay.stdout, relay.stdin))
    await editor.call("initialize", capabilities=FOLLOWING, processId=None)
    wire.send({"jsonrpc": "2.0", "method": "initialized", "params": {}})
    return relay, editor


async def test_a_turn_outlives_the_editor_that_asked_for_it(
    user: User, scripted: Upstream, provider: Provider, sockets: Path
) -> None:
    hold = asyncio.Event()
    provider.answers = [answer_sse(chunk(content="Half, "), chunk("stop", content="whole."), hold=hold)]
    listen = ["--listen", f"unix:{sockets}/t.sock", "--listen", "ws://127.0.0.1:0"]
    async with serving(user, *listen) as server:
        relay, editor = await relayed(user, f"unix:{server.socket}")
        created = await editor.call("session/create", model=MODEL, title="T")
        session_id = created["session"]["sessionId"]
        await prompt(editor, session_id, "go")
        await editor.event("text.delta")
        relay.kill()
        await relay.wait()
        await editor.close()
        async with follower(server, "unix") as again:
            attached = await again.call("session/attach", sessionId=session_id)
            hold.set()
            await again.event("turn.completed", status="completed")
        async with follower(server, "websocket") as later:
            shown = await later.call("session/attach", sessionId=session_id)
    assert attached["snapshot"]["session"]["state"] == "running"
    (turn,) = shown["snapshot"]["turns"]
    assert turn["status"] == "completed"
    assert turn["items"][1]["message"]["content"] == [{"type": "text", "text": "Half, whole."}]
    assert scripted.chats()


@pytest.mark.parametrize("way", ["unix", "websocket"])
async def test_an_answer_larger_than_any_request_reaches_who_is_attached(
    user: User, scripted: Upstream, provider: Provider, sockets: Path, way: str
) -> None:
    piece = "x" * 2**20
    provider.answers = [answer_sse(*[chunk(content=piece)] * 17, chunk("stop"))]
    listen = ["--listen", f"unix:{sockets}/t.sock", "--listen", "ws://127.0.0.1:0"]
    async with serving(user, *listen) as server:
        place = [f"unix:{server.socket}"]
        if way == "websocket":
            place = [server.url, "--token-file", str(server.token_file)]
        relay, editor = await relayed(user, *place)
        question = {"role": "user", "content": [{"type": "text", "text": "go"}]}
        answer = await editor.call("chat/stream", model=MODEL, messages=[question])
        relay.kill()
        await relay.wait()
        await editor.close()
    assert answer["message"]["content"] == [{"type": "text", "text": piece * 17}]
    assert scripted.chats()


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are set on Linux")
async def test_a_session_whose_log_was_full_is_there_again_when_there_is_room(
    user: User, sockets: Path, scripted: Upstream
) -> None:
    import resource

    options = {"baseURL": scripted.base_url, "apiKey": "sk-none-000000000000"}
    user.configure({"provider": {"fastrouter": {"options": options}}})
    async with running_daemon(user, sockets / "t.sock") as daemon, daemon.wire() as attached:
        session = (await daemon.ask("session/create", model=MODEL, title="Talk"))["session"]["sessionId"]
        attached.send(request("session/attach", 1, sessionId=session))
        assert (await attached.receive())["result"]["headSeq"]
        limits = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        with pytest.raises(AssertionError, match=str(int(ErrorCode.STORAGE_FULL))):
            await daemon.prompt(session, "First")
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, limits)
        await daemon.ask("session/update", sessionId=session, title="Another")
        assert (await daemon.ask("session/list"))["sessions"][0]["title"] == "Another"
