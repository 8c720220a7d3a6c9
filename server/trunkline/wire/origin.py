"""The origin of a URL: what a key is bound to."""

from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """Scheme, host and port of an absolute `url`, spelled one way: `https://host` or `https://host:8443`.

    Lower case, without the scheme's usual port (RFC 6454, section 4 and 6.1).

    Raises:
        ValueError: `url` has no host or its port is none.
    """
    parts = urlsplit(url)
    host, port = parts.hostname, parts.port
    if not parts.scheme or not host:
        msg = "not an absolute URL"
        raise ValueError(msg)
    shown = f"[{host}]" if ":" in host else host
    if port is None or port == _DEFAULT_PORTS.get(parts.scheme):
        return f"{parts.scheme}://{shown}"
    return f"{parts.scheme}://{shown}:{port}"
