"""`trunkline attach` between an editor and a server that does as it is told."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from attach_support import (
    EPOCH,
    SESSION,
    TOKEN,
    WITH_EVENTS,
    attached_relay,
    relay,
    relayed,
    token_file,
)

from support.user import User
from support.wire import notification, request
from trunkline.rpc.framing import encode_frame

_ROOM = 8 * 1024 * 1024


async def test_bodies_pass_untouched_and_in_order_both_ways(user: User) -> None:
    odd = b'{"jsonrpc":"2.0", "method":"x/y",  "params":{"a":1.50,"b":"\\ud83d","c":[{}]}}'
    async with relayed(user) as talk:
        assert talk.caller.head == f"Authorization: Bearer {TOKEN}\r\n\r\n".encode()
        frames = encode_frame(odd) + encode_frame(b"no json") + encode_frame(odd.replace(b"x/y", b"z"))
        for near, far in ((talk.wire, talk.caller.reader), (talk.caller, talk.editor.process.stdout)):
            near.send_bytes(frames)
            assert far is not None
            async with asyncio.timeout(10):
                assert await far.readexactly(len(frames)) == frames


async def test_the_editors_process_means_nothing_to_the_server_and_is_watched_here(user: User) -> None:
    stranger = await asyncio.create_subprocess_exec("sleep", "60")
    async with attached_relay(user) as (_, editor, caller):
        editor.wire.send(
            request("initialize", 1, processId=stranger.pid, capabilities={}, rootUri="file:///x")
        )
        asked = await caller.greet()
        assert asked["id"] == 1
        assert asked["params"] == {"processId": None, "capabilities": {}, "rootUri": "file:///x"}
        await editor.wire.receive()
        stranger.kill()
        await stranger.wait()
        assert await editor.exit_code() == 1
        assert await caller.receive() is None


@pytest.mark.parametrize("shut_down", [True, False])
async def test_the_editors_goodbye_ends_the_relay_with_lsps_exit_code(user: User, shut_down: bool) -> None:
    async with relayed(user) as talk:
        if shut_down:
            talk.caller.answer(await talk.ask("shutdown", 9), None)
            assert await talk.wire.receive() == {"jsonrpc": "2.0", "id": 9, "result": None}
        talk.wire.send(notification("exit"))
        assert (await talk.caller.receive())["method"] == "exit"
        assert await talk.editor.exit_code() == (0 if shut_down else 1)


async def test_an_editor_that_goes_closes_the_connection(user: User) -> None:
    async with relayed(user) as talk:
        talk.editor.hang_up()
        assert await talk.caller.receive() is None
        assert await talk.editor.exit_code() == 1


async def test_goodbye_is_answered_while_there_is_no_connection(user: User) -> None:
    async with relayed(user) as talk:
        talk.daemon.path.unlink()
        talk.caller.cut()
        talk.wire.send(request("session/list", 1))
        talk.wire.send(request("shutdown", 2))
        assert (await talk.wire.receive())["id"] == 2
        talk.wire.send(notification("exit"))
        assert await talk.editor.exit_code() == 0


# --- no server -------------------------------------------------------------------------------------------


async def refused(user: User, *arguments: str, **env: str) -> dict[str, Any]:
    async with relay(user, *arguments, **env) as editor:
        editor.wire.send(request("initialize", 7, processId=None, capabilities={}))
        answer = await editor.wire.receive()
        assert answer["id"] == 7
        assert await editor.exit_code() == 1
        assert answer["error"]["message"] in await editor.complaint()
        return answer["error"]


async def test_without_a_server_initialize_says_what_to_do(user: User) -> None:
    error = await refused(user)
    assert (error["code"], error["data"]["kind"]) == (1301, "upstreamUnreachable")
    assert "trunkline serve --listen" in error["data"]["hint"]
    error = await refused(user, "unix:/nowhere/s", "--token-file", token_file(user))
    assert "/nowhere/s" in error["message"]
    assert error["data"]["retryable"] is True


async def test_without_a_token_initialize_says_how_to_get_one(user: User) -> None:
    error = await refused(user, "unix:/nowhere/s")
    assert (error["code"], error["data"]["kind"]) == (1503, "attachUnauthorized")
    assert "--token-file" in error["data"]["hint"]
    assert "trunkline token create" in error["data"]["hint"]
    assert (await refused(user, "/nowhere/s", TRUNKLINE_TOKEN_FILE="/nowhere/t"))["code"] == 1503


async def test_a_refused_token_is_said_at_initialize(user: User) -> None:
    async with attached_relay(user) as (_, editor, caller):
        editor.wire.send(request("initialize", 7, processId=None, capabilities={}))
        await caller.receive()
        data = {"kind": "attachUnauthorized", "retryable": False}
        caller.send({"jsonrpc": "2.0", "id": None, "error": {"code": 1503, "message": "No.", "data": data}})
        caller.writer.close()
        answer = await editor.wire.receive()
        assert (answer["id"], answer["error"]["code"]) == (7, 1503)
        assert TOKEN not in json.dumps(answer) + await editor.complaint()
        assert await editor.exit_code() == 1


# --- a connection breaks ---------------------------------------------------------------------------------


async def test_a_new_connection_is_greeted_and_told_what_the_old_one_knew(user: User) -> None:
    async with relayed(user) as talk:
        await talk.follow(head=4, tools=[{"name": "t"}])
        uri = "file:///a.py"
        changes: list[Any] = [
            [{"range": {}, "text": "old"}],
            [{"text": "whole"}],
            [{"range": {}, "text": "more"}],
        ]
        documents = [
            notification("textDocument/didOpen", textDocument={"uri": uri, "text": "x"}),
            *(
                notification("textDocument/didChange", textDocument={"uri": uri}, contentChanges=each)
                for each in changes
            ),
            notification("textDocument/didOpen", textDocument={"uri": "file:///closed", "text": "y"}),
            notification("textDocument/didClose", textDocument={"uri": "file:///closed"}),
        ]
        folders = {"added": [{"uri": "file:///w", "name": "w"}], "removed": []}
        settings = notification("workspace/didChangeConfiguration", settings={"trunkline": {"model": "a/b"}})
        moved = notification("workspace/didChangeWorkspaceFolders", event=folders)
        talk.wire.send(*documents, settings, moved)
        for _ in range(len(documents) + 2):
            await talk.caller.receive()
        talk.caller.event(5)
        talk.caller.event(9, seq_from=6)
        assert [(await talk.wire.receive())["params"]["seq"] for _ in "56"] == [5, 9]
        talk.caller.cut()
        talk.caller = await talk.daemon.called()
        greeting = await talk.caller.greet()
        assert greeting["params"]["workspaceFolders"] == folders["added"]
        told = [await talk.caller.receive() for _ in range(6)]
        assert told[:-1] == [notification("initialized"), settings, documents[0], *documents[2:4]]
        since = {"epoch": EPOCH, "seq": 9}
        assert told[-1]["method"] == "session/attach"
        assert told[-1]["params"] == {
            "sessionId": SESSION,
            "role": "controller",
            "tools": [{"name": "t"}],
            "since": since,
            "snapshot": {"maxTurns": 0},
        }
        talk.caller.answer(told[-1], {"base": "replay", "epoch": EPOCH, "headSeq": 12})
        for seq in (8, 9, 10, 11):
            talk.caller.event(seq)
        # Nothing of all that is seen by the editor, but the events it has not had.
        assert [(await talk.wire.receive())["params"]["seq"] for _ in "ab"] == [10, 11]


async def test_a_session_that_was_created_here_is_attached_again(user: User) -> None:
    async with relayed(user) as talk:
        asked = await talk.ask("session/create", 5, tools=[{"name": "t"}])
        made = {"session": {"sessionId": SESSION}, "epoch": EPOCH, "headSeq": 1}
        talk.caller.answer(asked, made)
        await talk.wire.receive()
        caller = await talk.again()
        assert (await caller.receive())["method"] == "initialized"
        again = (await caller.receive())["params"]
        assert (again["sessionId"], again["role"], again["since"]["seq"]) == (SESSION, "controller", 1)
        assert again["tools"] == [{"name": "t"}]
        caller.answer(await talk.ask("session/detach", 6, sessionId=SESSION), {})
        await talk.wire.receive()
        caller = await talk.again()
        assert (await caller.receive())["method"] == "initialized"
        assert (await talk.ask("session/list", 7))["method"] == "session/list"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"base": "snapshot", "epoch": EPOCH, "headSeq": 50}, (8, 50)),
        ({"base": "snapshot", "epoch": "other", "headSeq": 3}, (1, 3)),
        ({"base": "snapshot", "epoch": EPOCH, "headSeq": 7}, None),
    ],
)
async def test_events_that_cannot_be_had_any_more_are_announced(
    user: User, answer: dict[str, Any], told: tuple[int, int] | None
) -> None:
    async with relayed(user) as talk:
        await talk.follow(head=7)
        caller = await talk.again()
        await caller.receive()
        caller.answer(await caller.receive(), answer)
        caller.event(answer["headSeq"] + 1, epoch=answer["epoch"])
        if told is not None:
            lagged = await talk.wire.receive()
            first, last = told
            assert lagged == notification("session/lagged", sessionId=SESSION, fromSeq=first, toSeq=last)
        assert (await talk.wire.receive())["params"]["seq"] == answer["headSeq"] + 1


async def test_a_session_that_is_gone_is_said_to_be(user: User) -> None:
    async with relayed(user) as talk:
        await talk.follow()
        caller = await talk.again()
        await caller.receive()
        caller.fail(await caller.receive(), 1401)
        assert await talk.wire.receive() == notification("session/changed", sessionId=SESSION, deleted=True)
        await talk.follow()
        caller = await talk.again()
        await caller.receive()
        caller.fail(await caller.receive(), 1404, "Another process has it.")
        shown = await talk.wire.receive()
        assert shown["method"] == "window/showMessage"
        assert "Another process has it." in shown["params"]["message"]


async def test_what_may_be_repeated_is_sent_again_and_the_rest_is_answered(user: User) -> None:
    async with relayed(user) as talk:
        repeated = [
            request("session/prompt", "p", sessionId=SESSION, requestKey="k", input=[]),
            request("model/list", 2),
        ]
        lost = [
            request("chat/stream", 3, model="m"),
            request("session/steer", 4, sessionId=SESSION),
            request("model/list", "progress", partialResultToken="t"),
        ]
        talk.wire.send(*lost, *repeated)
        for _ in (*lost, *repeated):
            await talk.caller.receive()
        caller = await talk.again()
        errors = [await talk.wire.receive() for _ in lost]
        assert [error["id"] for error in errors] == [3, 4, "progress"]
        for error in errors:
            assert error["error"]["code"] == 1306
            assert error["error"]["data"]["kind"] == "streamInterrupted"
            assert error["error"]["data"]["retryable"] is True
            assert error["error"]["data"]["hint"]
        assert (await caller.receive())["method"] == "initialized"
        assert [await caller.receive() for _ in repeated] == repeated
        caller.answer(repeated[0], {"turnId": "t"})
        assert await talk.wire.receive() == {"jsonrpc": "2.0", "id": "p", "result": {"turnId": "t"}}


async def test_what_comes_while_there_is_no_connection_waits_for_one(user: User) -> None:
    async with relayed(user) as talk:
        await talk.ask("chat/stream", 0)
        talk.caller.cut()
        assert (await talk.wire.receive())["id"] == 0
        asked = [request("chat/stream", 1, model="m"), request("session/list", 2), request("session/list", 3)]
        talk.wire.send(*asked, notification("$/cancelRequest", id=2))
        await talk.back()
        cancelled = await talk.wire.receive()
        assert (cancelled["id"], cancelled["error"]["code"]) == (2, -32800)
        assert (await talk.caller.receive())["method"] == "initialized"
        assert [(await talk.caller.receive())["id"] for _ in "13"] == [1, 3]


async def test_initialize_itself_survives_a_break(user: User) -> None:
    async with attached_relay(user) as (daemon, editor, caller):
        editor.wire.send(request("initialize", "mine", processId=None, capabilities=WITH_EVENTS))
        await caller.receive()
        caller.cut()
        assert (await (await daemon.called()).greet())["id"] == "mine"
        assert (await editor.wire.receive())["id"] == "mine"


async def test_questions_of_a_broken_connection_are_withdrawn_and_their_answers_dropped(user: User) -> None:
    async with relayed(user) as talk:
        question = request("permission/request", "trunkline-1", title="?")
        talk.caller.send(question)
        assert await talk.wire.receive() == question
        caller = await talk.again()
        assert (await caller.receive())["method"] == "initialized"
        assert await talk.wire.receive() == notification("$/cancelRequest", id="trunkline-1")
        caller.send(question)
        again = await talk.wire.receive()
        assert again["params"] == question["params"]
        assert again["id"] != "trunkline-1"  # it may still be in the editor's hands
        for late_or_not in ("trunkline-1", again["id"]):
            talk.wire.send({"jsonrpc": "2.0", "id": late_or_not, "result": {"said": late_or_not}})
        assert await caller.receive() == {
            "jsonrpc": "2.0",
            "id": "trunkline-1",
            "result": {"said": again["id"]},
        }
        caller.send({**question, "id": "trunkline-2"}, notification("$/cancelRequest", id="trunkline-2"))
        shown = await talk.wire.receive()
        assert (await talk.wire.receive())["params"] == {"id": shown["id"]}


async def test_another_version_of_the_server_is_logged(user: User) -> None:
    async with relayed(user) as talk:
        await talk.again({"experimental": {"trunkline": {"version": "1.0", "schemaHash": "new"}}})
        logged = await talk.wire.receive()
        assert logged["method"] == "window/logMessage"
        assert "another version" in logged["params"]["message"]


async def test_documents_beyond_the_bound_are_closed_for_the_next_connection(user: User) -> None:
    async with relayed(user) as talk:
        large = "x" * (5 * 1024 * 1024)
        uris = ["file:///large", "file:///small"]
        for uri, text in zip(uris, (large, "y"), strict=True):
            talk.wire.send(notification("textDocument/didOpen", textDocument={"uri": uri, "text": text}))
            assert (await talk.caller.receive())["params"]["textDocument"]["uri"] == uri
        caller = await talk.again()
        assert (await caller.receive())["method"] == "initialized"
        assert (await caller.receive())["params"]["textDocument"]["uri"] == uris[1]
        for uri in uris:  # changes of a text that the server does not have would only confuse it
            change = notification("textDocument/didChange", textDocument={"uri": uri}, contentChanges=[])
            talk.wire.send(change)
        assert (await caller.receive())["params"]["textDocument"]["uri"] == uris[1]
        talk.wire.send(notification("textDocument/didOpen", textDocument={"uri": uris[0], "text": "z"}))
        assert (await caller.receive())["method"] == "textDocument/didOpen"


async def test_a_rotated_token_is_read_again(user: User) -> None:
    async with relayed(user) as talk:
        token_file(user, "rotated")
        assert (await talk.again()).head == b"Authorization: Bearer rotated\r\n\r\n"


# --- pressure --------------------------------------------------------------------------------------------


def resident_bytes(pid: int) -> int:
    fields = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the size of a process is read from /proc")
@pytest.mark.parametrize("from_editor", [True, False])
async def test_whoever_does_not_read_makes_the_other_side_wait_not_the_relay_grow(
    user: User, from_editor: bool
) -> None:
    async with relayed(user) as talk:
        before = resident_bytes(talk.editor.process.pid)
        body = encode_frame(json.dumps(notification("x/y", text="x" * 50_000)).encode())
        sent = 0
        stopped = talk.editor.process.stdin if from_editor else talk.caller.writer
        assert stopped is not None
        stopped.transport.set_write_buffer_limits(high=1)
        while sent < 64 * 1024 * 1024:
            stopped.write(body)
            sent += len(body)
            try:
                await asyncio.wait_for(stopped.drain(), 1)
            except TimeoutError:
                break
        assert sent < _ROOM
        assert resident_bytes(talk.editor.process.pid) - before < _ROOM
        for _ in range(sent // len(body)):
            assert (await (talk.caller if from_editor else talk.wire).receive())["method"] == "x/y"
