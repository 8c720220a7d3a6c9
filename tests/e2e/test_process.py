"""`trunkline --stdio` as a process: lifecycle, clean stdout, and the whole way from key to answer."""

import asyncio
import json
import os
import shlex
import signal
import sys
from asyncio.subprocess import PIPE
from typing import Any

import pytest

from support.provider import MODEL, Provider, chunk
from support.upstream import Upstream, answer_sse
from support.user import CANARY, SERVER, User
from trunkline.client import ConnectionLostError, RequestError, spawn
from trunkline.demo.upstream import DemoUpstream
from trunkline.rpc.framing import FrameDecoder, encode_frame
from trunkline_protocol.chat import ChatStreamParams
from trunkline_protocol.chat_events import ChatEvent, MessageCompleted, TextDelta
from trunkline_protocol.errors import ErrorCode


def frames(*messages: dict[str, Any]) -> bytes:
    return b"".join(encode_frame(json.dumps({"jsonrpc": "2.0", **message}).encode()) for message in messages)


INITIALIZE: dict[str, Any] = {"id": 1, "method": "initialize", "params": {"capabilities": {}}}
SHUTDOWN = {"id": 2, "method": "shutdown"}
EXIT = {"method": "exit"}


async def run(user: User, data: bytes, *arguments: str) -> tuple[int | None, list[Any], bytes]:
    """Exit code, the messages on stdout and stderr of a server that reads `data` and then the end."""
    command = [sys.executable, "-m", "trunkline", *(arguments or ("--stdio",))]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=user.env
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate(data)
    decoder = FrameDecoder()
    messages = [json.loads(item) for item in decoder.feed(out) if isinstance(item, bytes)]
    assert b"".join(encode_frame(json.dumps(m).encode()) for m in messages) or not out
    return process.returncode, messages, err


@pytest.mark.parametrize(
    "arguments", [("--stdio",), ("serve", "--stdio"), ("--stdio", "--clientProcessId=1")]
)
async def test_a_handshake_a_goodbye_and_exit_code_0(user: User, arguments: tuple[str, ...]) -> None:
    code, messages, err = await run(user, frames(INITIALIZE, SHUTDOWN, EXIT), *arguments)
    assert [message["id"] for message in messages] == [1, 2]
    assert (code, err) == (0, b"")


@pytest.mark.parametrize(
    "data",
    [frames(INITIALIZE, EXIT), frames(INITIALIZE), b"", b"garbage\r\n\r\n", frames(INITIALIZE)[:-3]],
    ids=["exit without shutdown", "end of input", "no input", "not LSP", "half a message"],
)
async def test_anything_but_a_goodbye_is_exit_code_1(user: User, data: bytes) -> None:
    code, _, err = await run(user, data)
    assert code == 1
    assert b"Traceback" not in err


async def test_stdin_from_a_file_and_stdout_to_a_file_work(user: User) -> None:
    user.home.mkdir()
    source, target = user.home / "in", user.home / "out"
    source.write_bytes(frames(INITIALIZE, SHUTDOWN, EXIT))
    with source.open("rb") as stdin, target.open("wb") as stdout:
        process = await asyncio.create_subprocess_exec(*SERVER, stdin=stdin, stdout=stdout, env=user.env)
        async with asyncio.timeout(30):
            assert await process.wait() == 0
    assert len(list(FrameDecoder().feed(target.read_bytes()))) == 2


@pytest.mark.skipif(os.name == "nt", reason="descriptors that are closed are POSIX's")
@pytest.mark.parametrize("stdin", ["< /dev/null", "<&-"], ids=["nothing", "closed"])
async def test_without_an_input_it_ends(user: User, stdin: str) -> None:
    command = f"{shlex.join(SERVER)} {stdin}"
    process = await asyncio.create_subprocess_shell(command, stdout=PIPE, stderr=PIPE, env=user.env)
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    assert (process.returncode, out, err) == (1, b"", b"")


async def test_starting_creates_no_file_and_needs_no_home(user: User) -> None:
    code, _, _ = await run(user, frames(INITIALIZE, SHUTDOWN, EXIT))
    assert code == 0
    assert not user.home.exists()


async def test_from_a_key_to_a_tool_round_trip(user: User, upstream: DemoUpstream) -> None:
    frames_seen: list[str] = []
    events: list[ChatEvent] = []
    async with spawn(
        SERVER, env=user.env, on_notification=lambda method, params: frames_seen.append(f"{method} {params}")
    ) as client:
        await client.initialize()
        before = await client.request("provider/list")
        stored = await client.request("auth/set", {"providerId": "fastrouter", "secret": CANARY})
        after = await client.request("provider/list")
        models = await client.request("model/list", {"providerIds": ["fastrouter"]})
        model = next(m["model"] for m in models["models"] if m["capabilities"]["tools"])
        question = {"role": "user", "content": "What does notes.md say?"}
        tools = [
            {
                "name": "read_file",
                "inputSchema": {
                    "type": "object",
                    "properties": {"path": {"type": "string"}},
                    "required": ["path"],
                },
            }
        ]
        asked = {"model": model, "messages": [question], "tools": tools}
        first = await client.chat(ChatStreamParams.model_validate(asked), events.append)
        assert isinstance(events[-1], MessageCompleted)
        message = events[-1].message.to_wire()
        call = next(part for part in message["content"] if part["type"] == "toolCall")
        result = {
            "type": "toolResult",
            "callId": call["callId"],
            "content": [{"type": "text", "text": "# Buy milk\n\nand bread"}],
        }
        answered = {**asked, "messages": [question, message, {"role": "tool", "content": [result]}]}
        events.clear()
        second = await client.chat(ChatStreamParams.model_validate(answered), events.append)
        removed = await client.request("auth/remove", {"providerId": "fastrouter"})
        listed = await client.request("auth/list")
        await client.shutdown()
    assert client.process is not None
    assert client.process.returncode == 0
    states = [
        next(info["state"] for info in answer["providers"] if info["providerId"] == "fastrouter")
        for answer in (before, after)
    ]
    assert states == ["notConnected", "ready"]
    assert {model["source"] for model in models["models"]} == {"live"}
    assert (first.finish_reason, second.finish_reason) == ("toolCalls", "stop")
    assert call["name"] == "read_file"
    assert "Buy milk" in "".join(event.text for event in events if isinstance(event, TextDelta))
    assert second.usage is not None
    assert second.cost is not None
    assert second.cost.source == "provider"
    assert (removed, listed) == ({}, {"keys": []})
    assert CANARY not in json.dumps([before, stored, after, models, listed, frames_seen])
    assert len([seen for seen in upstream.requests if seen.path.endswith("/chat/completions")]) == 2


async def test_a_wrong_key_and_a_dead_host_are_told_apart(user: User, upstream: DemoUpstream) -> None:
    async with spawn(SERVER, env=user.env) as client:
        await client.initialize()
        await client.request("auth/set", {"providerId": "fastrouter", "secret": "sk-v1-not-the-right-one"})
        models = await client.request("model/list", {"providerIds": ["fastrouter"]})
        chat = {"model": models["models"][0]["model"], "messages": [{"role": "user", "content": "Hi"}]}
        with pytest.raises(RequestError) as rejected:
            await client.request("chat/stream", chat)
        user.route("http://127.0.0.1:9/api/v1")
        await client.request("auth/set", {"providerId": "fastrouter", "secret": CANARY})
        listed = await client.request("model/list", {"providerIds": ["fastrouter"]})
        with pytest.raises(RequestError) as unreachable:
            await client.request("chat/stream", {**chat, "model": listed["models"][0]["model"]})
        await client.shutdown()
    assert rejected.value.error.code == ErrorCode.AUTH_REJECTED
    assert "trunkline auth login fastrouter" in (rejected.value.error.data.hint or "")
    assert unreachable.value.error.code == ErrorCode.UPSTREAM_UNREACHABLE
    assert (listed["stale"], listed["models"][0]["source"]) == (True, "offline")
    assert listed["failures"][0]["error"]["code"] == ErrorCode.UPSTREAM_UNREACHABLE
    assert upstream.requests


async def test_the_planted_key_is_in_no_log_even_when_everything_breaks(
    user: User, upstream: DemoUpstream
) -> None:
    env = {**user.env, "FASTROUTER_API_KEY": CANARY}
    async with spawn(SERVER, env=env, stderr=PIPE) as client:
        await client.initialize()
        with pytest.raises(RequestError):
            await client.request("auth/set", {"providerId": "fastrouter", "secret": [CANARY]})
        (user.paths.data).mkdir(parents=True, mode=0o700)
        (user.paths.data / "auth.json").write_text(f'{{"version": 1, "oops {CANARY}', encoding="utf-8")
        (user.paths.data / "auth.json").chmod(0o600)
        with pytest.raises(RequestError) as blocked:
            await client.request("auth/set", {"providerId": "fastrouter", "secret": CANARY})
        client.notify("textDocument/didOpen", {"secret": CANARY})
        await client.request("provider/list")
        assert client.process is not None
        assert client.process.stderr is not None
        await client.shutdown()
        async with asyncio.timeout(10):
            log = await client.process.stderr.read()
    assert blocked.value.error.code == ErrorCode.KEY_STORE_UNREADABLE
    assert CANARY not in str(blocked.value.error.to_wire())
    assert CANARY.encode() not in log
    (user.paths.data / "auth.json").unlink()
    assert upstream.requests == []


async def test_the_planted_key_is_in_no_byte_that_leaves_the_process(user: User) -> None:
    user.route("http://127.0.0.1:9/api/v1")
    requests: list[tuple[str, Any]] = [
        ("auth/set", {"providerId": "fastrouter", "secret": CANARY, "keyId": "one"}),
        ("auth/set", {"providerId": "fastrouter", "secret": f" {CANARY}\n"}),
        ("auth/set", {"providerId": CANARY, "secret": CANARY}),
        ("auth/set", {"providerId": "fastrouter", "secret": f"{CANARY}\u2019"}),
        ("auth/list", None),
        ("provider/list", None),
        ("auth/select", {"secret": CANARY}),
        ("chat/stream", {"model": f"fastrouter/{CANARY}", "messages": CANARY}),
    ]
    answers: list[str] = []
    async with spawn(SERVER, env=user.env, stderr=PIPE) as client:
        await client.initialize()
        for method, params in requests:
            try:
                answers.append(json.dumps(await client.request(method, params)))
            except RequestError as refused:
                answers.append(json.dumps(refused.error.to_wire()))
        await client.shutdown()
        assert client.process is not None
        assert client.process.stderr is not None
        async with asyncio.timeout(10):
            log = await client.process.stderr.read()
    assert len(answers) == len(requests)
    assert [answer for answer in answers if CANARY in answer] == []
    assert CANARY.encode() not in log
    assert user.files_with(CANARY) == [user.paths.data / "auth.json"]


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
async def test_killing_the_server_mid_answer_ends_the_request(
    user: User, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [answer_sse(chunk(content="Once upon"), chunk("stop"), hold=asyncio.Event())]
    async with spawn(SERVER, env={**user.env, "FASTROUTER_API_KEY": CANARY}) as client:
        await client.initialize()
        started = asyncio.Event()
        chat = ChatStreamParams.model_validate(
            {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}
        )
        asking = asyncio.create_task(client.chat(chat, lambda _: started.set()))
        async with asyncio.timeout(20):
            await started.wait()
            assert client.process is not None
            client.process.send_signal(signal.SIGKILL)
            with pytest.raises(ConnectionLostError):
                await asking
            await scripted.closed_early.wait()


async def test_the_log_file_tells_what_happened_without_keys_or_content(
    user: User, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [answer_sse(chunk(content="the private answer"), chunk("stop"))]
    user.home.mkdir(exist_ok=True)
    log = user.home / "trunkline.log"
    async with spawn([*SERVER, "--log-file", str(log)], env=user.env) as client:
        await client.initialize()
        await client.request("auth/set", {"providerId": "fastrouter", "secret": CANARY})
        with pytest.raises(RequestError):
            await client.request("auth/set", {"providerId": CANARY, "secret": CANARY})
        question = {"role": "user", "content": "the private question"}
        await client.request("chat/stream", {"model": MODEL, "messages": [question]})
        await client.shutdown()
    text = log.read_text(encoding="utf-8")
    assert "Received request 'chat/stream'" in text
    assert "Sending response 'auth/set' (3): failed with providerUnknown" in text
    assert "private" not in text
    assert CANARY not in text
    assert log.stat().st_mode & 0o777 == 0o600
    assert scripted.chats()


async def test_a_log_file_that_cannot_be_written_is_said_and_is_no_reason_not_to_start(user: User) -> None:
    code, messages, err = await run(
        user,
        frames(INITIALIZE, SHUTDOWN, EXIT),
        "--stdio",
        "--log-file",
        str(user.home / "no" / "such" / "x.log"),
    )
    assert (code, len(messages)) == (0, 2)
    assert b"cannot write the log file" in err
    assert b"Traceback" not in err


@pytest.mark.skipif(os.name == "nt", reason="pipes cannot be made non-blocking there")
async def test_pipes_that_an_editor_made_non_blocking_work(user: User) -> None:
    from_editor, to_server = os.pipe()
    from_server, to_editor = os.pipe()
    for descriptor in (from_editor, to_editor):
        os.set_blocking(descriptor, False)
    process = await asyncio.create_subprocess_exec(*SERVER, stdin=from_editor, stdout=to_editor, env=user.env)
    os.close(from_editor)
    os.close(to_editor)
    os.write(to_server, frames(INITIALIZE, {"id": 3, "method": "model/list"}, SHUTDOWN, EXIT))
    with os.fdopen(from_server, "rb") as answers:
        out = await asyncio.to_thread(answers.read)
    os.close(to_server)
    async with asyncio.timeout(10):
        assert await process.wait() == 0
    messages = [json.loads(item) for item in FrameDecoder().feed(out) if isinstance(item, bytes)]
    assert sorted(message["id"] for message in messages) == [1, 2, 3]


async def test_an_editor_that_is_gone_before_the_answer_is_no_traceback(user: User) -> None:
    nobody_reads, to_nobody = os.pipe()
    os.close(nobody_reads)
    process = await asyncio.create_subprocess_exec(
        *SERVER, stdin=PIPE, stdout=to_nobody, stderr=PIPE, env=user.env
    )
    os.close(to_nobody)
    async with asyncio.timeout(20):
        _, err = await process.communicate(frames(INITIALIZE))
    assert (process.returncode, err) == (1, b"")
