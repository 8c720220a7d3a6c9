"""Which addresses settings may name: encrypted or on this machine, and read alike by every program."""

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address without brackets, is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _base_url(value: str) -> str:
    url = _checked(value)
    if "?" in url or "#" in url:
        raise PydanticCustomError("base_url", "must not contain a query or a fragment")
    return url.rstrip("/")


def _document_url(value: str) -> str:
    url = _checked(value)
    if "#" in url:
        raise PydanticCustomError("document_url", "must not contain a fragment")
    return url


def _checked(value: str) -> str:
    url = value.strip()
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise PydanticCustomError("url", "must be an absolute URL such as https://host/v1")
    if "@" in parts.netloc:
        raise PydanticCustomError("url", "must not contain a user name or password")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise PydanticCustomError(
            "url", "must start with https://; only localhost, 127.0.0.1 and [::1] may use http://"
        )
    return url


def _split(url: str) -> SplitResult | None:
    """The parts of `url`; None when it is none, or one that two programs may read differently."""
    if not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return None if port == 0 else parts


BaseUrl = Annotated[str, AfterValidator(_base_url)]
"""Where requests go: no slash at the end, no query, `http` only on loopback."""

DocumentUrl = Annotated[str, AfterValidator(_document_url)]
"""One document; it may have a query."""
