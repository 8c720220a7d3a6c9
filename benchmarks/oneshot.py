"""One question and one list from the command line: time, CPU and memory of the whole process.

The time of a question is told over the bare exchange: the same request written to a socket by hand.
"""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import providers
from measure import Row, Samples
from peers import SHUT_IN
from processes import PROGRAM, environment

MODEL = "0x5"
"""Five deltas at once."""
OURS = "Trunkline"
UNITS = {"over the bare exchange": "ms", "whole time": "ms", "CPU": "ms", "most memory": "MiB"}


@dataclass(frozen=True)
class Command:
    """What somebody types, and a pattern that must be in its output."""

    who: str
    task: str
    words: Sequence[str]
    expected: str
    variables: Mapping[str, str]


def measure(paths: Mapping[str, str], port: int, rounds: int) -> list[Row]:
    """Everybody by turns."""
    figures: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as home:
        configure(Path(home), port)
        commands = all_commands(paths, Path(home))
        for number in range(-1, rounds):  # the first time compiles modules and makes databases
            for command in commands:
                bare = exchange(port)
                took, cpu, memory = run(command, Path(home))
                whole = "over the bare exchange" if command.task == "chat" else "whole time"
                spent = took - bare if command.task == "chat" else took
                if number >= 0:
                    for what, value in ((whole, spent * 1e3), ("CPU", cpu * 1e3), ("most memory", memory)):
                        figures[command.who, command.task, what].append(value)
    return [
        Row(f"{task}, {what}", UNITS[what], Samples(figures[OURS, task, what]), who, Samples(values))
        for (who, task, what), values in figures.items()
        if who != OURS
    ]


def all_commands(paths: Mapping[str, str], home: Path) -> list[Command]:
    """Ours and those of the peers that are installed."""
    words = {
        "trunkline": (PROGRAM, "chat", "-m", f"paced/{MODEL}", "Hello"),
        "llm": (paths.get("llm", ""), "-m", "paced", "Hello"),
        "opencode": (paths.get("opencode", ""), "run", "-m", f"paced/{MODEL}", "Hello"),
        "kilo": (paths.get("kilo", ""), "run", "-m", f"paced/{MODEL}", "Hello"),
    }
    lists = {
        "trunkline": (PROGRAM, "models", "paced"),
        "llm": (paths.get("llm", ""), "models", "list", "-q", "paced"),
        "opencode": (paths.get("opencode", ""), "models", "paced"),
        "kilo": (paths.get("kilo", ""), "models", "paced"),
    }
    shut_in = {**SHUT_IN, "LLM_USER_PATH": str(home / "llm")}
    found: list[Command] = []
    for name, asking in words.items():
        if name == "trunkline":
            who, variables = OURS, {"TRUNKLINE_OFFLINE": "1"}
        elif name in paths:
            who, variables = name, shut_in
        else:
            continue
        found.append(Command(who, "chat", asking, r"\d{10} ", variables))
        found.append(Command(who, "models", lists[name], "paced", variables))
    return found


def configure(home: Path, port: int) -> None:
    """The upstream as a provider, for everybody in their own words."""
    providers.for_trunkline(home, port, [MODEL], discover=True)
    for name in ("opencode", "kilo"):
        providers.for_agent(home, name, port, [MODEL])
    (home / "llm").mkdir()
    entry = {
        "model_id": "paced",
        "model_name": MODEL,
        "api_base": f"http://127.0.0.1:{port}/v1",
        "api_key_name": "paced",
    }
    # JSON is YAML.
    (home / "llm" / "extra-openai-models.yaml").write_text(json.dumps([entry]), encoding="utf-8")
    (home / "llm" / "keys.json").write_text('{"paced": "k"}', encoding="utf-8")


def run(command: Command, home: Path) -> tuple[float, float, float]:
    """Seconds, seconds of CPU and MiB of one run."""
    with (home / "output").open("w+b") as output, (home / "complaints").open("w+b") as complaints:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command.words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=complaints,
            env={**environment(home), **command.variables},
            cwd=home,
        )
        _, status, used = os.wait4(process.pid, 0)
        took = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        said, complained = ((file.seek(0), file.read())[1] for file in (output, complaints))
    assert process.returncode == 0, f"{command.who} {command.task}: {complained.decode()[-500:]}"
    assert re.search(command.expected, said.decode()), (
        f"{command.who} {command.task} said {said.decode()[:200]}"
    )
    unit = 1024 if sys.platform != "darwin" else 1024 * 1024
    return took, used.ru_utime + used.ru_stime, used.ru_maxrss / unit


def exchange(port: int) -> float:
    """Seconds that the request takes by hand."""
    body = json.dumps({"model": MODEL, "stream": True, "messages": [{"role": "user", "content": "Hello"}]})
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    begun = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall((head + body).encode())
        received = b""
        while not received.endswith(b"0\r\n\r\n"):
            received += connection.recv(65536)
    return time.perf_counter() - begun
