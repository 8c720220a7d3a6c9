"""What a handler gets besides its params."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trunkline.app import Application
    from trunkline.remote.shares import Shares
    from trunkline.rpc.attachments import Attachments
    from trunkline.rpc.client_settings import ClientSettings
    from trunkline.rpc.handshake import Client
    from trunkline.rpc.outbox import Outbox
    from trunkline.rpc.principal import Principal
    from trunkline.rpc.questions import Questions
    from trunkline.rpc.requests import Requests
    from trunkline.rpc.status import ClientStatus
    from trunkline.tools.toolbox import Editor


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of a request."""

    app: "Application"
    principal: "Principal"
    """Who asks, and what they may do."""
    client: "Client"
    """What the client said of itself; it is not to be trusted for more than its comfort."""
    outbox: "Outbox"
    requests: "Requests"
    settings: "ClientSettings"
    status: "ClientStatus"
    questions: "Questions"
    """Requests to the client."""
    editor: "Editor | None"
    """Its folders and buffers, as tools of sessions use them."""
    attachments: "Attachments"
    """The sessions that it follows."""
    remote: "Shares | None"
    """Lets others attach to this process; None where nobody can."""
    notify: "Callable[[str, dict[str, Any]], None]"
    open_page: "Callable[[str], Awaitable[bool]]"
    """Asks the editor to open a web page; whether it did."""
    on_close: "Callable[[Callable[[], None]], None]"
    """Lets something be called when the connection has ended."""
