"""HTTP requests, whole or streamed. The only module that imports httpx, and only once it is needed."""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from trunkline import __version__
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    import httpx

_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 120.0
_IDLE_CONNECTIONS = 20
"""Without this bound httpcore's pool costs quadratic time when the number of connections has none."""
_MAX_ANSWER_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request. Its headers may hold a key: never log or show them."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None = None

    def __repr__(self) -> str:
        return f"HttpRequest({self.method} {self.url})"

    def with_headers(self, headers: Mapping[str, str]) -> "HttpRequest":
        """The same request with `headers` in place of those of the same names."""
        return HttpRequest(self.method, self.url, merge_headers(self.headers, headers), self.body)


def merge_headers(*layers: Mapping[str, str]) -> dict[str, str]:
    """All of `layers`; of headers with the same name, in whatever case, the last one counts."""
    merged: dict[str, tuple[str, str]] = {}
    for layer in layers:
        merged |= {name.lower(): (name, value) for name, value in layer.items()}
    return dict(merged.values())


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole answer; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpStream:
    """An answer whose body is still coming; header names are lower-case."""

    def __init__(self, response: "httpx.Response", host: str) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
        self._response = response
        self._host = host

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body in pieces as they come, decompressed.

        Raises `UPSTREAM_TIMEOUT` (phase idle), `STREAM_INTERRUPTED` and `STREAM_MALFORMED`.
        """
        with _errors_of_the_body(self._host):
            async for chunk in self._response.aiter_bytes():
                yield chunk

    async def read(self, max_bytes: int) -> bytes:
        """The body up to `max_bytes`; the rest is left unread."""
        body = bytearray()
        async for chunk in self.chunks():
            body += chunk
            if len(body) >= max_bytes:
                break
        return bytes(body[:max_bytes])


class HttpClient:
    """Requests over pooled connections.

    Certificates are the system's, proxies come from the environment. Redirects are not followed, because a
    key must not travel to another place: a 3xx is an answer like any other.
    """

    def __init__(self) -> None:
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def fetch(
        self, request: HttpRequest, *, timeout_s: float, max_bytes: int = _MAX_ANSWER_BYTES
    ) -> HttpAnswer:
        """The whole answer, within `timeout_s` seconds from start to end.

        Raises what `stream` and `chunks` raise, `UPSTREAM_TIMEOUT` with phase total, and `UPSTREAM_ERROR`
        when the body is larger than `max_bytes`.
        """
        host = _host(request.url)
        try:
            async with asyncio.timeout(timeout_s), self.stream(request) as stream:
                body = await stream.read(max_bytes + 1)
        except TimeoutError:
            raise _timeout(host, "total") from None
        if len(body) > max_bytes:
            raise TrunklineError(
                ErrorCode.UPSTREAM_ERROR, f"{host} sent an answer of more than {max_bytes} bytes."
            )
        return HttpAnswer(stream.status, stream.headers, body)

    def stream(self, request: HttpRequest) -> AbstractAsyncContextManager[HttpStream]:
        """The answer as it comes; leaving the context before its end closes the connection.

        Raises `UPSTREAM_UNREACHABLE` and `UPSTREAM_TIMEOUT` (phase connect or firstByte), and
        `PROVIDER_MISCONFIGURED` for an address or a header that HTTP does not allow.
        """
        return self._stream(request)

    @asynccontextmanager
    async def _stream(self, request: HttpRequest) -> AsyncGenerator[HttpStream]:
        host = _host(request.url)
        with _errors_before_the_answer(host):
            client = self._client(urlsplit(request.url).scheme)
            message = client.build_request(
                request.method, request.url, headers=request.headers, content=request.body
            )
            response = await client.send(message, stream=True)
        try:
            yield HttpStream(response, host)
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Closes every connection."""
        clients = list(self._clients.values())
        self._clients.clear()
        for client in clients:
            await client.aclose()

    def _client(self, scheme: str) -> "httpx.AsyncClient":
        if scheme not in self._clients:
            import httpx

            self._clients[scheme] = httpx.AsyncClient(
                verify=_system_certificates() if scheme == "https" else _no_certificates(),
                timeout=httpx.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS, pool=None),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=_IDLE_CONNECTIONS),
                headers={"user-agent": f"trunkline/{__version__}"},
                follow_redirects=False,
                trust_env=True,
            )
        return self._clients[scheme]


def _system_certificates() -> ssl.SSLContext:
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _no_certificates() -> ssl.SSLContext:
    """For plain HTTP: loading certificates takes tens of milliseconds. It trusts nobody."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the provider"


@contextmanager
def _errors_before_the_answer(host: str) -> Generator[None]:
    # Exceptions of httpx and h11 can hold request headers, so none of them is chained.
    import httpx

    try:
        yield
    except httpx.ConnectTimeout:
        raise _timeout(host, "connect") from None
    except httpx.TimeoutException:
        raise _timeout(host, "firstByte") from None
    except (httpx.LocalProtocolError, httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeEncodeError):
        raise TrunklineError(
            ErrorCode.PROVIDER_MISCONFIGURED,
            f"The request to {host} cannot be written as HTTP.",
            hint="Check the base URL and the key for characters that do not belong there.",
        ) from None
    except httpx.TransportError as error:
        raise _unreachable(host, _cause(error)) from None
    except (ImportError, ValueError):
        raise _unreachable(host, "the proxy named in the environment cannot be used") from None


@contextmanager
def _errors_of_the_body(host: str) -> Generator[None]:
    import httpx

    try:
        yield
    except httpx.TimeoutException:
        raise _timeout(host, "idle") from None
    except httpx.TransportError:
        raise TrunklineError(
            ErrorCode.STREAM_INTERRUPTED,
            f"The connection to {host} was lost in the middle of the answer.",
            hint="Try again.",
        ) from None
    except httpx.DecodingError:
        raise TrunklineError(
            ErrorCode.STREAM_MALFORMED, f"The answer of {host} is compressed in a broken way."
        ) from None


def _timeout(host: str, phase: str) -> TrunklineError:
    return TrunklineError(
        ErrorCode.UPSTREAM_TIMEOUT,
        f"{host} took too long.",
        detail=f"phase: {phase}",
        hint="Try again, and check the network if it happens often.",
    )


def _unreachable(host: str, cause: str) -> TrunklineError:
    return TrunklineError(
        ErrorCode.UPSTREAM_UNREACHABLE,
        f"{host} cannot be reached.",
        detail=cause,
        hint="Check the network, the proxy settings and the provider's base URL.",
    )


def _cause(error: BaseException) -> str:
    """Why a connection failed, in words that hold nothing of the request."""
    import httpx

    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"TLS: the certificate is not trusted ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return f"TLS: {cause.reason or 'handshake failed'}"
        if isinstance(cause, socket.gaierror):
            return "DNS: the name cannot be resolved"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
    if isinstance(error, httpx.ProxyError):
        return "the proxy named in the environment refused the connection"
    named = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), None)
    return named or "the connection was closed before an answer came"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and everything that led to it, groups included."""
    yield error
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        for member in group.exceptions:
            yield from _causes(member)
    earlier = error.__cause__ or error.__context__
    if earlier is not None:
        yield from _causes(earlier)
