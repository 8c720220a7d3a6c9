"""server/*."""

from trunkline.rpc.features.context import Context
from trunkline_protocol.base import Empty
from trunkline_protocol.status import SERVER_STATUS, ServerStatus


async def server_status(context: Context, _params: Empty) -> ServerStatus:
    """Handle `server/status`."""
    return context.status.answer()


HANDLERS = ((SERVER_STATUS, server_status),)
