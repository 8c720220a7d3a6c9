"""A planted key, looked for everywhere: it is in the store and in the header of a request, and nowhere else.

Each test plants a key of its own, so that what other tests do at the same time cannot be mistaken for a leak.
"""

import asyncio
import json
import os
import secrets
import signal
import stat
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from support.provider import MODEL, MODELS, chunk
from support.upstream import Answer, Received, Upstream, answer_json, answer_sse, running_upstream
from support.user import User
from support.wire import Wire, notification, request

LINUX = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs Linux's /proc")
TRUNKLINE = {"experimental": {"trunkline": {"versions": ["1.0"], "events": True}}}


@pytest.fixture
def key() -> str:
    return f"sk-v1-planted-{secrets.token_hex(16)}"


class Talkative:
    """A provider that quotes the key wherever it can."""

    def __init__(self, key: str) -> None:
        self._key = key
        self.refuses = False
        self.hold: asyncio.Event | None = None

    def __call__(self, request: Received) -> Answer:
        said = {"error": {"message": f"What about {self._key}?", "code": self._key, "type": self._key}}
        if request.headers.get("authorization") != f"Bearer {self._key}":
            return answer_json(said, 401)
        if request.path.endswith("/models"):
            return answer_json(MODELS)
        if self.refuses:
            return answer_json(said, 401, x_request_id=self._key)
        if self.hold is not None:
            return answer_sse(chunk(content="wait"), chunk("stop"), hold=self.hold)
        return answer_sse(chunk(content="ok"), said)


@pytest.fixture
def provider(key: str) -> Talkative:
    return Talkative(key)


@pytest.fixture
async def upstream(provider: Talkative, user: User) -> AsyncGenerator[Upstream]:
    async with running_upstream(provider) as running:
        user.route(running.base_url)
        yield running


class Recorded:
    """A stream that keeps everything that was read from it."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream
        self.seen = b""

    async def read(self, size: int = -1) -> bytes:
        data = await self._stream.read(size)
        self.seen += data
        return data


class Server:
    """The real process with everything on that could tell something."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self.process = process
        self.stdout = Recorded(process.stdout)
        self.stderr = process.stderr
        self.stdin = process.stdin
        reader: Any = self.stdout
        self.wire = Wire(reader, process.stdin)

    async def ask(self, method: str, /, **params: Any) -> Any:
        """The answer to a request, after whatever else comes."""
        self.wire.send({"jsonrpc": "2.0", "id": method, "method": method, "params": params})
        while (message := await self.wire.receive()).get("id") != method:
            pass
        return message

    async def started(self) -> "Server":
        await self.wire.handshake(capabilities=TRUNKLINE, trace="verbose")
        self.wire.send(notification("initialized"))
        return self

    async def said(self) -> str:
        """Everything on stdout and stderr until the process has ended."""
        async with asyncio.timeout(40):
            while await self.stdout.read(65536):
                pass
            err = await self.stderr.read()
            await self.process.wait()
        return (self.stdout.seen + err).decode()


async def server(user: User) -> Server:
    user.home.mkdir(exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-X", "faulthandler", "-m", "trunkline", "--stdio"],
        *["--log-file", str(user.home / "trunkline.log")],
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=user.env,
    )
    return await Server(process).started()


def ask_model(**more: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], **more}


def assert_only_in_the_store(user: User, key: str, *texts: str) -> None:
    assert user.files_with(key) == [user.paths.data / "auth.json"]
    for text in texts:
        assert key not in text
        assert key[-12:] not in text


def processes_with(text: str) -> list[str]:
    """The processes that show `text` in their arguments or their environment."""
    found: list[str] = []
    for process in Path("/proc").iterdir():
        for name in ("cmdline", "environ"):
            try:
                shown = (process / name).read_bytes()
            except OSError:
                continue  # no process, ended meanwhile, or somebody else's
            if text.encode() in shown:
                found.append(f"{process.name}: {name}")
    return found


async def test_the_life_of_a_key_in_the_server(
    user: User, key: str, upstream: Upstream, provider: Talkative
) -> None:
    running = await server(user)
    mistaken = [
        await running.ask("auth/set", providerId="fastrouter", secret=[key]),
        await running.ask("auth/set", providerId="fastrouter", secret=f"{key}\x00"),
        await running.ask("auth/set", providerId="fastrouter", keyId=f"{key} ", secret=key),
        await running.ask("auth/submitCode", loginId="none", code=key),
        await running.ask("chat/stream", model=MODEL, messages=key),
        await running.ask("provider/configure", providerId="fastrouter", options={"apiKey": key}),
        await running.ask("provider/configure", providerId="fastrouter", headers={"Not a name": key}),
    ]
    assert ["error" in answer for answer in mistaken] == [True] * len(mistaken)
    stored = await running.ask("auth/set", providerId="fastrouter", secret=key, verify=True)
    assert stored["result"]["verification"]["state"] == "ok"
    for method in ("auth/list", "provider/list", "model/list"):
        assert "result" in await running.ask(method)
    await running.ask("auth/select", providerId="fastrouter", keyId="default")
    broken = await running.ask("chat/stream", **ask_model(partialResultToken="t"))
    assert broken["error"]["data"]["kind"]
    provider.refuses = True
    refused = await running.ask("chat/stream", **ask_model())
    assert refused["error"]["data"]["kind"] == "authRejected"
    assert "[secret]" in refused["error"]["data"]["detail"]
    assert (await running.ask("auth/verify", providerId="fastrouter"))["result"]["state"] == "ok"
    assert (await running.ask("provider/test", providerId="fastrouter", model=MODEL))["result"]["error"]
    running.wire.send(request("shutdown", "end"), notification("exit"))
    log = user.home / "trunkline.log"
    said = await running.said()
    assert "chat/stream" in log.read_text(encoding="utf-8") + said
    assert any(f"Bearer {key}" in request.headers.get("authorization", "") for request in upstream.requests)
    assert_only_in_the_store(user, key, said)


@LINUX
async def test_processes_show_no_key_while_they_work(
    user: User, key: str, upstream: Upstream, provider: Talkative
) -> None:
    provider.hold = asyncio.Event()
    running = await server(user)
    await running.ask("auth/set", providerId="fastrouter", secret=key)
    running.wire.send(request("chat/stream", "chat", **ask_model()))
    async with asyncio.timeout(20):
        await upstream.asked.wait()
    assert processes_with(key) == []
    provider.hold.set()
    running.wire.send(request("shutdown", "end"), notification("exit"))
    assert_only_in_the_store(user, key, await running.said())


@LINUX
async def test_a_key_command_is_told_no_key(user: User, key: str, upstream: Upstream, tmp_path: Path) -> None:
    """A stored key is not in the environment or the arguments of the program that prints another."""
    seen, go = tmp_path / "seen", tmp_path / "go"
    program = tmp_path / "print-key"
    program.write_text(
        f"#!/bin/sh\ncat /proc/$$/cmdline /proc/$$/environ > {seen}.new; mv {seen}.new {seen}\n"
        f"while [ ! -e {go} ]; do sleep 0.05; done\nprintf %s {key[::-1]}\n",
        encoding="utf-8",
    )
    program.chmod(0o700)
    running = await server(user)
    await running.ask("auth/set", providerId="fastrouter", secret=key)
    options = {"baseURL": upstream.base_url, "apiKeyCommand": [str(program)]}
    user.configure({"provider": {"fastrouter": {"options": options}}})
    running.wire.send(request("auth/verify", "verify", providerId="fastrouter"))
    async with asyncio.timeout(20):
        await asyncio.to_thread(_wait_for, seen)
    assert processes_with(key) == []
    go.touch()
    while (message := await running.wire.receive()).get("id") != "verify":
        pass
    assert message["result"]["state"] == "rejected"
    assert key.encode() not in seen.read_bytes()
    running.wire.send(request("shutdown", "end"), notification("exit"))
    said = await running.said()
    assert key[::-1] not in said
    assert user.files_with(key[::-1]) == []
    assert_only_in_the_store(user, key, said)


def _wait_for(path: Path) -> None:
    while not path.exists():
        pass


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
async def test_a_crash_tells_where_it_was_and_no_key(
    user: User, key: str, upstream: Upstream, provider: Talkative
) -> None:
    import resource

    provider.hold = asyncio.Event()
    running = await server(user)
    if sys.platform == "linux":
        # A memory image holds everything; whether there is one is for the system's administrator to say.
        resource.prlimit(running.process.pid, resource.RLIMIT_CORE, (0, 0))
    await running.ask("auth/set", providerId="fastrouter", secret=key)
    running.wire.send(request("chat/stream", "chat", **ask_model()))
    async with asyncio.timeout(20):
        await upstream.asked.wait()
    running.process.send_signal(signal.SIGABRT)
    said = await running.said()
    assert "Fatal Python error: Aborted" in said
    assert running.process.returncode == -signal.SIGABRT
    store = user.paths.data / "auth.json"
    half_written = store.with_name("auth.json.tmp")  # what the answer told of the key was just being noted
    for path in (found := user.files_with(key)):
        assert path in (store, half_written)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert store in found
    again = await server(user)
    assert "result" in await again.ask("auth/remove", providerId="fastrouter")
    again.wire.send(request("shutdown", "end"), notification("exit"))
    said += await again.said()
    assert key[-12:] not in said
    assert user.files_with(key) == [], "who writes next takes away what the killed one left"


CRASH = """
import logging, sys
from trunkline.__main__ import main
key = sys.stdin.buffer.readline().decode().strip()  # as bytes: a command chooses how it reads text
sys.argv = ["trunkline", "--version"]
try:
    main()
except SystemExit:
    pass
from trunkline.errors import describe
from trunkline.rpc.logs import log_to
from trunkline.secrets import Secret
log_to(sys.argv[0] + ".log")
planted = Secret(key)
def use(header):
    raise ValueError(f"cannot send {header!r}")
try:
    use(f"Bearer {planted.reveal()}")
except ValueError as error:
    print(describe(error).model_dump_json())
    logging.getLogger("trunkline").warning("%s %r %s", planted, [planted], key)
    logging.getLogger("somebody.else").error("oops", exc_info=error)
use(f"Bearer {planted.reveal()}")
"""


async def test_tracebacks_and_log_lines_are_without_it(user: User, key: str) -> None:
    user.home.mkdir()
    code, out, err = await run(user, CRASH, key)
    log = (user.home / "trunkline.log").read_text(encoding="utf-8")
    assert code == 1
    assert "cannot send 'Bearer [secret]'" in err
    assert log.count("cannot send 'Bearer [secret]'") == 2
    assert "internalError" in out
    assert user.files_with(key) == []
    for text in (out, err, log):
        assert key not in text


CHAT = """
import asyncio, logging, sys
logging.basicConfig(level=logging.DEBUG, filename="everything.log")
from trunkline.app import Application
from trunkline.chat.engine import ChatStreamParams
from trunkline.errors import TrunklineError, describe
from trunkline.secrets import Secret
key = sys.stdin.readline().strip()
async def main():
    app = Application()
    await app.keys.set(
        "fastrouter", Secret(key), key_id="default", label=None, make_active=True, verify=True
    )
    message = {"role": "user", "content": "Hi"}
    params = {"model": "fastrouter/acme/talker", "messages": [message]}
    run = await app.chat.start(ChatStreamParams.model_validate(params))
    try:
        async for event in run.events():
            print(event.type)
    except TrunklineError as error:
        print(describe(error).model_dump_json())
    await app.aclose()
asyncio.run(main(), debug=True)
"""


async def test_what_libraries_log_for_debugging_is_without_it(
    user: User, key: str, upstream: Upstream
) -> None:
    """Unscrubbed on purpose: the root logger of a program that embeds Trunkline has no filter of ours."""
    code, out, err = await run(user, CHAT, key)
    log = (user.home / "everything.log").read_text(encoding="utf-8")
    assert code == 0, err
    assert "text.delta" in out
    assert "httpcore" in log
    assert "/api/v1/chat/completions" in log or "send_request_headers" in log
    assert upstream.chats()
    assert_only_in_the_store(user, key, out, err)


async def test_the_command_line_shows_it_only_when_told_to(user: User, key: str, upstream: Upstream) -> None:
    async def trunkline(*arguments: str, stdin: str = "") -> tuple[int | None, str, str]:
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-X", "dev", "-W", "ignore", "-m", "trunkline", *arguments],
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=user.env,
        )
        async with asyncio.timeout(40):
            out, err = await process.communicate(stdin.encode())
        return process.returncode, out.decode(), err.decode()

    assert (await trunkline("auth", "login", "fastrouter", stdin=key))[0] == 0
    for arguments in (
        ("auth", "list"),
        ("auth", "list", "--json"),
        ("auth", "token", "fastrouter"),
        ("auth", "verify"),
        ("auth", "use", "fastrouter", "default"),
        ("providers", "--json"),
        ("models", "fastrouter"),
        ("chat", "-m", MODEL, "Hi"),
        ("config", "check"),
    ):
        _, out, err = await trunkline(*arguments)
        assert_only_in_the_store(user, key, out, err)
    _, out, err = await trunkline("auth", "token", "fastrouter", "--reveal")
    assert (out, err) == (f"{key}\n", "")
    document = json.loads((user.paths.data / "auth.json").read_text(encoding="utf-8"))
    assert document["providers"]["fastrouter"]["keys"]["default"]["secret"] == key
    assert upstream.requests


async def run(user: User, script: str, key: str) -> tuple[int | None, str, str]:
    """Exit code, stdout and stderr of a Python program that is given the key on stdin."""
    user.home.mkdir(exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-X", "dev", "-W", "ignore", "-c", script],
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=user.env,
        cwd=user.home,
    )
    async with asyncio.timeout(40):
        out, err = await process.communicate(f"{key}\n".encode())
    return process.returncode, out.decode(), err.decode()
