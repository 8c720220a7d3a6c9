"""How many deltas a second reach a client that reads as fast as it can."""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measure import Row, Samples
from processes import ServerProcess, Target

SERVERS = Path(__file__).parent / "servers"
OURS = Target("Trunkline", (sys.executable, str(SERVERS / "flood_trunkline.py")))
STOCK = Target("stock pygls", (sys.executable, str(SERVERS / "hello_pygls.py")))
DELTAS = 200_000
LAST_ID = 1_000_000
"""The id of the flooding request: its answer is the end of the flood."""


def measure(rounds: int) -> list[Row]:
    """Each kind of flood once a round."""
    turns: list[float] = []
    merged: list[float] = []
    plain: list[float] = []
    typed: list[float] = []
    for _ in range(rounds):
        turns.append(flooded(OURS, "chat/stream", chat(f"turns {DELTAS}")))
        merged.append(flooded(OURS, "chat/stream", chat(f"text {DELTAS}")))
        plain.append(flooded(STOCK, "hello/flood", {"count": DELTAS, "typed": False}))
        typed.append(flooded(STOCK, "hello/flood", {"count": DELTAS, "typed": True}))
    return [
        Row(what, "1/s", Samples(ours), reference, Samples(theirs), higher_is_better=True)
        for what, ours in (("deltas, none can merge", turns), ("deltas, merged where they wait", merged))
        for reference, theirs in (
            ("stock pygls, plain JSON", plain),
            ("stock pygls, lsprotocol's class", typed),
        )
    ]


def chat(script: str) -> dict[str, Any]:
    message = {"role": "user", "content": script}
    return {"model": "benchmark/flood", "messages": [message], "partialResultToken": "chat"}


def flooded(target: Target, method: str, params: Any) -> float:
    """Deltas a second, from the first that arrives to the answer."""
    end = b'"id":%d' % LAST_ID
    spaced = b'"id": %d' % LAST_ID
    with tempfile.TemporaryDirectory() as home, ServerProcess(target, Path(home)) as server:
        server.initialize()
        server.send(method, params, LAST_ID)
        descriptor = server.output.fileno()
        tail = os.read(descriptor, 1)
        begun = time.perf_counter()
        while end not in tail and spaced not in tail:
            tail = tail[-len(spaced) :] + os.read(descriptor, 1 << 20)
        return DELTAS / (time.perf_counter() - begun)
