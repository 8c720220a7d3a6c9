"""Lifecycle and dispatch over a connection in memory: every request gets exactly one answer."""

import asyncio
import json
from typing import Any

import pytest

from support.memory import connected, raw_connection
from support.user import CANARY, User
from trunkline.app import Application
from trunkline.client import RequestError
from trunkline.rpc.framing import FrameDecoder, encode_frame
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.methods import REQUESTS


class Wire:
    """A client that sends exactly the bytes it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = FrameDecoder()
        self._arrived: list[Any] = []

    def send(self, message: Any) -> None:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        self._writer.write(encode_frame(body))

    async def receive(self) -> Any:
        async with asyncio.timeout(10):
            while not self._arrived:
                data = await self._reader.read(65536)
                assert data, "the server closed the connection"
                for item in self._decoder.feed(data):
                    assert isinstance(item, bytes)
                    self._arrived.append(json.loads(item))
        return self._arrived.pop(0)

    async def handshake(self) -> Any:
        self.send({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"capabilities": {}}})
        return await self.receive()


def request(method: str, request_id: Any = 1, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


async def test_initialize_announces_trunkline_and_its_methods(app: Application) -> None:
    async with raw_connection(app) as streams:
        result = (await Wire(*streams).handshake())["result"]
    announced = result["capabilities"]["experimental"]["trunkline"]
    assert result["serverInfo"]["name"] == "trunkline"
    assert announced["version"] == "1.0"
    assert announced["methods"] == [request.name for request in REQUESTS]
    assert announced["limits"]["maxMessageBytes"] == 16 * 1024 * 1024


@pytest.mark.parametrize(
    ("message", "code", "answer_id"),
    [
        (b"{", ErrorCode.PARSE_ERROR, None),
        (b"\xff\xfe", ErrorCode.PARSE_ERROR, None),
        (b"[" * 5000, ErrorCode.TOO_DEEP, None),
        (b"[]", ErrorCode.INVALID_REQUEST, None),
        (b"7", ErrorCode.INVALID_REQUEST, None),
        ({"id": 5, "method": "provider/list"}, ErrorCode.INVALID_REQUEST, 5),
        ({"jsonrpc": "1.0", "id": 5, "method": "provider/list"}, ErrorCode.INVALID_REQUEST, 5),
        ({"jsonrpc": "2.0", "id": 5}, ErrorCode.INVALID_REQUEST, 5),
        ({"jsonrpc": "2.0", "id": 5, "method": 7}, ErrorCode.INVALID_REQUEST, 5),
        ({"jsonrpc": "2.0", "id": None, "method": "provider/list"}, ErrorCode.INVALID_REQUEST, None),
        ({"jsonrpc": "2.0", "id": True, "method": "provider/list"}, ErrorCode.INVALID_REQUEST, None),
        (request("no/such", 5), ErrorCode.METHOD_NOT_FOUND, 5),
        (request("initialize", 5, capabilities={}), ErrorCode.INVALID_REQUEST, 5),
        (request("auth/set", 5, providerId="fastrouter"), ErrorCode.INVALID_PARAMS, 5),
        (request("auth/set", 5, providerId=3, secret=CANARY), ErrorCode.INVALID_PARAMS, 5),
        ({**request("chat/stream", 5), "params": [1]}, ErrorCode.INVALID_PARAMS, 5),
        ({"jsonrpc": "2.0", "id": 5, "method": "chat/stream"}, ErrorCode.INVALID_PARAMS, 5),
        (request("textDocument/hover", "five"), ErrorCode.METHOD_NOT_FOUND, "five"),
        (request("workspace/executeCommand", 5, command=CANARY), ErrorCode.METHOD_NOT_FOUND, 5),
    ],
)
async def test_a_bad_message_is_answered_and_the_next_one_works(
    app: Application, message: Any, code: ErrorCode, answer_id: Any
) -> None:
    async with raw_connection(app) as streams:
        wire = Wire(*streams)
        await wire.handshake()
        wire.send(message)
        wire.send(request("auth/list", "next"))
        refused, answered = await wire.receive(), await wire.receive()
    assert (refused["id"], refused["error"]["code"]) == (answer_id, code)
    assert refused["error"]["data"]["kind"] == code.kind
    assert CANARY not in json.dumps(refused)
    assert (answered["id"], answered["result"]) == ("next", {"keys": []})


async def test_invalid_params_name_the_field_and_the_reason_never_the_value(app: Application) -> None:
    async with connected(app) as client:
        with pytest.raises(RequestError) as caught:
            await client.request("auth/set", {"providerId": "fastrouter", "secret": {"oops": CANARY}})
    assert caught.value.error.code == ErrorCode.INVALID_PARAMS
    assert caught.value.error.message.startswith("secret: ")
    assert CANARY not in str(caught.value)


async def test_absent_params_are_empty_params(app: Application) -> None:
    async with connected(app) as client:
        assert (await client.request("provider/list"))["providers"]


async def test_requests_before_initialize_and_after_shutdown_are_refused(app: Application) -> None:
    async with raw_connection(app) as streams:
        wire = Wire(*streams)
        wire.send(request("provider/list", 1))
        assert (await wire.receive())["error"]["code"] == ErrorCode.SERVER_NOT_INITIALIZED
        await wire.handshake()
        wire.send(request("shutdown", 2))
        assert await wire.receive() == {"jsonrpc": "2.0", "id": 2, "result": None}
        wire.send(request("provider/list", 3))
        assert (await wire.receive())["error"]["code"] == ErrorCode.INVALID_REQUEST


async def test_an_initialize_that_does_not_fit_may_be_sent_again(app: Application) -> None:
    async with raw_connection(app) as streams:
        wire = Wire(*streams)
        wire.send({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": 5})
        assert (await wire.receive())["error"]["code"] == ErrorCode.INVALID_PARAMS
        assert "capabilities" in (await wire.handshake())["result"]


@pytest.mark.parametrize(
    "stray",
    [
        {"jsonrpc": "2.0", "id": 7, "result": 5},
        {"jsonrpc": "2.0", "id": 7, "error": 5},
        {"jsonrpc": "2.0", "id": "nobody", "error": {"code": 1, "message": "x"}},
        {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": [1]}},
        {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": "unknown"}},
        {"jsonrpc": "2.0", "method": "window/workDoneProgress/cancel", "params": {"token": 99}},
        {"jsonrpc": "2.0", "method": "no/such/notification", "params": [1]},
    ],
)
async def test_a_stray_message_disturbs_no_request(app: Application, stray: dict[str, Any]) -> None:
    async with raw_connection(app) as streams:
        wire = Wire(*streams)
        await wire.handshake()
        wire.send(request("model/list", 7, providerIds=["openai"]))
        wire.send(stray)
        wire.send(request("auth/list", 8))
        answers = [await wire.receive(), await wire.receive()]
    assert sorted(answer["id"] for answer in answers) == [7, 8]
    assert all("result" in answer for answer in answers)


async def test_a_client_of_another_protocol_version_is_told_which_there_are(app: Application) -> None:
    async with raw_connection(app) as streams:
        wire = Wire(*streams)
        experimental = {"experimental": {"trunkline": {"versions": ["9.0"]}}}
        wire.send(request("initialize", 1, capabilities=experimental))
        await wire.receive()
        wire.send(request("provider/list", 2))
        error = (await wire.receive())["error"]
    assert error["code"] == ErrorCode.UNSUPPORTED_VERSION
    assert error["data"]["supportedVersions"] == ["1.0"]


async def test_a_broken_configuration_is_shown_by_the_editor(user: User, app: Application) -> None:
    path = user.configure('{\n  "provider": {,\n}')
    shown: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def note(method: str, params: Any) -> None:
        if method == "window/showMessage":
            shown.set_result(params)

    async with connected(app, note) as client:
        async with asyncio.timeout(10):
            message = await shown
        assert (await client.request("provider/list"))["providers"]
    assert str(path) in message["message"]
    assert "line 2" in message["message"]


async def test_two_connections_on_one_application_do_not_hear_each_other(app: Application) -> None:
    heard: list[str] = []
    async with (
        connected(app, lambda method, _: heard.append(method)) as first,
        connected(app, lambda method, _: heard.append(method)) as second,
    ):
        await first.request("auth/set", {"providerId": "fastrouter", "secret": CANARY})
        one, two = await asyncio.gather(
            first.request("auth/list"), second.request("auth/list", {"providerId": "openrouter"})
        )
    assert [key["providerId"] for key in one["keys"]] == ["fastrouter"]
    assert two["keys"] == []
    assert heard == []
