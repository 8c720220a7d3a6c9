"""Base URLs with `${NAME}` places, which environment variables fill."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from trunkline.config.urls import is_loopback
from trunkline.wire.origin import origin_of

_PLACE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]*")
"""What may be put into a URL: a host, a part of one, or a path; nothing that changes what follows."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A base URL as far as it is known."""

    url: str | None
    """With its places filled as far as the environment tells."""
    missing: tuple[str, ...]
    """Variables that are not set, or hold what cannot stand in a URL."""

    @property
    def is_usable(self) -> bool:
        """Whether a request, and a key with it, may go there."""
        return self.url is not None and not self.missing and is_safe(self.url)


def fill(template: str | None, environ: Mapping[str, str]) -> Endpoint:
    """`template` with its places filled. `https://${HOST}` also takes a HOST that begins with `https://`."""
    if template is None:
        return Endpoint(None, ())
    missing: list[str] = []

    def value(match: re.Match[str]) -> str:
        given = environ.get(match[1], "").strip().rstrip("/")
        if template.startswith(("https://" + match[0], match[0])):
            scheme = "https://" if template.startswith("https://") else ""
            given = given.removeprefix("https://") if scheme else given
        if not (_PLAIN.fullmatch(given.removeprefix("https://"))):
            missing.append(match[1])
            return match[0]
        return given

    url = _PLACE.sub(value, template).rstrip("/")
    return Endpoint(url, tuple(dict.fromkeys(missing)))


def places(template: str | None) -> tuple[str, ...]:
    """The variables that `template` asks for."""
    return tuple(dict.fromkeys(_PLACE.findall(template or "")))


def is_safe(url: str) -> bool:
    """Whether a key may go there: an absolute URL, encrypted or on this machine."""
    try:
        parts = urlsplit(url)
        origin_of(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def is_local(url: str | None) -> bool:
    """Whether it is a server on this machine."""
    try:
        return url is not None and is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False
