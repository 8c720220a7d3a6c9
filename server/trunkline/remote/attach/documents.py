"""The documents that an editor has open, so that another connection can be told of them.

Kept as the notifications that said so, within a bound: changes are positions in a text, and applying them
would need all that an editor knows of it.
"""

from trunkline.remote.attach.messages import as_list, as_object

TYPE_CHECKING = False  # the module `typing` is not worth its import here
if TYPE_CHECKING:
    from trunkline.remote.attach.messages import Json

MOST_BYTES = 4 * 1024 * 1024
"""Of all documents together. Whose document does not fit any more is closed for the next connection."""


class Documents:
    """Open documents by URI."""

    def __init__(self) -> None:
        self._open: dict[str, list[bytes]] = {}
        self._bytes = 0
        self._lost: set[str] = set()
        self._unknown: set[str] = set()

    def take(self, method: str, params: "Json", body: bytes) -> bool:
        """Note what the editor says; false when the server knows nothing of the document and is not told."""
        uri = as_object(params.get("textDocument")).get("uri")
        if not isinstance(uri, str):
            return True
        if method == "textDocument/didOpen":
            self._forget(uri)
            self._lost.discard(uri)
            self._unknown.discard(uri)
            self._keep(uri, body)
        elif method == "textDocument/didClose":
            self._forget(uri)
            self._lost.discard(uri)
            if uri in self._unknown:
                self._unknown.discard(uri)
                return False
        elif method == "textDocument/didChange" and uri in self._open:
            if _is_whole(params):
                self._drop_changes(uri)
            self._keep(uri, body)
        return uri not in self._unknown

    def replay(self) -> list[bytes]:
        """What another connection is told, in order."""
        self._unknown = set(self._lost)
        return [body for bodies in self._open.values() for body in bodies]

    def _keep(self, uri: str, body: bytes) -> None:
        self._open.setdefault(uri, []).append(body)
        self._bytes += len(body)
        if self._bytes > MOST_BYTES:
            self._forget(uri)
            self._lost.add(uri)

    def _drop_changes(self, uri: str) -> None:
        self._bytes -= sum(map(len, self._open[uri][1:]))
        del self._open[uri][1:]

    def _forget(self, uri: str) -> None:
        self._bytes -= sum(map(len, self._open.pop(uri, ())))


def _is_whole(params: "Json") -> bool:
    """Whether a change begins with the whole text, so that what came before does not matter."""
    changes = as_list(params.get("contentChanges"))
    return bool(changes) and "range" not in as_object(changes[0])
