"""Whether a fast model makes typing in Neovim slow: how late a timer of the editor is while deltas come in.

    python benchmarks/editor_lag.py                # 1,000 deltas a second for ten seconds
    python benchmarks/editor_lag.py --rate 3000

Neovim (of `make clients`) runs in a terminal, so that its redraws count, with our plugin, its server and a
provider in this process. A key that is typed waits at most as long as the timer does. `at rest` is the same
editor without a stream: what is this machine's.
"""

import argparse
import asyncio
import json
import os
import pty
import statistics
import sys
import tempfile
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import cycle, islice
from pathlib import Path

HERE = Path(__file__).parent
PLUGIN = HERE.parent / "editors" / "nvim"
NEOVIM = HERE.parent / "tests" / "clients" / "nvim" / ".venv" / "bin" / "nvim"
ENDING = "This is the end."
PACE_S = 0.01
PATIENCE_S = 300
PROSE = """\
## What a model writes

It is *mostly* prose with `code` in it, in paragraphs that are one line each, however long that line is, \
and so wrap in the window of the chat.

```lua
local answer = function(question)
  return 42
end
```

- a list
- of **two** things

"""
"""Broken into pieces as tokens are."""
UNBROKEN = "word after word "
CASES = {
    "at rest": ("", False),
    "Markdown": (PROSE, False),
    "Markdown, treesitter": (PROSE, True),
    "one endless line": (UNBROKEN, False),
}
"""What the model says, and whether treesitter highlights it instead of Vim's own syntax."""


def main() -> None:
    """Measure at rest and with each kind of text, and print a line for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=int, default=1000, help="deltas a second")
    parser.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args()
    print(f"{options.rate} deltas a second for {options.seconds} s; lateness of a timer of 5 ms, in ms")
    for name, (text, treesitter) in CASES.items():
        late = sorted(asyncio.run(lateness(text, options.rate, options.seconds, treesitter=treesitter)))
        p50, p99 = (statistics.quantiles(late, n=100)[at] for at in (49, 98))
        over = sum(value > 50 for value in late)  # noqa: PLR2004 - what people begin to notice
        print(f"{name:>20}: p50 {p50:.1f}, p99 {p99:.1f}, most {late[-1]:.0f}; {over} of {len(late)} over 50")


async def lateness(text: str, rate: int, seconds: int, *, treesitter: bool) -> list[float]:
    """Milliseconds, one for each time that the timer of an editor fired."""
    with tempfile.TemporaryDirectory() as made:
        home = Path(made)
        async with provider(text or "-", rate, seconds) as port:
            entry: dict[str, object] = {
                "npm": "@ai-sdk/openai-compatible",
                "options": {"baseURL": f"http://127.0.0.1:{port}", "apiKey": "k", "discoverModels": False},
                "models": {"talker": {}},
            }
            config = home / "config" / "trunkline" / "trunkline.json"
            config.parent.mkdir(parents=True)
            config.write_text(json.dumps({"provider": {"paced": entry}}), encoding="utf-8")
            lag = {
                "command": [sys.executable, "-m", "trunkline"],
                "model": "paced/talker",
                "treesitter": treesitter,
                "question": "Go" if text else "",
                "ending": ENDING,
                "ms": seconds * 1000,
                "out": str(home / "late"),
            }
            await edited(home, lag)
        return [float(line) for line in (home / "late").read_text(encoding="utf-8").split()]


async def edited(home: Path, lag: Mapping[str, object]) -> None:
    """One life of an editor, in a terminal that is read."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    names = {
        name: str(home / name.split("_")[1].lower())
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")
    }
    editor = await asyncio.create_subprocess_exec(
        *(NEOVIM, "--clean", "--cmd", f"set runtimepath^={PLUGIN} lines=40 columns=120"),
        *("--cmd", f"let g:lag = json_decode('{json.dumps(lag)}')"),
        *("-c", f"luafile {HERE / 'editor_lag.lua'}"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=home,
        env={**os.environ, "TERM": "xterm-256color", "TRUNKLINE_OFFLINE": "1", **names},
        start_new_session=True,
    )
    os.close(theirs)

    def read() -> None:
        with suppress(OSError):
            os.read(ours, 1 << 16)

    asyncio.get_running_loop().add_reader(ours, read)
    try:
        async with asyncio.timeout(PATIENCE_S):
            assert await editor.wait() == 0
    finally:
        if editor.returncode is None:
            editor.kill()
        asyncio.get_running_loop().remove_reader(ours)
        os.close(ours)


@asynccontextmanager
async def provider(text: str, rate: int, seconds: int) -> AsyncGenerator[int]:
    """One on loopback, whose model says that text over and over at that pace; its port."""
    answered = False

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        nonlocal answered
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lengths = [
                    line.split()[1]
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                ]
                asked = json.loads(await reader.readexactly(int(lengths[0])) if lengths else b"{}")
                if asked.get("stream"):
                    begun, answered = answered, True
                    await answer(writer, text, rate, 0 if begun else seconds)  # the title needs no more
                else:
                    unary(writer, is_list=head.startswith(b"GET"))
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


def unary(writer: StreamWriter, *, is_list: bool) -> None:
    """The list of models, or an answer as a whole."""
    message = {"role": "assistant", "content": "A title"}
    model: dict[str, object] = {
        "id": "bench/talker",
        "name": "Talker",
        "context_length": 64000,
        "pricing": {},
    }
    body = json.dumps(
        {"data": [model]}
        if is_list
        else {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    ).encode()
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )


async def answer(writer: StreamWriter, text: str, rate: int, seconds: int) -> None:
    """A stream of deltas, some at a time."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    deltas = pieces(text)
    begun = asyncio.get_running_loop().time()
    sent = 0
    while sent < rate * seconds:
        due = min(int((asyncio.get_running_loop().time() - begun) * rate) + 1, rate * seconds)
        for delta in islice(deltas, due - sent):
            send(writer, delta)
        sent = due
        await writer.drain()
        await asyncio.sleep(PACE_S)
    send(writer, f"\n\n{ENDING}")
    send(writer, "", "stop")
    writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")


def pieces(text: str) -> Iterator[str]:
    words = text.replace(" ", " \0").split("\0")
    return cycle(words)


def send(writer: StreamWriter, content: str, finish: str | None = None) -> None:
    chunk = {"id": "r1", "choices": [{"index": 0, "delta": {"content": content}, "finish_reason": finish}]}
    event = f"data: {json.dumps(chunk)}\n\n".encode()
    writer.write(b"%x\r\n%b\r\n" % (len(event), event))


if __name__ == "__main__":
    main()
