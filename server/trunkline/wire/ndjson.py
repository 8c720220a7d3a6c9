"""A body of one JSON object a line, as Ollama streams it, as payloads."""

from typing import TYPE_CHECKING

from trunkline.wire.json_values import object_in, parse_json
from trunkline.wire.payloads import Payloads, check_size, malformed

if TYPE_CHECKING:
    from trunkline.errors import TrunklineError


class NdjsonReader:
    """Feed it bytes, take payloads; see `trunkline.wire.answer_decoder.BodyReader`."""

    def __init__(self) -> None:
        self.malformed: TrunklineError | None = None
        """What was wrong with the first line that could not be read."""
        self._rest: list[bytes] = []
        self._rest_bytes = 0

    def feed(self, data: bytes) -> list[Payloads]:
        """The payloads that `data` completes; raises `STREAM_MALFORMED` for a line that does not end."""
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = b"".join((*self._rest, lines[0]))
            self._rest, self._rest_bytes = [], 0
        self._rest.append(rest)
        self._rest_bytes += len(rest)
        check_size(self._rest_bytes)
        return self._payloads(lines)

    def finish(self) -> list[Payloads]:
        """The payload of a last line that has no end."""
        last = b"".join(self._rest)
        self._rest = []
        return self._payloads([last])

    def _payloads(self, lines: list[bytes]) -> list[Payloads]:
        payloads: list[Payloads] = []
        for line in lines:
            if not line.strip():
                continue
            try:
                value = object_in(parse_json(line))
            except ValueError:
                value = None
            if value:
                payloads.append(("event", [value]))
            else:
                shown = line.decode("utf-8", "replace")
                unread = malformed("The provider sent a line that is not a JSON object.", shown)
                self.malformed = self.malformed or unread
        return payloads
