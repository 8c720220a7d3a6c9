"""Whatever prints in the server's process, standard output carries frames and nothing else."""

import asyncio
import json
import os
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from support.provider import MODEL, Provider, chunk
from support.upstream import Upstream, answer_sse
from support.user import CANARY, SERVER, User
from trunkline.client import Client, StreamChannel
from trunkline_protocol.chat import ChatStreamParams
from trunkline_protocol.chat_events import ChatEvent, MessageCompleted, TextDelta

NOISY_DEPENDENCY = """
import atexit, ctypes, os, subprocess, sys, threading

def make_noise(where):
    print("printed", where)
    sys.__stdout__.write(f"kept stdout {where}\\n")
    sys.__stdout__.flush()
    os.write(1, f"descriptor 1 {where}\\n".encode())

def make_noise_for_ever():
    while True:
        make_noise("in a thread")
        os.read(0, 1)
        end.wait(0.001)

class Importer:
    "Is asked for every module before Python looks for it."
    started = False

    def find_spec(self, name, path=None, target=None):
        if name == "pydantic_core":
            make_noise("while importing")
            subprocess.run(["echo", "printed by a child"])
            ctypes.CDLL(None).puts(b"printed by C")
        if name == "httpx" and not Importer.started:
            Importer.started = True
            threading.Thread(target=make_noise_for_ever, daemon=True).start()
        return None

end = threading.Event()
sys.meta_path.insert(0, Importer())
atexit.register(make_noise, "at exit")
print("printed at start")
"""
"""Runs before the first line of the server, as every sitecustomize does; the last line waits in a buffer."""

NOISES = [
    "printed at start",
    "printed while importing",
    "kept stdout while importing",
    "descriptor 1 while importing",
    "printed by a child",
    "printed by C",
    "printed in a thread",
    "descriptor 1 in a thread",
    "printed at exit",
    "descriptor 1 at exit",
]


class Recorder:
    """A reader that keeps what passes."""

    def __init__(self, source: asyncio.StreamReader) -> None:
        self._source = source
        self.seen = bytearray()

    async def read(self, n: int = -1, /) -> bytes:
        data = await self._source.read(n)
        self.seen += data
        return data


def bodies(stream: bytes) -> list[Any]:
    """The messages of a stream of frames, read without any tolerance."""
    messages: list[Any] = []
    while stream:
        header, _, rest = stream.partition(b"\r\n\r\n")
        name, _, length = header.partition(b": ")
        assert name == b"Content-Length"
        messages.append(json.loads(rest[: int(length)]))
        stream = rest[int(length) :]
    return messages


@pytest.mark.skipif(os.name == "nt", reason="the noise is made with echo and the C library of POSIX")
async def test_a_dependency_that_prints_disturbs_no_frame(
    user: User, scripted: Upstream, provider: Provider, tmp_path: Path
) -> None:
    deltas = [f"word {number} " for number in range(300)]
    provider.answers = [answer_sse(*(chunk(content=delta) for delta in deltas), chunk("stop"))]
    (tmp_path / "noise").mkdir()
    (tmp_path / "noise" / "sitecustomize.py").write_text(NOISY_DEPENDENCY, encoding="utf-8")
    python_path = os.pathsep.join(filter(None, [str(tmp_path / "noise"), os.environ.get("PYTHONPATH")]))
    # Unbuffered, the first line would be written before there is a server: nobody could stop it.
    buffered = {"PYTHONPATH": python_path, "PYTHONUNBUFFERED": ""}
    env = {**user.env, **buffered, "FASTROUTER_API_KEY": CANARY}
    process = await asyncio.create_subprocess_exec(*SERVER, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=env)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    noise = asyncio.create_task(process.stderr.read())
    output = Recorder(process.stdout)
    client = Client(StreamChannel(output, process.stdin))
    events: list[ChatEvent] = []
    chat = ChatStreamParams.model_validate({"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]})
    # A stream that has lost its rhythm answers nothing; the end of the process then ends the waiting.
    too_late = asyncio.get_running_loop().call_later(30, process.kill)
    try:
        await client.initialize()
        await client.chat(chat, events.append)
        listed = await client.request("auth/list")
        await client.shutdown()
        code = await process.wait()
        heard = (await noise).decode()
        while await output.read(65536):
            pass
    finally:
        too_late.cancel()
        if process.returncode is None:
            process.kill()
        await process.wait()
        await client.aclose()
    assert code == 0
    assert [sound for sound in NOISES if sound not in heard] == []
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "".join(deltas)
    assert isinstance(events[-1], MessageCompleted)
    assert listed["keys"][0]["source"] == "env"
    messages = bodies(bytes(output.seen))
    assert [message["id"] for message in messages if "id" in message] == [1, 3, 4, 5]
    assert {message["jsonrpc"] for message in messages} == {"2.0"}
    assert scripted.chats()[0].json["messages"] == [{"role": "user", "content": "Hi"}]
