"""The connection, line by line, over a connection in memory and over a real process."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from support.memory import connected
from support.provider import MODEL, Provider, chunk
from support.upstream import Upstream, answer_sse
from support.user import CANARY, User
from support.wire import Wire, notification, request, wire_in_memory, wire_to_process
from trunkline.app import Application
from trunkline.rpc.framing import encode_frame
from trunkline_protocol.capabilities import ServerTrunkline
from trunkline_protocol.codes import ErrorCode
from trunkline_protocol.methods import REQUESTS


@pytest.fixture(params=[wire_in_memory, wire_to_process], ids=["memory", "process"])
async def wire(request: pytest.FixtureRequest, user: User) -> AsyncGenerator[Wire]:
    """The client's end of a fresh connection."""
    async with request.param(user) as opened:
        yield opened


def outcome(answer: Any) -> tuple[Any, Any]:
    """The id, and the error code or `ok`."""
    return answer["id"], answer["error"]["code"] if "error" in answer else "ok"


# --- the handshake ----------------------------------------------------------------------------------------


async def test_initialize_announces_trunkline_and_its_methods(wire: Wire) -> None:
    result = (await wire.handshake())["result"]
    assert result["serverInfo"]["name"] == "trunkline"
    announced = ServerTrunkline.model_validate(result["capabilities"]["experimental"]["trunkline"])
    assert announced.to_wire() == result["capabilities"]["experimental"]["trunkline"]
    assert announced.methods == tuple(request.name for request in REQUESTS)
    assert announced.limits.max_message_bytes == 16 * 1024 * 1024


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (None, "utf-16"),
        ([], "utf-16"),
        (["utf-32", "utf-8"], "utf-32"),
        (["utf-99"], "utf-16"),
        (7, "utf-16"),
    ],
)
async def test_the_position_encoding_is_the_clients_first_that_is_known(
    wire: Wire, offered: Any, chosen: str
) -> None:
    result = (await wire.handshake(capabilities={"general": {"positionEncodings": offered}}))["result"]
    assert result["capabilities"]["positionEncoding"] == chosen


@pytest.mark.parametrize(
    ("params", "field"),
    [
        (None, "params"),
        (5, "params"),
        ({}, "capabilities"),
        ({"capabilities": []}, "capabilities"),
        ({"capabilities": {}, "processId": "7"}, "processId"),
    ],
)
async def test_an_initialize_that_does_not_fit_names_the_field_and_may_be_sent_again(
    wire: Wire, params: Any, field: str
) -> None:
    wire.send({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
    refused = await wire.receive()
    assert outcome(refused) == (1, ErrorCode.INVALID_PARAMS)
    assert refused["error"]["message"].startswith(f"{field}: ")
    assert "capabilities" in (await wire.handshake())["result"]


async def test_everything_in_one_write_is_answered_in_order(wire: Wire) -> None:
    messages = [
        request("initialize", 1, capabilities={}),
        notification("initialized"),
        request("auth/list", 2),
        request("auth/set", 3, providerId="fastrouter", secret=CANARY),
        request("auth/list", 4),
        request("auth/remove", 5, providerId="fastrouter"),
        request("auth/list", 6),
    ]
    wire.send_bytes(b"".join(encode_frame(json.dumps(message).encode()) for message in messages))
    answers = [await wire.receive() for _ in range(6)]
    assert [answer["id"] for answer in answers] == [1, 2, 3, 4, 5, 6]
    assert [len(answers[index]["result"]["keys"]) for index in (1, 3, 5)] == [0, 1, 0]


async def test_a_handshake_byte_by_byte(wire: Wire) -> None:
    for byte in encode_frame(json.dumps(request("initialize", 1, capabilities={})).encode()):
        wire.send_bytes(bytes([byte]))
        await asyncio.sleep(0)
    assert outcome(await wire.receive()) == (1, "ok")


async def test_requests_before_initialize_and_after_shutdown_are_refused(wire: Wire) -> None:
    wire.send(
        notification("$/setTrace", value="verbose"), request("provider/list", 1), request("shutdown", 2)
    )
    assert outcome(await wire.receive()) == (1, ErrorCode.SERVER_NOT_INITIALIZED)
    assert outcome(await wire.receive()) == (2, ErrorCode.SERVER_NOT_INITIALIZED)
    await wire.handshake()
    wire.send(request("shutdown", 3))
    assert await wire.receive() == {"jsonrpc": "2.0", "id": 3, "result": None}
    wire.send(request("provider/list", 4), request("shutdown", 5), request("initialize", 6, capabilities={}))
    answers = [await wire.receive() for _ in range(3)]
    assert [outcome(answer) for answer in answers] == [(i, ErrorCode.INVALID_REQUEST) for i in (4, 5, 6)]
    wire.send(notification("exit"))
    assert await wire.receive() is None


async def test_a_client_of_another_protocol_version_is_told_which_there_are(wire: Wire) -> None:
    await wire.handshake(capabilities={"experimental": {"trunkline": {"versions": ["9.0"]}}})
    wire.send(request("provider/list", 2), request("shutdown", 3))
    refused = await wire.receive()
    assert outcome(refused) == (2, ErrorCode.UNSUPPORTED_VERSION)
    assert refused["error"]["data"]["supportedVersions"] == ["1.0"]
    assert outcome(await wire.receive()) == (3, "ok")


# --- one answer to everything -----------------------------------------------------------------------------

DEEP = b'{"jsonrpc":"2.0","id":5,"method":"auth/list","params":' + b"[" * 5000 + b"]" * 5000 + b"}"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"{", (None, ErrorCode.PARSE_ERROR)),
        (b"", (None, ErrorCode.PARSE_ERROR)),
        (b'{"a": "\xff\xfe"}', (None, ErrorCode.PARSE_ERROR)),
        (DEEP, (None, ErrorCode.TOO_DEEP)),
        (b'{"jsonrpc":"2.0","id":' + b"1" * 5000 + b',"method":"auth/list"}', (None, ErrorCode.PARSE_ERROR)),
        (b"[]", (None, ErrorCode.INVALID_REQUEST)),
        ([request("auth/list", 5)], (None, ErrorCode.INVALID_REQUEST)),
        (b"7", (None, ErrorCode.INVALID_REQUEST)),
        ({"id": 5, "method": "provider/list"}, (5, ErrorCode.INVALID_REQUEST)),
        ({"jsonrpc": "1.0", "id": 5, "method": "provider/list"}, (5, ErrorCode.INVALID_REQUEST)),
        ({"jsonrpc": "2.0", "id": 5}, (5, ErrorCode.INVALID_REQUEST)),
        ({"jsonrpc": "2.0", "id": 5, "method": 7}, (5, ErrorCode.INVALID_REQUEST)),
        ({"jsonrpc": "2.0", "id": None, "method": "provider/list"}, (None, ErrorCode.INVALID_REQUEST)),
        ({"jsonrpc": "2.0", "id": True, "method": "provider/list"}, (None, ErrorCode.INVALID_REQUEST)),
        ({"jsonrpc": "2.0", "id": 1.5, "method": "provider/list"}, (None, ErrorCode.INVALID_REQUEST)),
        (request("no/such", 5), (5, ErrorCode.METHOD_NOT_FOUND)),
        (request("$/no/such", 5), (5, ErrorCode.METHOD_NOT_FOUND)),
        (request("textDocument/hover", "five"), ("five", ErrorCode.METHOD_NOT_FOUND)),
        (request("initialize", 5, capabilities={}), (5, ErrorCode.INVALID_REQUEST)),
        (request("auth/set", 5, providerId="fastrouter"), (5, ErrorCode.INVALID_PARAMS)),
        (request("auth/set", 5, providerId=3, secret=CANARY), (5, ErrorCode.INVALID_PARAMS)),
        ({**request("chat/stream", 5), "params": [1]}, (5, ErrorCode.INVALID_PARAMS)),
        ({"jsonrpc": "2.0", "id": 5, "method": "chat/stream"}, (5, ErrorCode.INVALID_PARAMS)),
    ],
)
async def test_a_bad_message_is_answered_and_the_next_one_works(
    wire: Wire, message: Any, expected: tuple[Any, ErrorCode]
) -> None:
    await wire.handshake()
    wire.send(message, request("auth/list", "next"))
    refused, answered = await wire.receive(), await wire.receive()
    assert outcome(refused) == expected
    assert refused["error"]["data"]["kind"] == expected[1].kind
    assert CANARY not in json.dumps(refused)
    assert (answered["id"], answered["result"]) == ("next", {"keys": []})


async def test_invalid_params_name_the_field_and_the_reason_never_the_value(wire: Wire) -> None:
    await wire.handshake()
    wire.send(request("auth/set", 1, providerId="fastrouter", secret={"oops": CANARY}))
    error = (await wire.receive())["error"]
    assert error["code"] == ErrorCode.INVALID_PARAMS
    assert error["message"] == "secret must be text in quotes"
    assert CANARY not in json.dumps(error)


async def test_absent_params_are_empty_params(wire: Wire) -> None:
    await wire.handshake()
    wire.send({"jsonrpc": "2.0", "id": 1, "method": "provider/list"})
    assert (await wire.receive())["result"]["providers"]


async def test_half_of_a_surrogate_pair_is_repaired(wire: Wire) -> None:
    await wire.handshake()
    wire.send(b'{"jsonrpc":"2.0","id":1,"method":"chat/stream","params":{"model":"a\\ud83d","messages":[]}}')
    assert outcome(await wire.receive()) == (1, ErrorCode.INVALID_PARAMS)


@pytest.mark.parametrize(
    "stray",
    [
        {"jsonrpc": "2.0", "id": 7, "result": 5},
        {"jsonrpc": "2.0", "id": 7, "error": 5},
        {"jsonrpc": "2.0", "id": "nobody", "error": {"code": 1, "message": "x"}},
        notification("$/cancelRequest", id=[1]),
        notification("$/cancelRequest", id="unknown"),
        {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": 5},
        notification("window/workDoneProgress/cancel", token=99),
        notification("$/setTrace", value=5),
        notification("$/no/such", x=1),
        {"jsonrpc": "2.0", "method": "no/such/notification", "params": [1]},
        {"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": CANARY},
        {"jsonrpc": "2.0", "method": "workspace/didChangeConfiguration", "params": 5},
    ],
    ids=lambda stray: str(stray.get("method", "response")),
)
async def test_a_stray_message_disturbs_no_request_and_is_not_answered(wire: Wire, stray: Any) -> None:
    await wire.handshake()
    wire.send(request("model/list", 7, providerIds=["openai"]), stray, request("auth/list", 8))
    answers = [
        message for message in [await wire.receive(), await wire.receive()] if message.get("method") is None
    ]
    while len(answers) < 2:  # a log message may come in between
        message = await wire.receive()
        answers += [message] if message.get("method") is None else []
    assert sorted(map(outcome, answers)) == [(7, "ok"), (8, "ok")]
    assert CANARY not in json.dumps(answers)


@pytest.mark.parametrize(
    ("data", "code", "goes_on"),
    [
        (b"Content-Length: 2\r\nX-Other: 1\r\n\r\n{}", ErrorCode.INVALID_REQUEST, True),
        (b"content-LENGTH:2\nCONTENT-TYPE: a/b; charset=latin-1\n\n{}", ErrorCode.INVALID_REQUEST, True),
        (b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", ErrorCode.INVALID_REQUEST, True),
        (b"Content-Length: 20000000\r\n\r\n" + b"x" * 20_000_000, ErrorCode.MESSAGE_TOO_LARGE, True),
        (b"Content-Length: 1000000000000\r\n\r\n", ErrorCode.MESSAGE_TOO_LARGE, False),
        (b"Content-Length: two\r\n\r\n{}", ErrorCode.INVALID_REQUEST, False),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", ErrorCode.INVALID_REQUEST, False),
    ],
    ids=["unknown header", "charset", "twice", "too large", "absurd", "no number", "HTTP"],
)
async def test_a_bad_frame_is_answered_and_the_stream_goes_on_where_it_can(
    wire: Wire, data: bytes, code: ErrorCode, *, goes_on: bool
) -> None:
    await wire.handshake()
    wire.send_bytes(data)
    assert outcome(await wire.receive()) == (None, code)
    if goes_on:
        wire.send(request("auth/list", 1))
        assert outcome(await wire.receive()) == (1, "ok")
    else:
        assert await wire.receive() is None


# --- many at once -----------------------------------------------------------------------------------------


async def test_an_id_that_is_still_running_is_refused_and_the_first_goes_on(
    user: User, scripted: Upstream, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTROUTER_API_KEY", CANARY)
    hold = asyncio.Event()
    provider.answers = [answer_sse(chunk(content="ok"), chunk("stop"), hold=hold)]
    chat = request("chat/stream", 5, model=MODEL, messages=[{"role": "user", "content": "?"}])
    async with wire_in_memory(user) as wire:
        await wire.handshake()
        wire.send(chat)
        async with asyncio.timeout(10):
            await scripted.asked.wait()
        wire.send(request("auth/list", 5))
        assert outcome(await wire.receive()) == (5, ErrorCode.INVALID_REQUEST)
        hold.set()
        assert (await wire.receive())["result"]["finishReason"] == "stop"


async def test_more_than_64_running_requests_are_told_to_come_back(
    user: User, scripted: Upstream, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTROUTER_API_KEY", CANARY)
    hold = asyncio.Event()
    provider.answers = [answer_sse(chunk(content="ok"), chunk("stop"), hold=hold) for _ in range(64)]
    messages = [{"role": "user", "content": "?"}]
    async with wire_in_memory(user) as wire:
        await wire.handshake()
        wire.send(*(request("chat/stream", index, model=MODEL, messages=messages) for index in range(1, 66)))
        refused = await wire.receive()
        assert outcome(refused) == (65, ErrorCode.OVERLOADED)
        assert refused["error"]["data"]["retryable"]
        assert refused["error"]["data"]["retryAfterMs"] > 0
        wire.send(notification("$/cancelRequest", id=64))
        assert outcome(await wire.receive()) == (64, ErrorCode.REQUEST_CANCELLED)
        hold.set()
        answers = [await wire.receive() for _ in range(63)]
        wire.send(request("auth/list", 66))
        assert outcome(await wire.receive()) == (66, "ok")
    assert sorted(map(outcome, answers)) == [(index, "ok") for index in range(1, 64)]
    assert scripted.chats()


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


# --- what the user is told --------------------------------------------------------------------------------


async def test_a_broken_configuration_is_shown_by_the_editor(user: User, wire: Wire) -> None:
    path = user.configure('{\n  "provider": {,\n}')
    await wire.handshake()
    wire.send(notification("initialized"))
    message = (await wire.receive_method("window/showMessage"))["params"]["message"]
    assert str(path) in message
    assert "line 2" in message
    wire.send(request("provider/list", 1))
    assert (await wire.receive())["result"]["providers"]


async def test_the_trace_tells_methods_and_outcomes_and_nothing_else(wire: Wire) -> None:
    await wire.handshake(trace="messages")
    wire.send(request("auth/set", 1, providerId="fastrouter", secret=CANARY))
    received = await wire.receive_method("$/logTrace")
    assert received["params"] == {"message": "Received request 'auth/set' (1)"}
    sent = await wire.receive_method("$/logTrace")
    assert sent["params"] == {"message": "Sending response 'auth/set' (1)"}
    wire.send(
        notification("$/setTrace", value="verbose"), request("auth/set", 2, providerId=CANARY, secret=CANARY)
    )
    verbose = await wire.receive_method("$/logTrace")
    while "verbose" not in verbose["params"]:
        verbose = await wire.receive_method("$/logTrace")
    assert verbose["params"]["verbose"].startswith("failed with providerUnknown, took ")
    assert CANARY not in json.dumps(verbose)
    wire.send(notification("$/setTrace", value="off"), request("auth/list", 3))
    while (message := await wire.receive()).get("id") != 3:
        assert message["method"] == "$/logTrace"
    wire.send(request("auth/list", 4))
    assert outcome(await wire.receive()) == (4, "ok")


async def test_a_warning_of_the_server_reaches_the_clients_log(user: User, wire: Wire) -> None:
    user.paths.data.mkdir(parents=True, mode=0o700)
    store = user.paths.data / "auth.json"
    store.write_text('{"version": 1, "providers": {}}', encoding="utf-8")
    store.chmod(0o644)
    await wire.handshake()
    wire.send(request("auth/list", 1))
    logged = await wire.receive_method("window/logMessage")
    assert logged["params"]["type"] == 2
    assert str(store) in logged["params"]["message"]


async def disabled_providers(wire: Wire, request_id: int) -> set[str]:
    wire.send(request("provider/list", request_id, includeDisabled=True))
    while (message := await wire.receive()).get("id") != request_id:
        pass
    listed = message["result"]["providers"]
    return {info["providerId"] for info in listed if info["state"] == "disabled"}


async def test_the_editors_settings_can_switch_providers_off_and_on_again(wire: Wire) -> None:
    await wire.handshake(initializationOptions={"disabled_providers": ["openai"]})
    wire.send(notification("initialized"))
    assert await disabled_providers(wire, 1) == {"openai"}
    settings = {"trunkline": {"disabled_providers": ["groq", "mistral"]}}
    wire.send(notification("workspace/didChangeConfiguration", settings=settings))
    assert await disabled_providers(wire, 2) == {"groq", "mistral"}
    wire.send(notification("workspace/didChangeConfiguration", settings={"trunkline": {}}))
    assert await disabled_providers(wire, 3) == set()


async def test_the_editors_settings_cannot_switch_on_what_the_user_switched_off(
    user: User, wire: Wire
) -> None:
    user.configure({"enabled_providers": ["openai", "groq"]})
    await wire.handshake(initializationOptions={"trunkline": {"enabled_providers": ["groq", "mistral"]}})
    wire.send(notification("initialized"))
    wire.send(request("provider/list", 1))
    assert [info["providerId"] for info in (await wire.receive())["result"]["providers"]] == ["groq"]


async def test_a_client_that_has_settings_is_asked_for_them_and_wrong_ones_are_named(wire: Wire) -> None:
    await wire.handshake(capabilities={"workspace": {"configuration": True}})
    wire.send(notification("initialized"))
    pull = await wire.receive_method("workspace/configuration")
    assert pull["params"] == {"items": [{"section": "trunkline"}]}
    hostile = {"fastrouter": {"options": {"baseURL": "https://evil.example/v1", "apiKey": CANARY}}}
    section = {"disabled_providers": "openai", "enabled_providers": ["fastrouter"], "provider": hostile}
    wire.send({"jsonrpc": "2.0", "id": pull["id"], "result": [section]})
    warnings = [(await wire.receive_method("window/showMessage"))["params"]["message"] for _ in range(2)]
    assert "trunkline.provider is ignored" in warnings[0]
    assert "trunkline.disabled_providers is ignored" in warnings[1]
    assert CANARY not in str(warnings)
    wire.send(request("provider/list", 1))
    (info,) = (await wire.receive())["result"]["providers"]
    assert (info["providerId"], info["baseUrl"]) == ("fastrouter", "https://go.fastrouter.ai/api/v1")


@pytest.mark.parametrize("result", [None, [], [None], 5, [{"disabled_providers": None}]])
async def test_an_editor_without_settings_changes_nothing(wire: Wire, result: Any) -> None:
    await wire.handshake(capabilities={"workspace": {"configuration": True}})
    wire.send(notification("initialized"))
    pull = await wire.receive_method("workspace/configuration")
    wire.send({"jsonrpc": "2.0", "id": pull["id"], "result": result})
    assert await disabled_providers(wire, 1) == set()


async def test_folders_and_documents_are_taken_over_without_disturbing_anything(wire: Wire) -> None:
    await wire.handshake(workspaceFolders=[{"uri": "file:///a", "name": "a"}])
    document = {"uri": "file:///a/x.py", "languageId": "python", "version": 1, "text": CANARY}
    added = {"added": [{"uri": "file:///b", "name": "b"}], "removed": [{"uri": "file:///a", "name": "a"}]}
    wire.send(
        notification("textDocument/didOpen", textDocument=document),
        notification("workspace/didChangeWorkspaceFolders", event=added),
        notification("textDocument/didClose", textDocument={"uri": "file:///a/x.py"}),
        request("auth/list", 1),
    )
    assert outcome(await wire.receive()) == (1, "ok")
