"""HTTP requests, whole or streamed. The only module that imports httpx, and only once it is needed."""

import asyncio
import socket
import ssl
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    aclosing,
    asynccontextmanager,
    closing,
    contextmanager,
)
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from trunkline import __version__
from trunkline.errors import TrunklineError
from trunkline.wire.alarm import Alarm
from trunkline.wire.http2 import Http2Exchange
from trunkline.wire.patience import Patience, Timeouts, took_too_long
from trunkline_protocol.errors import ErrorCode, TimeoutPhase

if TYPE_CHECKING:
    from collections.abc import Coroutine

    import httpx

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

    def __init__(
        self, response: "httpx.Response", host: str, patience: Patience, connect_s: float | None
    ) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
        self.connect_s = connect_s
        """How long it took to connect; none when a connection was used again."""
        self.has_ended = False
        """Whether all of the body has come."""
        self._response = response
        self._host = host
        self._patience = patience

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The body in pieces as they come, decompressed.

        Raises `UPSTREAM_TIMEOUT` (phase firstByte, idle, progress or total), `STREAM_INTERRUPTED` and
        `STREAM_MALFORMED`.
        """
        with _errors_of_the_body(self._host):
            async with aclosing(self._body()) as body:
                with closing(Alarm()) as alarm:
                    while (chunk := await self._next(body, alarm)) is not None:
                        yield chunk
        self.has_ended = True

    def _body(self) -> AsyncGenerator[bytes]:
        from trunkline.wire.chunked import body_in_pieces

        usual = cast("AsyncGenerator[bytes]", self._response.aiter_bytes())
        connection = self._response.extensions["network_stream"]
        return body_in_pieces(usual, connection, self.status, self.headers)

    async def _next(self, body: AsyncIterator[bytes], alarm: Alarm) -> bytes | None:
        ends, phase = self._patience.wait()
        try:
            with alarm.until(ends):
                chunk = await anext(body, None)
        except TimeoutError:
            raise took_too_long(self._host, phase) from None
        self._patience.received()
        return chunk

    async def read(self, max_bytes: int) -> bytes:
        """The body up to `max_bytes`; the rest is left unread."""
        body = bytearray()
        async with aclosing(self.chunks()) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) >= max_bytes:
                    break
        return bytes(body[:max_bytes])


class HttpClient:
    """Requests over pooled connections.

    Certificates are the system's, proxies come from the environment. Redirects are not followed, because a
    key must not travel to another place: a 3xx is an answer like any other.
    """

    def __init__(self, *, http2: Callable[[], bool] = lambda: False) -> None:
        """`http2` is asked once for each kind of connection whether HTTP/2 is offered."""
        self._http2 = http2
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def fetch(
        self, request: HttpRequest, *, timeout_s: float, max_bytes: int = _MAX_ANSWER_BYTES
    ) -> HttpAnswer:
        """The whole answer, within `timeout_s` seconds from start to end.

        Raises what `stream` and `chunks` raise, and `UPSTREAM_ERROR` when the body is larger than
        `max_bytes`.
        """
        patience = Patience(Timeouts(), asyncio.get_running_loop().time() + timeout_s)
        async with self.stream(request, patience) as stream:
            body = await stream.read(max_bytes + 1)
        if len(body) > max_bytes:
            raise TrunklineError(
                ErrorCode.UPSTREAM_ERROR,
                f"{_host(request.url)} sent an answer of more than {max_bytes} bytes.",
            )
        return HttpAnswer(stream.status, stream.headers, body)

    def stream(
        self, request: HttpRequest, patience: Patience | None = None
    ) -> AbstractAsyncContextManager[HttpStream]:
        """The answer as it comes; leaving the context before its end closes the connection.

        Raises `UPSTREAM_UNREACHABLE` and `UPSTREAM_TIMEOUT` (phase connect, firstByte or total), and
        `PROVIDER_MISCONFIGURED` for an address or a header that HTTP does not allow.
        """
        return self._stream(request, patience or Patience(Timeouts()))

    @asynccontextmanager
    async def _stream(self, request: HttpRequest, patience: Patience) -> AsyncGenerator[HttpStream]:
        host = _host(request.url)
        with _errors_before_the_answer(host):
            client = self._client(urlsplit(request.url).scheme)
            opening = _Opening(patience, client)
            message = client.build_request(
                request.method,
                request.url,
                headers=request.headers,
                content=request.body,
                extensions={"trace": opening.trace},
            )
            response = await opening.run(client.send(message, stream=True), host)
        stream = HttpStream(response, host, patience, opening.connect_s)
        try:
            yield stream
        finally:
            await response.aclose()
            del response.stream  # a cycle, which would keep the request until garbage is looked for
            if not stream.has_ended:
                opening.give_up()

    async def aclose(self) -> None:
        """Closes every connection."""
        clients = list(self._clients.values())
        self._clients.clear()
        for client in clients:
            await client.aclose()

    def _client(self, scheme: str) -> "httpx.AsyncClient":
        if scheme not in self._clients:
            import httpx

            http2 = scheme == "https" and self._http2()
            if http2:
                _need_h2()
            self._clients[scheme] = client = httpx.AsyncClient(
                verify=_system_certificates() if scheme == "https" else _no_certificates(),
                http2=http2,
                timeout=None,  # noqa: S113 - `Patience` has the timers
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=_IDLE_CONNECTIONS),
                headers={"user-agent": f"trunkline/{__version__}"},
                follow_redirects=False,
                trust_env=True,
            )
            _use_asyncio(client)
        return self._clients[scheme]


class _Opening:
    """A request until the head of its answer has come."""

    def __init__(self, patience: Patience, client: "httpx.AsyncClient") -> None:
        self.connect_s: float | None = None
        self._patience = patience
        self._client = client
        self._shared: Http2Exchange | None = None
        self._connecting_since: float | None = None
        self._phase: TimeoutPhase
        ends, self._phase = patience.wait()
        self._timer = asyncio.timeout_at(ends)

    async def run(self, sending: "Coroutine[Any, Any, httpx.Response]", host: str) -> "httpx.Response":
        """Send it, and wait for the head of the answer."""
        try:
            async with self._timer:
                return await sending
        except TimeoutError:
            self.give_up()
            raise took_too_long(host, self._phase) from None
        except BaseException:
            self.give_up()
            raise

    def give_up(self) -> None:
        """Stop the answer where closing the connection would stop those of others as well."""
        if self._shared is not None:
            self._shared.give_up()

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Called by httpcore; the events are those of its `trace` extension."""
        _, _, name = event.partition(".")
        if name == "connect_tcp.started":
            self._connecting_since = asyncio.get_running_loop().time()
        elif name == "send_request_headers.started" and info["request"].method != b"CONNECT":
            if self._connecting_since is not None:
                self.connect_s = asyncio.get_running_loop().time() - self._connecting_since
            if "stream_id" in info:
                self._shared = Http2Exchange(_pools(self._client), info["request"], info["stream_id"])
            self._patience.sent()
            ends, self._phase = self._patience.wait()
            self._timer.reschedule(ends)


def _load_httpx() -> None:
    """Import httpx without its command line: that would bring rich and pygments, and takes as long again."""
    if "httpx" not in sys.modules:
        sys.modules["httpx._main"] = None  # pyright: ignore[reportArgumentType] - one that cannot be imported
        import_module("httpx")
        del sys.modules["httpx._main"]


def _use_asyncio(client: "httpx.AsyncClient") -> None:
    """Put our connections below every pool of `client`: httpcore has an argument for them, httpx none."""
    from trunkline.wire.network import AsyncioBackend

    for pool in _pools(client):
        assert pool._network_backend is not None  # noqa: S101, SLF001 - or another httpx would go unnoticed
        pool._network_backend = AsyncioBackend()  # noqa: SLF001


def _pools(client: "httpx.AsyncClient") -> Iterator[Any]:
    """The connections of `client`: one pool for all hosts, and one for each proxy."""
    private = cast("Any", client)
    for transport in (private._transport, *private._mounts.values()):  # noqa: SLF001
        if transport is not None:  # a host that no proxy is used for
            yield transport._pool  # noqa: SLF001


def _need_h2() -> None:
    from importlib.util import find_spec

    if find_spec("h2") is None:
        raise TrunklineError(
            ErrorCode.CONFIGURATION_INVALID,
            "The configuration asks for HTTP/2, which is not installed.",
            hint="Run `pip install 'trunkline[http2]'`, or remove `http2` from the configuration.",
        )


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
    _load_httpx()
    import httpx

    try:
        yield
    except httpx.ConnectTimeout:  # the system gave up before our timer did
        raise took_too_long(host, "connect") from None
    except (httpx.LocalProtocolError, httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeEncodeError):
        raise TrunklineError(
            ErrorCode.PROVIDER_MISCONFIGURED,
            f"The request to {host} cannot be written as HTTP.",
            hint="Check the base URL and the key for characters that do not belong there.",
        ) from None
    except httpx.TransportError as error:
        raise _unreachable(host, _cause(error), retryable=not _is_distrust(error)) from None
    except (ImportError, ValueError):
        raise _unreachable(host, "the proxy named in the environment cannot be used") from None


@contextmanager
def _errors_of_the_body(host: str) -> Generator[None]:
    import httpx

    from trunkline.wire.chunked import BrokenBodyError

    try:
        yield
    except (httpx.TransportError, BrokenBodyError):
        raise TrunklineError(
            ErrorCode.STREAM_INTERRUPTED,
            f"The connection to {host} was lost in the middle of the answer.",
            hint="Try again.",
        ) from None
    except httpx.DecodingError:
        raise TrunklineError(
            ErrorCode.STREAM_MALFORMED, f"The answer of {host} is compressed in a broken way."
        ) from None


def _unreachable(host: str, cause: str, *, retryable: bool = True) -> TrunklineError:
    return TrunklineError(
        ErrorCode.UPSTREAM_UNREACHABLE,
        f"{host} cannot be reached.",
        detail=cause,
        retryable=retryable,
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
            return f"TLS: {getattr(cause, 'reason', None) or 'handshake failed'}"
        if isinstance(cause, socket.gaierror):
            return "DNS: the name cannot be resolved"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
    if isinstance(error, httpx.ProxyError):
        return "the proxy named in the environment refused the connection"
    named = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), None)
    return named or "the connection was closed before an answer came"


def _is_distrust(error: BaseException) -> bool:
    """Whether a certificate was not trusted, which waiting does not change."""
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))


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
