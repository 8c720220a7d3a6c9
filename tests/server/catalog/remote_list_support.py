"""A provider as a list reader sees it: which documents it has, and what it was asked for."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from trunkline.catalog.listed import ListContext, ListedModel, ParsedList
from trunkline.catalog.lists import reader
from trunkline.errors import TrunklineError
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode

CORPUS = Path(__file__).parents[3].parent / "shared" / "corpus"

BASE_URL = "https://api.acme.example/v1"
ORIGIN = "https://api.acme.example"


def refused(status: int) -> TrunklineError:
    return TrunklineError(ErrorCode.UPSTREAM_ERROR, f"It answered with status {status}.", http_status=status)


def recorded(name: str) -> bytes:
    path = CORPUS / name
    if not path.exists():
        pytest.skip(f"the recorded corpus is not here: {path.name}")
    return path.read_bytes()


@dataclass
class ListServer:
    """Documents by what follows the origin: a JSON value, bytes as they are, or the error they end in."""

    documents: Mapping[str, Any]
    refuses_key: int | None = None
    """The status that a request with a key gets."""
    refuses_anonymous: int | None = None
    """The same for one without."""
    asked: list[str] = field(default_factory=list[str])
    anonymous: list[bool] = field(default_factory=list[bool])

    async def __call__(
        self,
        url: str,
        *,
        body: JsonObject | None = None,
        headers: Mapping[str, str] | None = None,
        anonymous: bool = False,
    ) -> bytes:
        assert url.startswith(f"{ORIGIN}/"), url
        assert body is None
        assert not headers
        path = url.removeprefix(ORIGIN)
        self.asked.append(path)
        self.anonymous.append(anonymous)
        status = self.refuses_anonymous if anonymous else self.refuses_key
        found: Any = refused(status) if status else self.documents.get(path, refused(404))
        if isinstance(found, TrunklineError):
            raise found
        return found if isinstance(found, bytes) else json.dumps(found).encode()


async def read(
    name: str,
    server: ListServer,
    *,
    base_url: str = BASE_URL,
    has_key: bool = True,
    options: Mapping[str, str] | None = None,
) -> ParsedList:
    """What the reader `name` makes of `server`."""
    return await reader(name).read(ListContext("acme", base_url, has_key, options or {}), server)


async def read_entries(name: str, path: str, key: str, entries: Sequence[object]) -> ParsedList:
    """What the reader `name` makes of an answer of one page at `path`."""
    return await read(name, ListServer({path: {key: list(entries)}}))


async def failure(
    name: str, server: ListServer, *, base_url: str = BASE_URL, has_key: bool = True
) -> TrunklineError:
    """The error that reading ends in."""
    with pytest.raises(TrunklineError) as caught:
        await read(name, server, base_url=base_url, has_key=has_key)
    return caught.value


def ids(parsed: ParsedList) -> list[str]:
    return [model.model_id for model in parsed.models]


def by_id(parsed: ParsedList) -> dict[str, ListedModel]:
    return {model.model_id: model for model in parsed.models}
