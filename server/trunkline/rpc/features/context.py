"""What a handler gets besides its params."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trunkline.app import Application
    from trunkline.rpc.client_settings import ClientSettings
    from trunkline.rpc.outbox import Outbox
    from trunkline.rpc.requests import Requests
    from trunkline.rpc.status import ClientStatus


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of a request."""

    app: "Application"
    outbox: "Outbox"
    requests: "Requests"
    settings: "ClientSettings"
    status: "ClientStatus"
    notify: "Callable[[str, dict[str, Any]], None]"
    open_page: "Callable[[str], Awaitable[bool]]"
    """Asks the editor to open a web page; whether it did."""
