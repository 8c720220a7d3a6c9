"""What a client keeps in step with the server: its workspace folders and its open buffers.

Nobody may ever ask for a buffer, and what reads them is slow to import. So messages wait as they came until
somebody asks, or until they are many; then it is imported in a thread, and they are taken over in their
order.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from trunkline.rpc.client_settings import folders_at_start, path_of, uris_of
from trunkline.rpc.handshake import position_encoding

if TYPE_CHECKING:
    from trunkline.rpc.synchronised import SynchronisedDocuments

logger = logging.getLogger(__name__)

_MOST_WAITING = 500
"""Messages; a few minutes of typing."""


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """An open buffer."""

    uri: str
    """As the client wrote it."""
    version: int | None
    text: str


class Documents:
    """The folders and buffers of one client."""

    def __init__(self, initialize_params: dict[str, Any]) -> None:
        self._encoding = position_encoding(initialize_params.get("capabilities"))
        self._folders = dict.fromkeys(folders_at_start(initialize_params))
        self._waiting: list[tuple[str, Any]] = []
        self._synchronised: SynchronisedDocuments | None = None
        self._loading: asyncio.Task[SynchronisedDocuments] | None = None

    @property
    def folders(self) -> tuple[str, ...]:
        """URIs of the workspace folders."""
        return tuple(self._folders)

    def receive(self, method: str, params: Any) -> None:
        """Take over a message, now or later."""
        if method == "workspace/didChangeWorkspaceFolders":
            self._change_folders(params)
        elif method.startswith("textDocument/"):
            self._waiting.append((method, params))
            if self._synchronised is not None:
                self._take_over(self._synchronised)
            elif len(self._waiting) > _MOST_WAITING:
                self._load()

    async def open(self) -> Mapping[Path, OpenDocument]:
        """The open buffers that are files, by resolved path."""
        synchronised = self._synchronised or await asyncio.shield(self._load())
        found: dict[Path, OpenDocument] = {}
        for document in synchronised.open.values():
            path = path_of(document.uri)
            if path is not None:
                found[_resolved(path)] = OpenDocument(document.uri, document.version, document.source)
        return found

    def _load(self) -> "asyncio.Task[SynchronisedDocuments]":
        if self._loading is None:
            self._loading = asyncio.create_task(self._loaded())
        return self._loading

    async def _loaded(self) -> "SynchronisedDocuments":
        synchronised = await asyncio.to_thread(_synchronised, self._encoding)
        self._take_over(synchronised)
        self._synchronised = synchronised
        return synchronised

    def _take_over(self, synchronised: "SynchronisedDocuments") -> None:
        for method, params in self._waiting:
            try:
                synchronised.receive(method, params)
            except Exception as error:  # noqa: BLE001 - whatever lsprotocol's converter makes of odd params
                logger.warning("the params of %s do not fit: %s", method, type(error).__name__)
        self._waiting.clear()

    def _change_folders(self, params: Any) -> None:
        event: Any = cast("dict[str, Any]", params).get("event") if isinstance(params, dict) else None
        if not isinstance(event, dict):
            logger.warning("the params of workspace/didChangeWorkspaceFolders do not fit")
            return
        added, removed = (cast("dict[str, Any]", event).get(name) for name in ("added", "removed"))
        for uri in uris_of(cast("list[Any]", removed) if isinstance(removed, list) else []):
            self._folders.pop(uri, None)
        self._folders |= dict.fromkeys(uris_of(cast("list[Any]", added) if isinstance(added, list) else []))


def _synchronised(encoding: str) -> "SynchronisedDocuments":
    from trunkline.rpc.synchronised import SynchronisedDocuments

    return SynchronisedDocuments(encoding)


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # before Python 3.13 a link to itself is a RuntimeError
        return path
