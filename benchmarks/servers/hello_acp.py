"""A bare agent on the Python SDK of the Agent Client Protocol as shipped."""

# It runs where its library is installed, which is not where types are checked.
# pyright: basic, reportMissingImports=false

import asyncio
from typing import Any

from acp import PROTOCOL_VERSION, Agent, InitializeResponse, run_agent


class Hello(Agent):
    """Answers the handshake."""

    async def initialize(self, protocol_version: int, **_: Any) -> InitializeResponse:
        return InitializeResponse(protocol_version=min(protocol_version, PROTOCOL_VERSION))


asyncio.run(run_agent(Hello()))
