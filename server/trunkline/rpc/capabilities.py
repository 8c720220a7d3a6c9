"""What the server announces under `capabilities.experimental.trunkline`, and whether it suits the client."""

from trunkline.errors import TrunklineError
from trunkline.rpc.framing import MAX_MESSAGE_BYTES
from trunkline_protocol import PROTOCOL_VERSION
from trunkline_protocol.base import JsonObject
from trunkline_protocol.capabilities import ClientTrunkline, Limits, ServerTrunkline
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.methods import REQUESTS
from trunkline_protocol.schema import SCHEMA_HASH


def announce() -> JsonObject:
    """The server's side of the handshake."""
    return ServerTrunkline(
        version=PROTOCOL_VERSION,
        schema_hash=SCHEMA_HASH,
        methods=tuple(request.name for request in REQUESTS),
        limits=Limits(max_message_bytes=MAX_MESSAGE_BYTES),
    ).to_wire()


def supports(client: ClientTrunkline | None) -> TrunklineError | None:
    """What every Trunkline request of this client is answered with, if no version is common to both.

    A client that announces nothing is taken to speak this version.
    """
    if client is None or PROTOCOL_VERSION in client.versions:
        return None
    return TrunklineError(
        ErrorCode.UNSUPPORTED_VERSION,
        f"The client speaks none of the protocol versions of this server ({PROTOCOL_VERSION}).",
        supported_versions=(PROTOCOL_VERSION,),
        hint="Update the editor's Trunkline plugin or Trunkline itself.",
    )
