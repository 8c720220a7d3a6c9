"""LSP's document and workspace synchronisation, by pygls: folders and open buffers of one client.

Importing lsprotocol takes longer than everything else at start-up together, so this module is imported when
the first such message arrives, and not for the handshake.
"""

from typing import Any

from lsprotocol.converters import get_converter
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol
from pygls.workspace import Workspace
from typing_extensions import override

from trunkline import __version__


class _Protocol(LanguageServerProtocol):
    """pygls' handlers and workspace; the connection reads, answers and writes."""

    @override
    def _send_data(self, data: Any) -> None:
        """Nothing goes out from here."""

    def receive(self, message: dict[str, Any]) -> None:
        """Run pygls' handler of a message.

        Raises:
            Exception: the params do not fit; what lsprotocol raises then is not specified.
        """
        structured: Any = self.structure_message({"jsonrpc": "2.0", **message})
        self.handle_message(structured)


class _Server(LanguageServer):
    def __init__(self) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - pygls leaves its *args untyped
            "trunkline", __version__, protocol_cls=_Protocol, converter_factory=get_converter
        )

    @override
    def report_server_error(self, error: Exception, source: Any) -> None:
        """No pop-up in the editor."""


class Documents:
    """What the client keeps in step with the server."""

    def __init__(self, initialize_params: dict[str, Any]) -> None:
        protocol = _Server().protocol
        assert isinstance(protocol, _Protocol)  # noqa: S101 - it was made from that class
        self._protocol = protocol
        protocol.receive({"id": 0, "method": "initialize", "params": initialize_params})

    @property
    def workspace(self) -> Workspace:
        """Folders and open documents as of the last message."""
        return self._protocol.workspace

    def receive(self, method: str, params: Any) -> None:
        """Take over a change."""
        self._protocol.receive({"method": method, "params": params})
