"""The catalogue's file, whole and damaged, and a file of the user's own."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.upstream import Answer, Received, running_upstream
from trunkline.catalog.catalogue import Catalogue
from trunkline.catalog.catalogue_cache import CatalogueCache, digest_of
from trunkline.wire.http import HttpClient
from trunkline_protocol.errors import ErrorCode

URL = "http://127.0.0.1:9/api.json"
NOW = 1_800_000_000.0
DOCUMENT = {
    f"p{number}": {"name": f"P {number}", "models": {f"m{index}": {"name": "M"} for index in range(20)}}
    for number in range(5)
}
BODY = json.dumps(DOCUMENT).encode()


def no_network() -> HttpClient:
    pytest.fail("nothing may be fetched")


def on(directory: Path, **options: Any) -> Catalogue:
    options.setdefault("url", URL)
    return Catalogue(no_network, directory, offline=lambda: False, clock=lambda: NOW, **options)


def write(directory: Path, body: bytes = BODY, url: str = URL, etag: str | None = '"v"') -> Path:
    cache = CatalogueCache(directory, url)
    cache.write(body, digest=digest_of(body), etag=etag, now=NOW)
    return cache.path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write(tmp_path)

    snapshot = on(tmp_path).snapshot()
    assert (snapshot.source, list(snapshot.data.providers())) == ("cache", list(DOCUMENT))


def test_file_that_was_cut_anywhere_is_not_used(tmp_path: Path) -> None:
    path = write(tmp_path)
    whole = path.read_bytes()
    header = whole.index(b"\n") + 1

    cuts = [*range(0, len(whole), 97), header - 1, header, header + 1, len(whole) - 1]
    for length in cuts:
        path.write_bytes(whole[:length])
        snapshot = on(tmp_path).snapshot()
        assert (snapshot.source, snapshot.error) == ("packaged", None), length
    path.write_bytes(whole)
    assert on(tmp_path).snapshot().source == "cache"


def test_file_with_one_changed_byte_is_not_used(tmp_path: Path) -> None:
    path = write(tmp_path)
    whole = path.read_bytes()

    for place in range(whole.index(b"\n") + 1, len(whole), 97):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert on(tmp_path).snapshot().source == "packaged", place


def foreign() -> Iterator[bytes]:
    yield b""
    yield b"\n"
    yield b"\0" * 10_000
    yield b"{}\n{}"
    yield b"[]\n" + BODY
    yield b"null\n" + BODY
    yield BODY
    yield BODY + b"\n" + BODY
    yield b"x" * 100_000
    yield b"\xff\xfe\n" + BODY
    yield b"[" * 5000 + b"\n"
    yield b'{"format": 2}\n' + BODY


@pytest.mark.parametrize("content", list(foreign()))
def test_file_of_something_else_is_not_used(content: bytes, tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_bytes(content)

    snapshot = on(tmp_path).snapshot()
    assert (snapshot.source, snapshot.error) == ("packaged", None)


def test_whole_file_that_holds_no_catalogue_is_not_used(tmp_path: Path) -> None:
    for body in (b"", b"{}", b"[]", b"<html>", b'{"a": {"models": {}}}'):
        write(tmp_path, body)
        assert on(tmp_path).snapshot().source == "packaged"


def test_file_of_another_address_is_not_used(tmp_path: Path) -> None:
    other = write(tmp_path, url="http://127.0.0.1:9/other.json")
    other.rename(CatalogueCache(tmp_path, URL).path)

    assert on(tmp_path).snapshot().source == "packaged"


def test_directory_in_the_place_of_the_file_is_not_used(tmp_path: Path) -> None:
    CatalogueCache(tmp_path, URL).path.mkdir()

    assert on(tmp_path).snapshot().source == "packaged"


def test_file_that_is_damaged_later_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path)
    catalogue = on(tmp_path)
    before = catalogue.snapshot()
    for content in (b"", b"garbage", path.read_bytes()[:-1]):
        path.write_bytes(content)
        assert catalogue.snapshot() == before
    path.unlink()
    assert catalogue.snapshot() == before


def test_time_from_a_broken_clock_is_no_reason_to_fail(tmp_path: Path) -> None:
    path = write(tmp_path)
    os.utime(path, (0, 0))
    assert on(tmp_path).snapshot().fetched_at == datetime.fromtimestamp(0, UTC)
    os.utime(path, (NOW * 4, NOW * 4))
    assert on(tmp_path).snapshot().source == "cache"


async def test_damaged_file_is_replaced_at_the_next_refresh(tmp_path: Path) -> None:
    def script(request: Received) -> Answer:
        assert "if-none-match" not in request.headers
        return Answer(200, {"ETag": '"v2"'}, [BODY])

    async with running_upstream(script) as upstream:
        url = f"http://127.0.0.1:{upstream.port}/api.json"
        path = write(tmp_path, url=url)
        path.write_bytes(path.read_bytes()[:-1])
        http = HttpClient()
        refreshed = await Catalogue(lambda: http, tmp_path, url=url, offline=lambda: False).refresh()
        await http.aclose()

    assert (refreshed.source, refreshed.error) == ("live", None)
    assert on(tmp_path, url=url).snapshot().source == "cache"


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    path = write(tmp_path)
    (tmp_path / f"{path.name}.abc.tmp").write_bytes(b"half")
    (tmp_path / "unrelated.tmp").write_bytes(b"")

    write(tmp_path)

    assert sorted(file.name for file in tmp_path.iterdir()) == [path.name, "unrelated.tmp"]


def test_failed_write_leaves_the_file_and_no_rubbish(tmp_path: Path) -> None:
    path = CatalogueCache(tmp_path, URL).path
    path.mkdir()
    (path / "inside").write_bytes(b"")

    with pytest.raises(OSError, match=r"."):
        write(tmp_path)

    assert [file.name for file in tmp_path.iterdir()] == [path.name]


async def test_turn_that_another_one_keeps_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    one, other = CatalogueCache(tmp_path, URL), CatalogueCache(tmp_path, URL)
    turns: list[str] = []

    async with one.turn(5), other.turn(0.01):
        turns.append("without")
    async with other.turn(5):
        turns.append("with")

    assert turns == ["without", "with"]


def test_own_file_is_used_alone(tmp_path: Path) -> None:
    write(tmp_path / "cache")
    own = tmp_path / "models.json"
    own.write_text('{"mine": {"name": "Mine", "models": {"a": {}, "b": {"name": "B"}}}}')

    snapshot = on(tmp_path / "cache", file=own).snapshot()

    assert (snapshot.source, snapshot.error, snapshot.fetched_at) == ("file", None, None)
    assert list(snapshot.data.providers()) == ["mine"]
    assert [model.name for model in snapshot.data.models("mine")] == ["B"]
    assert snapshot.data.skipped("mine") == ("a: its entry is not an object with something in it",)


async def test_own_file_is_never_fetched(tmp_path: Path) -> None:
    own = tmp_path / "models.json"
    own.write_bytes(BODY)
    catalogue = on(tmp_path, file=own)

    catalogue.refresh_in_background()
    snapshot = await catalogue.refresh(force=True)

    assert (snapshot.source, snapshot.error) == ("file", None)


def test_own_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    own = tmp_path / "models.json"
    own.write_bytes(BODY)
    changes: list[int] = []
    catalogue = on(tmp_path, file=own, on_change=lambda: changes.append(1))
    assert catalogue.snapshot().generation == 1
    os.utime(own, (1, 1))
    assert catalogue.snapshot().generation == 1
    own.write_bytes(b'{"mine": {"models": {"b": {"name": "B"}}}}')

    snapshot = catalogue.snapshot()

    assert (list(snapshot.data.providers()), snapshot.generation, changes) == (["mine"], 2, [1])
    assert catalogue.was_listed("p0/m0")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"{}", b"[]", b"<html>", b"\xff\xfe", b'{"a": 1}', b'{\n"a": }', None]
)
def test_own_file_that_is_broken_is_named(content: bytes | None, tmp_path: Path) -> None:
    own = tmp_path / "models.json"
    if content is not None:
        own.write_bytes(content)
    catalogue = on(tmp_path, file=own)

    snapshot = catalogue.snapshot()

    assert snapshot.error is not None
    assert snapshot.error.code is ErrorCode.CONFIGURATION_INVALID
    assert str(own) in snapshot.error.message
    assert (snapshot.error.fields.get("detail") or "").startswith(f"{own}: ")
    assert snapshot.source == "packaged"  # the server works with the rest
    assert catalogue.snapshot() == snapshot
    own.write_bytes(BODY)
    assert (catalogue.snapshot().error, catalogue.snapshot().source) == (None, "file")


def test_own_file_says_where_it_is_broken(tmp_path: Path) -> None:
    own = tmp_path / "models.json"
    own.write_bytes(b'{\n"a": }')

    error = on(tmp_path, file=own).snapshot().error

    assert error is not None
    assert "line 2" in (error.fields.get("detail") or "")


def test_own_file_that_breaks_later_stays_in_use_as_it_was(tmp_path: Path) -> None:
    own = tmp_path / "models.json"
    own.write_bytes(BODY)
    catalogue = on(tmp_path, file=own)
    before = catalogue.snapshot()
    own.write_bytes(b"{")

    broken = catalogue.snapshot()

    assert (broken.source, broken.data, broken.generation) == ("file", before.data, before.generation)
    assert broken.error is not None
    own.write_bytes(BODY)
    assert catalogue.snapshot() == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in the file system here")
def test_own_file_that_is_a_pipe_or_a_directory_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for own in (pipe, tmp_path):
        error = on(tmp_path, file=own).snapshot().error
        assert error is not None
        assert "not a regular file" in (error.fields.get("detail") or "")
