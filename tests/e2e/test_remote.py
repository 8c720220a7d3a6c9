"""`trunkline serve --listen` and `trunkline token` as processes: what they leave behind, and what they give away."""

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import pytest

from support.daemon import running_daemon
from support.provider import MODEL, Provider, chunk
from support.remote import PATIENCE_S, header, read_token, unix_wire, web_wire
from support.upstream import answer_sse
from support.user import CANARY, SERVER, User
from support.wire import notification, request
from trunkline.client import spawn
from trunkline.remote.discovery import find_listening
from trunkline.rpc.framing import FrameDecoder, encode_frame
from trunkline_protocol.errors import ErrorCode

pytestmark = pytest.mark.skipif(os.name != "posix", reason="unix sockets")

COMMAND = [sys.executable, "-m", "trunkline"]


async def command(user: User, *arguments: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *arguments, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=user.env
    )
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


def is_there(path: Path) -> bool:
    return path.exists()


@pytest.fixture
def path(sockets: Path) -> Path:
    return sockets / "t.sock"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_daemon_ends_properly_and_leaves_nothing_that_others_could_use(
    user: User, path: Path, number: int
) -> None:
    async with running_daemon(user, path, "--listen", "ws://127.0.0.1:0") as running:
        [found] = find_listening(user.paths.state)
        assert found["pid"] == running.process.pid
        assert [listener["url"] for listener in found["listeners"]] == running.urls
        async with unix_wire(path, header(read_token(running.token_file))) as wire:
            await wire.handshake()
            code, _ = await running.end(number)
            assert await wire.receive() is None
    assert code == 0
    assert list(path.parent.iterdir()) == []
    assert find_listening(user.paths.state) == []
    assert not running.token_file.exists()


async def test_two_daemons_on_one_socket_and_one_that_was_killed(user: User, path: Path) -> None:
    async with running_daemon(user, path) as first:
        code, _, err = await command(user, "serve", "--listen", f"unix:{path}")
        assert code == 1
        assert "another process listens there" in err
        async with unix_wire(path, header(read_token(first.token_file))) as wire:
            await wire.handshake()
        left = first.token_file
        await first.kill()
    assert is_there(path), "nobody could remove it"
    async with running_daemon(user, path) as second:
        [found] = find_listening(user.paths.state)
        assert found["pid"] == second.process.pid
        async with unix_wire(path, header(read_token(second.token_file))) as wire:
            await wire.handshake()
        assert not left.exists(), "the token of the killed one"


@pytest.mark.usefixtures("scripted")
async def test_neither_key_nor_token_nor_words_are_in_logs_answers_or_files(
    user: User, path: Path, provider: Provider
) -> None:
    said = "words that nobody else may read"
    provider.answers.append(answer_sse(chunk(content=said), chunk("stop")))
    log = user.home / "log"
    _, out, _ = await command(user, "token", "create", "--scope", "admin", "--label", "laptop")
    file = Path(out.strip())
    token = read_token(file)
    got: list[str] = []
    async with running_daemon(user, path, "--listen", "ws://127.0.0.1:0", "--log-file", str(log)) as running:
        async with unix_wire(path, header(token)) as wire:
            await wire.handshake(trace="verbose")
            wire.send(request("auth/set", 1, providerId="fastrouter", secret=CANARY))
            while (answer := await wire.receive()).get("id") != 1:
                got.append(json.dumps(answer))
            assert "result" in answer
            question = {"role": "user", "content": [{"type": "text", "text": said}]}
            wire.send(request("chat/stream", 2, model=MODEL, messages=[question]))
            while (answer := await wire.receive()).get("id") != 2:
                got.append(json.dumps(answer))
            assert said in json.dumps(answer)
        own = read_token(running.token_file)
        async with web_wire(running.urls[1], own) as far:
            await far.handshake()
            got.append(json.dumps(await far.ask("auth/list", 1)))
        async with unix_wire(path, header("wrong-token-of-a-stranger")) as wire:
            got.append(json.dumps(await wire.receive()))
        code, err = await running.end()
    assert code == 0
    written = log.read_text(encoding="utf-8") + err + "".join(got)
    for secret in (token, own, CANARY, said, "wrong-token-of-a-stranger"):
        assert secret not in written
    assert user.files_with(token) == [file]
    assert user.files_with(own) == []
    for event in (
        "connected: laptop by admin",
        "connected: serve by control",
        "disconnected: laptop by admin",
        "refused: auth/list by control",
        "refused: not a valid token by nobody known from unix socket",
    ):
        assert event in err
        assert event in log.read_text(encoding="utf-8")


async def test_the_command_line_revokes_and_rotates_tokens_of_a_running_daemon(
    user: User, path: Path
) -> None:
    async with running_daemon(user, path):
        for verb in ("rotate", "revoke"):
            _, out, err = await command(user, "token", "create", "--label", verb, "--expires", "7d")
            token_id, token = err.split()[0], read_token(Path(out.strip()))
            assert token not in out + err
            assert (await command(user, "token", "path", token_id))[1] == out
            assert token_id in (await command(user, "token", "list"))[1]
            async with unix_wire(path, header(token)) as wire:
                await wire.handshake()
                code, shown, told = await command(user, "token", verb, token_id)
                assert code == 0
                assert (await wire.receive())["error"]["code"] == ErrorCode.ATTACH_UNAUTHORIZED
                assert await wire.receive() is None
            if verb == "rotate":
                renewed = read_token(Path(shown.strip()))
                assert renewed not in shown + told
                async with unix_wire(path, header(renewed)) as wire:
                    assert (await wire.handshake())["result"]


async def test_an_editor_shares_its_process_until_it_goes(user: User, sockets: Path) -> None:
    env = {**user.env, "XDG_RUNTIME_DIR": str(sockets)}
    async with spawn(SERVER, env=env) as editor:
        await editor.initialize()
        share = await editor.request("session/share", {"scope": "observe"})
        token = read_token(Path(share["tokenFile"]))
        async with unix_wire(Path(share["url"].removeprefix("unix:")), header(token)) as wire:
            await wire.handshake()
            wire.send(request("session/list", 1))
            assert (await wire.receive())["result"] == {"sessions": []}
            wire.send(request("session/share", 2))
            assert (await wire.receive())["error"]["code"] == ErrorCode.NOT_PERMITTED
            await editor.shutdown()
            assert await wire.receive() is None
    assert not is_there(Path(share["tokenFile"]))
    assert find_listening(user.paths.state) == []


async def test_a_duration_that_is_none_makes_no_token(user: User) -> None:
    for text in ("soon", "7", "d", "-7d", "999999d", "0d", "²h"):
        code, out, err = await command(user, "token", "create", "--expires", text)
        assert (code, out) == (2, "")
        assert "no duration" in err
    assert (await command(user, "token", "list"))[1] == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--listen", "ws://0.0.0.0:0"), "without TLS is refused"),
        (("--listen", "wss://0.0.0.0:0"), "--tls-cert"),
        (("--listen", "tcp://127.0.0.1:0"), "no address"),
        (("--listen", "unix:/tmp/t.sock"), "is refused"),
        ((), "--listen"),
    ],
)
async def test_a_place_that_is_not_safe_is_refused_before_anything_listens(
    user: User, arguments: tuple[str, ...], words: str
) -> None:
    code, out, err = await command(user, "serve", *arguments)
    assert code in (1, 2)
    assert out == ""
    assert words in err
    assert "Traceback" not in err
    assert find_listening(user.paths.state) == []


async def test_an_editor_on_stdio_is_served_also_where_its_process_listens_or_cannot(
    user: User, path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(str(path.with_name("taken.sock")))
        taken.listen()
        for name, words in (
            ("t.sock", "listening on unix:"),
            ("taken.sock", "another process listens there"),
        ):
            listen = f"unix:{path.with_name(name)}"
            process = await asyncio.create_subprocess_exec(
                *COMMAND, "serve", "--stdio", "--listen", listen,
                stdin=PIPE, stdout=PIPE, stderr=PIPE, env=user.env,
            )  # fmt: skip
            messages = (
                request("initialize", 1, capabilities={}),
                notification("initialized"),
                request("provider/list", 2),
                request("shutdown", 3),
                notification("exit"),
            )
            async with asyncio.timeout(PATIENCE_S):
                out, err = await process.communicate(
                    b"".join(encode_frame(json.dumps(message).encode()) for message in messages)
                )
            answers = [json.loads(body) for body in FrameDecoder().feed(out) if isinstance(body, bytes)]
            assert [answer["id"] for answer in answers if "id" in answer] == [1, 2, 3]
            assert process.returncode == 0
            assert words in err.decode()
    assert not is_there(path)
