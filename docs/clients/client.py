"""A complete client of Trunkline, with nothing but Python: client.py MODEL QUESTION."""

import json
import subprocess
import sys
from typing import IO, Any


class Server:
    """`trunkline --stdio`, and the requests that are sent to it."""

    def __init__(self) -> None:
        command = ["trunkline", "--stdio"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._last_id = 0

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        pipe = _open(self._process.stdin)
        pipe.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        pipe.flush()

    def request(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """The result; pieces of an answer are printed as they come."""
        self._last_id += 1
        self.send({"id": self._last_id, "method": method, "params": params or {}})
        while True:
            message = self._read()
            if message.get("method") == "$/progress":
                show(message["params"]["value"])
            elif (
                "method" in message and "id" in message
            ):  # a request of the server: say that there is no such thing
                self.send({"id": message["id"], "error": {"code": -32601, "message": "not here"}})
            elif message.get("id") == self._last_id:
                if "error" in message:
                    error = message["error"]
                    sys.exit(f"{error['message']} {error.get('data', {}).get('hint', '')}")
                return message["result"]

    def _read(self) -> dict[str, Any]:
        pipe, length = _open(self._process.stdout), 0
        while line := pipe.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        return json.loads(pipe.read(length))


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def show(event: dict[str, Any]) -> None:
    """Text as it comes; `docs/protocol.md` lists the other events."""
    if event["type"] == "text.delta":
        print(event["text"], end="", flush=True)


if __name__ == "__main__":
    model, question = sys.argv[1:]
    server = Server()
    server.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
    server.send({"method": "initialized", "params": {}})
    ask = {
        "model": model,
        "messages": [{"role": "user", "content": question}],
        "partialResultToken": "answer",
    }
    answer = server.request("chat/stream", ask)
    print(f"\n{answer['usage']['outputTokens']} tokens, {answer.get('cost', {}).get('amount', '?')} USD")
    server.request("shutdown")
    server.send({"method": "exit"})
