"""A simulated FastRouter on loopback: its HTTP and SSE, its own models, no model behind it.

async with DemoUpstream(key="...", pace_s=0.0) as upstream:
    ...  # talk to upstream.base_url, look at upstream.requests
"""

import asyncio
import hmac
import json
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, cast

from trunkline.demo import price_list
from trunkline.demo.completions import Completion
from trunkline.demo.http_server import (
    RecordedRequest,
    UnreadableRequestError,
    end_stream,
    read_request,
    send_json,
    send_piece,
    start_stream,
)
from trunkline.demo.simulated_model import RefusalError, SimulatedModel, bad_request, prompt_text

_HOST = "127.0.0.1"


class DemoUpstream:
    """The server, running inside `async with`, on a free port of 127.0.0.1."""

    def __init__(self, key: str, pace_s: float = 0.0) -> None:
        self._key = key
        self._pace_s = pace_s
        self._model = SimulatedModel()
        self._connections: dict[asyncio.Task[None], StreamWriter] = {}
        self._server: asyncio.Server | None = None
        self.requests: list[RecordedRequest] = []
        """Every request that came, oldest first."""
        self.base_url = ""
        """What a provider's `baseURL` is set to; known while it runs."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, _HOST, 0)
        port: int = self._server.sockets[0].getsockname()[1]
        self.base_url = f"http://{_HOST}:{port}/api/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._connections.values():
            writer.transport.abort()
        await asyncio.gather(*self._connections)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One connection, as many requests as come on it."""
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._connections[task] = writer
        try:
            while (request := await read_request(reader)) is not None:
                self.requests.append(request)
                try:
                    await self._answer(request, writer)
                except RefusalError as refusal:
                    await send_json(writer, refusal.status, refusal.body)
        except UnreadableRequestError as problem:
            with suppress(ConnectionError):
                await send_json(writer, 400, bad_request(str(problem)).body, last=True)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client has gone, or talks nonsense: nobody is left to answer to
        finally:
            del self._connections[task]
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, request: RecordedRequest, writer: StreamWriter) -> None:
        """One request.

        Raises:
            RefusalError: it is answered with an error; nothing has been sent yet.
        """
        path = request.path.partition("?")[0]
        match request.method, path:
            case "GET", "/api/v1/models":
                await send_json(writer, 200, price_list.listing())
            case "POST", "/api/v1/chat/completions":
                self._check_key(request)
                await self._complete(request.body, writer)
            case _:
                message = f"There is no {request.method} {path}."
                raise RefusalError(404, "invalid_request_error", "not_found", message)

    def _check_key(self, request: RecordedRequest) -> None:
        sent = request.headers.get("authorization", "")
        if not hmac.compare_digest(sent.encode(), f"Bearer {self._key}".encode()):
            raise RefusalError(401, "authentication_error", "invalid_api_key", "The API key is not valid.")

    async def _complete(self, body: Any, writer: StreamWriter) -> None:
        if not isinstance(body, dict):
            raise bad_request("The body must be a JSON object.")
        fields = cast("dict[str, Any]", body)
        model = price_list.find(str(fields.get("model")))
        if model is None:
            raise RefusalError(
                404, "invalid_request_error", "model_not_found", "There is no such model for chat."
            )
        completion = Completion(model, prompt_text(fields), self._model.answer(fields))
        if fields.get("stream") is True:
            await self._stream(completion, writer)
        else:
            await send_json(writer, 200, completion.whole())

    async def _stream(self, completion: Completion, writer: StreamWriter) -> None:
        await start_stream(writer)
        await send_piece(writer, ": FASTROUTER PROCESSING\n\n")
        for chunk in completion.chunks():
            await asyncio.sleep(self._pace_s)
            await send_piece(writer, f"data: {json.dumps(chunk)}\n\n")
        await send_piece(writer, "data: [DONE]\n\n")
        await end_stream(writer)
