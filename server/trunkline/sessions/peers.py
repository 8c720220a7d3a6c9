"""What a session knows of the connections that are attached to it. The rpc room implements it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from trunkline_protocol.chat import Tool
from trunkline_protocol.session_events import Participant

if TYPE_CHECKING:
    from trunkline.errors import TrunklineError
    from trunkline.tools.toolbox import Editor
    from trunkline_protocol.tools import (
        PermissionRequestParams,
        PermissionRequestResult,
        ToolCallParams,
        ToolCallResult,
    )


class Peer(Protocol):
    """A participant's connection."""

    @property
    def participant(self) -> Participant:
        """Who it is."""
        ...

    @property
    def tools(self) -> Sequence[Tool]:
        """The tools that it runs."""
        ...

    @property
    def editor(self) -> "Editor | None":
        """Its folders and buffers, where it is an editor on this machine."""
        ...

    @property
    def asks_permissions(self) -> bool:
        """Whether its user can be asked."""
        ...

    async def call_tool(
        self, params: "ToolCallParams", progressed: Callable[[], None]
    ) -> "ToolCallResult | None":
        """Let it run one of its tools; None when it failed or did not answer with a result.

        `progressed` is called whenever the client says that it is still at it. Cancelling tells the client.
        """
        ...

    async def ask_permission(self, params: "PermissionRequestParams") -> "PermissionRequestResult | None":
        """Ask its user; None for anything but an answer. Cancelling tells the client."""
        ...

    def closed(self, error: "TrunklineError | None") -> None:
        """The session is gone: deleted, or its log cannot be written."""
        ...
