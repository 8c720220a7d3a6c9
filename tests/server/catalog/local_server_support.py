"""A local server as its list reader sees it: which documents it has, and what it was asked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from trunkline.catalog.listed import ListContext, ListedModel, ListReader, ParsedList
from trunkline.errors import TrunklineError
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode

MODELS = Path(__file__).parents[3].parent / "shared" / "corpus" / "models"

ORIGIN = "http://127.0.0.1:9"

UNREACHABLE = TrunklineError(ErrorCode.UPSTREAM_UNREACHABLE, "127.0.0.1 cannot be reached.")

ODD_VALUES: tuple[Any, ...] = (None, True, 7, -1, 1e300, "text", "", [], [None, 3], {}, {"a": {"b": None}})
"""Values of every JSON type, for places where another one is expected."""


def refused(status: int) -> TrunklineError:
    return TrunklineError(
        ErrorCode.UPSTREAM_ERROR, f"The server answered with status {status}.", http_status=status
    )


@dataclass
class LocalServer:
    """Documents by path; a JSON value, the bytes themselves, or the error that asking for it ends in."""

    documents: Mapping[str, Any]
    shows: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What Ollama's `/api/show` says, by model."""
    origin: str = ORIGIN
    """All that a reader may ask for is there: the key goes along."""
    asked: list[str] = field(default_factory=list[str])

    async def __call__(
        self,
        url: str,
        *,
        body: JsonObject | None = None,
        headers: Mapping[str, str] | None = None,
        anonymous: bool = False,
    ) -> bytes:
        assert url.startswith(f"{self.origin}/"), url
        assert not headers
        assert not anonymous
        path = url.removeprefix(self.origin)
        self.asked.append(path)
        if body is not None:
            assert path.endswith("/api/show")
            found = self.shows.get(body["model"], refused(404))
        else:
            found = self.documents.get(path, refused(404))
        if isinstance(found, TrunklineError):
            raise found
        return found if isinstance(found, bytes) else json.dumps(found).encode()


async def read(reader: ListReader, server: LocalServer, base_url: str = f"{ORIGIN}/v1") -> ParsedList:
    return await reader.read(ListContext("local", base_url, has_key=False), server)


async def read_one(reader: ListReader, server: LocalServer) -> ListedModel:
    """The only model of a list that says nothing else."""
    parsed = await read(reader, server)
    (model,) = parsed.models
    assert not parsed.skipped
    return model


def corpus(name: str) -> Any:
    """A model list of the corpus; the test is skipped where that is absent."""
    if not MODELS.is_dir():
        pytest.skip("the corpus ../shared/corpus is not here")
    return json.loads((MODELS / name).read_bytes())


def assert_free(model: ListedModel) -> None:
    assert model.pricing is not None
    assert (model.pricing.input, model.pricing.output) == (0, 0)
