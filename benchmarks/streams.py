"""How late deltas are and what they cost, for many streams at once: engine, server, and a hand-written floor.

    python benchmarks/streams.py               # all paces
    python benchmarks/streams.py --seconds 4   # quick, less certain

The provider is a process of its own and writes the moment into each delta. The floor reads the socket itself,
splits events and parses their JSON: what nobody who reads a stream in Python can do without. CPU is that of
the reading process alone: the engine's, the server's, the floor's.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from processes import ServerProcess, Target, environment

UPSTREAM = Path(__file__).parent / "servers" / "paced_upstream.py"
PACES = ((1, 1000), (20, 50), (60, 50), (200, 50))
"""Streams, and deltas a second of each."""
MOST_ON_ONE_CONNECTION = 64
"""Requests that the server runs at a time for one client; the rest of 200 it would refuse."""
RAMP_S = 2
"""Deltas of the first seconds count for the CPU, but not as late: that is when everything starts at once."""
FIRST_CHAT = 1000
"""Ids of chat requests begin here."""


@dataclass(frozen=True)
class Figures:
    """Of one subject at one pace."""

    subject: str
    streams: int
    rate: int
    deltas: int
    p50_us: float
    p99_us: float
    max_ms: float
    cpu_us: float
    """Per delta."""

    def row(self) -> str:
        pace = f"{self.streams} x {self.rate}/s"
        late = f"{self.p50_us:,.0f} | {self.p99_us:,.0f} | {self.max_ms:.1f}"
        return f"| {pace:12} | {self.subject:6} | {late} | {self.cpu_us:.0f} |"


class Lateness:
    """Collects how late each delta is, once all streams have begun."""

    def __init__(self) -> None:
        self._late_ns: list[int] = []
        self._count = 0
        self._steady_from = time.monotonic_ns() + RAMP_S * 10**9

    def add(self, text: str) -> None:
        """A text of moments, several where deltas were merged."""
        now = time.monotonic_ns()
        moments = [int(moment) for moment in text.split()]
        self._count += len(moments)
        self._late_ns += [now - moment for moment in moments if moment >= self._steady_from]

    def figures(self, subject: str, streams: int, rate: int, cpu_s: float) -> Figures:
        late = sorted(self._late_ns)
        percentiles = statistics.quantiles(late, n=100)
        return Figures(
            subject=subject,
            streams=streams,
            rate=rate,
            deltas=self._count,
            p50_us=percentiles[49] / 1000,
            p99_us=percentiles[98] / 1000,
            max_ms=late[-1] / 1e6,
            cpu_us=cpu_s / self._count * 1e6,
        )


def main() -> None:
    """Measure and print a table; with `--subject`, one subject at one pace as JSON."""
    options = arguments()
    if options.subject:
        one = SUBJECTS[options.subject](options.port, options.streams, options.rate, options.seconds)
        print(json.dumps(asdict(one)))
        return
    print("| pace         | what   | late p50, us | p99, us | most, ms | CPU a delta, us |")
    print("| ------------ | ------ | ------------ | ------- | -------- | --------------- |")
    with subprocess.Popen([sys.executable, str(UPSTREAM)], stdout=subprocess.PIPE, text=True) as upstream:
        try:
            assert upstream.stdout is not None
            port = upstream.stdout.readline().strip()
            for streams, rate in PACES:
                for subject in SUBJECTS:
                    if subject == "server" and streams > MOST_ON_ONE_CONNECTION:
                        continue
                    pace = [subject, port, str(streams), str(rate), str(options.seconds)]
                    print(measured(pace).row(), flush=True)
        finally:
            upstream.terminate()


def measured(pace: Sequence[str]) -> Figures:
    """One subject in a process of its own."""
    names = ("--subject", "--port", "--streams", "--rate", "--seconds")
    given = [word for pair in zip(names, pace, strict=True) for word in pair]
    command = [sys.executable, __file__, *given]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures = Figures(**json.loads(done.stdout))
    assert figures.deltas == figures.streams * figures.rate * int(pace[-1]), "deltas were lost"
    return figures


# --- subjects --------------------------------------------------------------------------------------------


def floor(port: int, streams: int, rate: int, seconds: int) -> Figures:
    """A socket, a split, a JSON parser."""
    late = Lateness()
    body = json.dumps({"model": f"{rate}x{rate * seconds}"}).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + body)
        await reader.readuntil(b"\r\n\r\n")
        while size := int(await reader.readline(), 16):
            event = (await reader.readexactly(size + 2))[6:].strip()
            if event != b"[DONE]":
                late.add(json.loads(event)["choices"][0]["delta"].get("content", ""))
        writer.close()

    return late.figures("floor", streams, rate, run_all(one, streams))


def engine(port: int, streams: int, rate: int, seconds: int) -> Figures:
    """`ChatEngine`, in this process."""
    from trunkline.app import Application
    from trunkline.config.paths import Paths
    from trunkline_protocol.chat import ChatStreamParams, TextDelta

    late = Lateness()
    params = ChatStreamParams.model_validate(question(rate, seconds))
    with tempfile.TemporaryDirectory() as home:
        paths = Paths(*(Path(home) / name for name in ("config", "data", "cache", "state")))
        configure(paths.config, port, rate, seconds)
        app = Application(paths, offline=True)

        async def one() -> None:
            run = await app.chat.start(params)
            async with aclosing(run.events()) as events:
                async for event in events:
                    if isinstance(event, TextDelta):
                        late.add(event.text)

        async def warm_up() -> None:
            await app.directory.find(params.model)

        return late.figures("engine", streams, rate, run_all(one, streams, warm_up, app.aclose))


def server(port: int, streams: int, rate: int, seconds: int) -> Figures:
    """`trunkline --stdio`, with a client that only reads."""
    late = Lateness()
    with tempfile.TemporaryDirectory() as home:
        configure(Path(home) / "trunkline", port, rate, seconds)
        target = Target("Trunkline", (sys.executable, "-m", "trunkline", "--stdio", "--offline"))
        assert environment(Path(home))["XDG_CONFIG_HOME"] == home
        with ServerProcess(target, Path(home)) as process:
            process.initialize()
            process.request("model/get", {"model": question(rate, seconds)["model"]})
            before = cpu_s(process.process.pid)
            for number in range(streams):
                asked = {**question(rate, seconds), "partialResultToken": number}
                process.send("chat/stream", asked, FIRST_CHAT + number)
            ended = 0
            while ended < streams:
                message = process.receive()
                if message.get("method") == "$/progress":
                    late.add(message["params"]["value"].get("text", ""))
                elif message.get("id", 0) >= FIRST_CHAT:
                    assert "result" in message, message
                    ended += 1
            spent = cpu_s(process.process.pid) - before
    return late.figures("server", streams, rate, spent)


SUBJECTS: dict[str, Callable[[int, int, int, int], Figures]] = {
    "floor": floor,
    "engine": engine,
    "server": server,
}


async def nothing() -> None:
    """Where there is nothing to open or to close."""


def run_all(
    one: Callable[[], Any],
    streams: int,
    first: Callable[[], Any] = nothing,
    last: Callable[[], Any] = nothing,
) -> float:
    """Run the streams side by side; the CPU seconds that this took."""

    async def run() -> float:
        await first()
        before = time.process_time()
        await asyncio.gather(*(one() for _ in range(streams)))
        spent = time.process_time() - before
        await last()
        return spent

    return asyncio.run(run())


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def question(rate: int, seconds: int) -> dict[str, Any]:
    return {"model": f"paced/{rate}x{rate * seconds}", "messages": [{"role": "user", "content": "Hello"}]}


def configure(directory: Path, port: int, rate: int, seconds: int) -> None:
    directory.mkdir(parents=True)
    section: dict[str, Any] = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"http://127.0.0.1:{port}/v1", "apiKey": "k", "discoverModels": False},
        "models": {f"{rate}x{rate * seconds}": {}},
    }
    settings = json.dumps({"provider": {"paced": section}})
    path = directory / "trunkline.json"
    path.write_text(settings, encoding="utf-8")
    # Like a file that nobody is writing: one that has just changed is read again each time.
    hour_ago = time.time() - 3600
    os.utime(path, (hour_ago, hour_ago))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--subject", choices=("floor", "engine", "server"))
    for name in ("--port", "--streams", "--rate"):
        parser.add_argument(name, type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
