"""A client as a process of its own, which may be killed at any moment: writes down every event it is told.

    python recorder.py RECORD SESSION COMMAND...

COMMAND is the relay it attaches through. What is in RECORD, it has; it goes on behind that, also after it was killed.
The relay's process id is in RECORD.relay. Standard library only: it is started very often.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def main(record: Path, session_id: str, command: list[str]) -> None:
    while True:
        relay = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        record.with_suffix(".relay").write_text(str(relay.pid), encoding="ascii")
        try:
            follow(relay, record, session_id)
        except (EOFError, BrokenPipeError):
            relay.kill()
            relay.wait()


def follow(relay: "subprocess.Popen[bytes]", record: Path, session_id: str) -> None:
    last = last_written(record)
    experimental = {"trunkline": {"versions": ["1.0"], "events": True}}
    send(relay, "initialize", 1, processId=os.getpid(), capabilities={"experimental": experimental})
    while receive(relay).get("id") != 1:
        pass
    send(relay, "initialized", None)
    since = {} if last is None else {"since": {"epoch": last["epoch"], "seq": last["seq"], "strict": True}}
    send(relay, "session/attach", 2, sessionId=session_id, role="observer", **since)
    with record.open("ab", buffering=0) as file:
        while True:
            message = receive(relay)
            if message.get("id") == 2 and last is None:
                # The start of the record: what comes first is the event behind this one.
                said = message["result"]
                start = {"start": True, "epoch": said["epoch"], "seq": said["headSeq"]}
                file.write(json.dumps(start).encode() + b"\n")
            elif message.get("method") in ("session/event", "session/lagged"):
                file.write(json.dumps(message["params"]).encode() + b"\n")


def last_written(record: Path) -> Any:
    """The last whole line; half a one, if there is, goes."""
    data = record.read_bytes() if record.exists() else b""
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        os.truncate(record, len(whole))
    return json.loads(whole.splitlines()[-1]) if whole else None


def send(relay: "subprocess.Popen[bytes]", method: str, request_id: int | None, **params: Any) -> None:
    with_id = {} if request_id is None else {"id": request_id}
    body = json.dumps({"jsonrpc": "2.0", **with_id, "method": method, "params": params}).encode()
    assert relay.stdin is not None
    relay.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    relay.stdin.flush()


def receive(relay: "subprocess.Popen[bytes]") -> Any:
    assert relay.stdout is not None
    head = relay.stdout.readline()
    if not head:
        raise EOFError
    relay.stdout.readline()
    body = relay.stdout.read(int(head.split(b":")[1]))
    return json.loads(body)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
