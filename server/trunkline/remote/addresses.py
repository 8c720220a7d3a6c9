"""Where a process listens: `unix:PATH`, `ws://HOST:PORT`, `wss://HOST:PORT`; and what is refused."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from trunkline.config.paths import as_path
from trunkline.errors import TrunklineError
from trunkline_protocol.codes import ErrorCode

_UNIX = "unix:"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A socket in the file system."""

    path: Path


@dataclass(frozen=True, slots=True)
class WebSocketAddress:
    """A port."""

    host: str
    """An IP address."""
    port: int
    """0 for any free one."""
    is_secure: bool

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return ip_address(self.host).is_loopback

    @property
    def is_any(self) -> bool:
        """Whether it stands for all addresses of this machine."""
        return ip_address(self.host).is_unspecified

    def url(self, port: int) -> str:
        """The address with the port that was opened."""
        return f"{'wss' if self.is_secure else 'ws'}://{self.authority(port)}"

    def authority(self, port: int) -> str:
        """Host and port as they are in URLs and in the header `Host`."""
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{port}"


Address = UnixAddress | WebSocketAddress


@dataclass(frozen=True, slots=True)
class WebSettings:
    """What concerns ports only."""

    certificate: Path | None = None
    """PEM, with its chain."""
    key: Path | None = None
    """PEM, without a passphrase."""
    origins: frozenset[str] = field(default_factory=frozenset[str])
    """Web pages that may connect, by their exact origins."""
    hosts: frozenset[str] = field(default_factory=frozenset[str])
    """Names under which clients reach the process, besides its address."""


def read_address(text: str) -> Address:
    """The address that a user wrote.

    Raises:
        TrunklineError: -32602, it is none, or one that is not safe.
    """
    if text.startswith(_UNIX):
        path = as_path(text.removeprefix(_UNIX))
        if not path.is_absolute():
            raise _refused(f"{text}: the path of a socket must be absolute.")
        return UnixAddress(path)
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise _refused(f"{text} is no address.") from None
    if parts.scheme not in ("ws", "wss") or port is None or parts.path not in ("", "/") or parts.query:
        raise _refused(f"{text} is no address to listen on.")
    if "@" in parts.netloc:
        raise _refused("An address with a user or a password is refused; tokens travel in a header.")
    return _web(host, port, is_secure=parts.scheme == "wss")


def _web(host: str, port: int, *, is_secure: bool) -> WebSocketAddress:
    try:
        address = ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise _refused(f"{host} is no IP address: say on which one to listen.") from None
    if not address.is_loopback and not is_secure:
        raise _refused(
            f"Listening on {address} without TLS is refused: what is sent could be read on the way.",
            hint="Use wss:// with --tls-cert and --tls-key, or a unix socket and `ssh -L`.",
        )
    return WebSocketAddress(str(address), port, is_secure)


def _refused(
    message: str, hint: str = "Use unix:/PATH, ws://127.0.0.1:PORT or wss://ADDRESS:PORT."
) -> TrunklineError:
    return TrunklineError(ErrorCode.INVALID_PARAMS, message, hint=hint)
