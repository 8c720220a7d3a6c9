"""The page on 127.0.0.1 that a browser is sent back to with the result of a sign-in.

Any page in any browser of this machine can send requests here, so a request counts only if it is a navigation
to the one address that was given to the provider: by `GET`, with this server's own address as `Host` (no name
that somebody rebound to 127.0.0.1), and with the random state in its path. (OpenRouter returns no `state`
parameter; a path comes back whatever is appended to it.) The first such request is the result, all others are
refused. No answer repeats anything of a request, runs a script or allows another origin to read it.
"""

import asyncio
import hmac
import secrets
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl

from trunkline.auth.login.failures import failed, refused
from trunkline.auth.timing import Timing
from trunkline.errors import TrunklineError
from trunkline.secrets import Secret, usable_key
from trunkline.wire.error_bodies import plain_text
from trunkline.wire.request_head import RequestHead, read_request_head

_ADDRESS = "127.0.0.1"
_PREFIX = "/callback/"
_HEAD_BYTES = 16 * 1024
_HEAD_SECONDS = 10.0
_CONNECTIONS = 16
_HEADERS = (
    "Content-Type: text/html; charset=utf-8",
    "Cache-Control: no-store",
    "Content-Security-Policy: default-src 'none'",
    "Referrer-Policy: no-referrer",
    "X-Content-Type-Options: nosniff",
    "Connection: close",
)
_DONE = "Trunkline has the answer. You can close this page and go back to where you came from."
_DECLINED = "The sign-in was declined. You can close this page."
_REFUSED = "This is not the answer of a sign-in that Trunkline is waiting for. You can close this page."


@dataclass(frozen=True, slots=True)
class _Answer:
    status: HTTPStatus
    text: str
    result: Secret | TrunklineError | None = None
    """What the request makes of the sign-in, if anything."""


class CallbackServer:
    """Listens until `close`. Made by `open_callback`."""

    def __init__(self, provider_id: str, timing: Timing) -> None:
        self._provider_id = provider_id
        self._timing = timing
        self._state = Secret(secrets.token_urlsafe(32))
        self._port = 0
        self._answered = False
        self._result: asyncio.Future[Secret | TrunklineError] = asyncio.get_running_loop().create_future()
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where the provider is to send the browser; nobody else is told."""
        return f"http://{self._host}{_PREFIX}{self._state.reveal()}"

    async def open(self) -> None:
        """Listen on a free port.

        Raises:
            TrunklineError: 1105, when there is none.
        """
        try:
            self._server = await asyncio.start_server(self._serve, _ADDRESS, 0, limit=_HEAD_BYTES)
        except OSError as error:
            raise failed(
                self._provider_id,
                f"No port can be opened on {_ADDRESS} for the answer of {self._provider_id}.",
                detail=error.strerror,
                hint="Sign in with the method `device`, which needs none.",
            ) from None
        self._port = self._server.sockets[0].getsockname()[1]

    async def code(self) -> Secret:
        """The code that the browser brings.

        Raises:
            TrunklineError: 1105, when it brings an error, or comes back with another state.
        """
        result = await self._result
        if isinstance(result, TrunklineError):
            raise result
        return result

    def close(self) -> None:
        """Listen no more, and hang up on whoever is connected."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.cancel()

    @property
    def _host(self) -> str:
        return f"{_ADDRESS}:{self._port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        if connection is None or len(self._connections) >= _CONNECTIONS:
            writer.close()
            return
        self._connections.add(connection)
        answer: _Answer | None = None
        try:
            head = await self._timing.within(_HEAD_SECONDS, reader.readuntil(b"\r\n\r\n"))
            answer = self._answer(read_request_head(head))
            writer.write(_bytes(answer))
            await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # what does not speak HTTP gets no answer
        except asyncio.CancelledError:
            pass  # by `close`; on its way out of here it would be logged as an error of the callback
        finally:
            self._connections.discard(connection)
            writer.close()
            # Only now, because the end of the sign-in hangs up.
            if answer is not None and answer.result is not None and not self._result.done():
                self._result.set_result(answer.result)

    def _answer(self, request: RequestHead | None) -> _Answer:
        if request is None:
            return _Answer(HTTPStatus.BAD_REQUEST, _REFUSED)
        if request.method != "GET":
            return _Answer(HTTPStatus.METHOD_NOT_ALLOWED, _REFUSED)
        if request.headers.get("host") != (self._host,):
            return _Answer(HTTPStatus.MISDIRECTED_REQUEST, _REFUSED)
        # Browsers say what a request is for: a picture or a script of some page is no navigation.
        if request.headers.get("sec-fetch-dest", ("document",)) != ("document",):
            return _Answer(HTTPStatus.FORBIDDEN, _REFUSED)
        path, _, query = request.target.partition("?")
        if not path.startswith(_PREFIX):
            return _Answer(HTTPStatus.NOT_FOUND, _REFUSED)
        if self._answered:
            return _Answer(HTTPStatus.GONE, _REFUSED)
        expected = (_PREFIX + self._state.reveal()).encode("ascii")
        if not hmac.compare_digest(path.encode("latin-1"), expected):
            return self._final(HTTPStatus.FORBIDDEN, _REFUSED, self._wrong_state())
        return self._outcome(query)

    def _outcome(self, query: str) -> _Answer:
        """The answer to the browser that was sent here, and what it brings."""
        try:
            fields = parse_qsl(query, keep_blank_values=True, max_num_fields=32)
        except ValueError:
            return _Answer(HTTPStatus.BAD_REQUEST, _REFUSED)
        codes = [value for name, value in fields if name == "code"]
        errors = [value for name, value in fields if name == "error"]
        if errors:
            error = refused(self._provider_id, upstream_code=plain_text(errors[0])[:100] or None)
            return self._final(HTTPStatus.OK, _DECLINED, error)
        code = usable_key(codes[0]) if len(codes) == 1 else None
        if code is None:  # opened by hand, or mangled on its way; the right one may still come
            return _Answer(HTTPStatus.BAD_REQUEST, _REFUSED)
        return self._final(HTTPStatus.OK, _DONE, code)

    def _final(self, status: HTTPStatus, text: str, result: Secret | TrunklineError) -> _Answer:
        self._answered = True
        return _Answer(status, text, result)

    def _wrong_state(self) -> TrunklineError:
        return failed(
            self._provider_id,
            f"A browser came back from {self._provider_id} with an answer that belongs to another sign-in. "
            "Nothing of it was used.",
        )


async def open_callback(provider_id: str, timing: Timing) -> CallbackServer:
    """A server that listens; raises 1105 when none can."""
    server = CallbackServer(provider_id, timing)
    await server.open()
    return server


def _bytes(answer: _Answer) -> bytes:
    page = (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Trunkline</title>'
        f"<h1>Trunkline</h1><p>{answer.text}</p></html>\n"
    ).encode("ascii")
    allow = ("Allow: GET",) if answer.status is HTTPStatus.METHOD_NOT_ALLOWED else ()
    lines = (
        f"HTTP/1.1 {answer.status.value} {answer.status.phrase}",
        *_HEADERS,
        *allow,
        f"Content-Length: {len(page)}",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii") + page
