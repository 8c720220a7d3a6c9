"""What a handler gets besides its params: the application and a way to report progress."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from trunkline_protocol.chat import ProgressToken

if TYPE_CHECKING:
    from trunkline.app import Application
    from trunkline.rpc.protocol import TrunklineProtocol
    from trunkline.rpc.streams import ByteWriter


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of a request."""

    app: "Application"
    protocol: "TrunklineProtocol"
    writer: "ByteWriter"

    async def progress(self, token: ProgressToken, value: Any) -> None:
        """Send a `$/progress` value, and wait while the client is slow to read.

        The wait holds up this one request only, and through it the provider's stream.
        """
        self.protocol.notify(types.PROGRESS, {"token": token, "value": value})
        await self.writer.drain()
