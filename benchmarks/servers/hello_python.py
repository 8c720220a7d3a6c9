"""The least a server can be: blocking reads, the standard library, three answers."""

import json
import sys


def main() -> None:
    """Answer until `exit`."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while True:
        length = 0
        while (line := source.readline().strip()) or not length:
            if not line:
                return
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        message = json.loads(source.read(length))
        if message["method"] == "exit":
            return
        if "id" in message:
            key = "capabilities" if message["method"] == "initialize" else "items"
            body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": {key: {}}}).encode()
            target.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
            target.flush()


main()
