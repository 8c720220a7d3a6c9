"""The catalogue on disk: the last good document of one address, as it was received.

One file per address. Its first line is a JSON object about the rest, which is the document byte for byte. The
file is only ever replaced as a whole, so readers need no lock. Its time of modification is when the document
was last known to be current; finding that again changes nothing else.
"""

import asyncio
import logging
import os
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from trunkline.wire.json_values import compact_json, object_in, parse_json, text_in

if TYPE_CHECKING:
    from filelock import FileLock

logger = logging.getLogger(__name__)

_FORMAT = 1
_MAX_HEADER = 16 * 1024
"""Bytes of a first line; a file of something else may have none."""
_POLL_S = 0.05

Stamp = tuple[int, int, int, int]
"""What changes when a file is replaced or touched: inode, size, times of modification and of change."""


@dataclass(frozen=True, slots=True)
class CachedDocument:
    """What the file says about the document in it, and the document."""

    digest: str
    """Of the document."""
    etag: str | None
    checked_at: float
    """When it was last known to be current, in seconds since 1970."""
    stamp: Stamp
    body: bytes | None
    """None where only the first line was asked for."""


class CatalogueCache:
    """The file of one address. Nothing is opened or made before it is asked for."""

    def __init__(self, directory: Path, url: str) -> None:
        self._url_digest = digest_of(url.encode())
        self._url = url
        self.path = directory / f"models.dev-{self._url_digest[:16]}.json"

    def stamp(self) -> Stamp | None:
        """The file's present stamp; None when there is none, or it cannot be seen."""
        return stamp_of(self.path)

    def read(self, *, known_digest: str | None = None) -> CachedDocument | None:
        """The document, without its body where its digest is `known_digest`.

        None where there is no file, or not as `write` left it for this address.
        """
        try:
            with self.path.open("rb") as file:
                return self._read(file, known_digest)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            logger.info("%s is not used: %s", self.path, error)
            return None

    def write(self, body: bytes, *, digest: str, etag: str | None, now: float) -> Stamp:
        """Make `body` the document, current at `now` seconds since 1970.

        Raises:
            OSError: nothing has changed then.
        """
        header = {
            "format": _FORMAT,
            "url": _without_secrets(self._url),
            "urlDigest": self._url_digest,
            "etag": etag,
            "digest": digest,
            "bytes": len(body),
            "fetchedAt": now,
        }
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._remove_leftovers()
        descriptor, name = tempfile.mkstemp(prefix=self.path.name + ".", suffix=".tmp", dir=self.path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(compact_json(header).encode() + b"\n" + body)
                file.flush()
                os.fsync(file.fileno())
            _set_time(temporary, now)
            temporary.replace(self.path)
            return _stamp(self.path.stat())
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise

    def touch(self, now: float) -> Stamp | None:
        """Remember that the document was current at `now`; None where that cannot be written."""
        try:
            _set_time(self.path, now)
            return _stamp(self.path.stat())
        except OSError:
            return None

    @asynccontextmanager
    async def turn(self, wait_s: float) -> AsyncGenerator[None]:
        """One process at a time; the others wait up to `wait_s` seconds.

        It saves them from fetching the same, and nothing else depends on it. So where there can be no lock,
        or its holder does not come to an end, one goes on without.
        """
        lock = await self._acquired(wait_s)
        try:
            yield
        finally:
            if lock is not None:
                lock.release()

    async def _acquired(self, wait_s: float) -> "FileLock | None":
        # Asked for again and again, and not waited for in a thread: a thread that got it after its task was
        # cancelled would keep it.
        from filelock import FileLock, Timeout

        lock = FileLock(self.path.with_name(self.path.name + ".lock"), timeout=0, thread_local=False)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            async with asyncio.timeout(wait_s):
                while True:
                    try:
                        lock.acquire()
                    except Timeout:
                        await asyncio.sleep(_POLL_S)
                    else:
                        return lock
        except TimeoutError:
            logger.info("%s is held by another process for more than %g s", lock.lock_file, wait_s)
        except (OSError, NotImplementedError) as error:
            logger.info("no lock in %s: %s", self.path.parent, error)
        return None

    def _read(self, file: IO[bytes], known_digest: str | None) -> CachedDocument:
        status = os.fstat(file.fileno())
        header = object_in(parse_json(file.readline(_MAX_HEADER)))
        digest, etag = text_in(header.get("digest")), text_in(header.get("etag")) or None
        if header.get("format") != _FORMAT or header.get("urlDigest") != self._url_digest:
            msg = "it is not the cache of this address"
            raise ValueError(msg)
        if status.st_size - file.tell() != header.get("bytes"):
            msg = "it is not as long as it should be"
            raise ValueError(msg)
        body = None if digest == known_digest else file.read()
        if body is not None and digest_of(body) != digest:
            msg = "it is not what was written"
            raise ValueError(msg)
        return CachedDocument(digest, etag, status.st_mtime, _stamp(status), body)

    def _remove_leftovers(self) -> None:
        """Temporary files of writers that were killed. One who writes out of turn may lose this write."""
        for leftover in self.path.parent.glob(f"{self.path.name}.*.tmp"):
            with suppress(OSError):
                leftover.unlink()


def stamp_of(path: Path) -> Stamp | None:
    """The present stamp of a file; None when there is none, or it cannot be seen."""
    try:
        return _stamp(path.stat())
    except OSError:
        return None


def digest_of(data: bytes) -> str:
    """What tells one document from another."""
    return sha256(data).hexdigest()


def _stamp(status: os.stat_result) -> Stamp:
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _set_time(path: Path, now: float) -> None:
    os.utime(path, (now, now))


def _without_secrets(url: str) -> str:
    """The address for people who look into the file, without what may be a password or a token in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
