"""Where flows go, and which addresses of a server may be shown and opened."""

from urllib.parse import urlsplit

from trunkline.auth.login.failures import failed
from trunkline.wire.json_values import text_in
from trunkline.wire.origin import origin_of

_LONGEST = 2048


def site_root(base_url: str) -> str:
    """Where a provider's site is, as far as its API's base URL tells: everything before the last `/api`.

    `https://openrouter.ai/api/v1` is at `https://openrouter.ai`, and a mirror's
    `https://mirror.example/openrouter/api/v1` at `https://mirror.example/openrouter`. An address without such
    a segment stands for its origin.
    """
    origin = origin_of(base_url)
    segments = urlsplit(base_url).path.rstrip("/").split("/")
    if "api" not in segments:
        return origin
    last = len(segments) - 1 - segments[::-1].index("api")
    return origin + "/".join(segments[:last])


def safe_url(value: object) -> str | None:
    """`value` if it is an address that is encrypted or on this machine, None for everything else."""
    from pydantic import TypeAdapter, ValidationError

    from trunkline.config.urls import DocumentUrl

    url = text_in(value)
    if not url.isascii() or len(url) > _LONGEST:
        return None
    try:
        return TypeAdapter[str](DocumentUrl).validate_python(url)
    except ValidationError:
        return None


def page_in(provider_id: str, value: object) -> str:
    """The address of a page that a server wants the user to open.

    It is handed to editors and operating systems, which open anything.

    Raises:
        TrunklineError: 1105, when it is not a `safe_url`.
    """
    url = safe_url(value)
    if url is None:
        message = f"{provider_id} names no page to sign in on, or one that is not safe to open."
        raise failed(provider_id, message)
    return url


def code_in(provider_id: str, value: object) -> str:
    """A code that the user is to enter on that page.

    Raises:
        TrunklineError: 1105, when it is none that could be shown and entered.
    """
    code = text_in(value).strip()
    if code and code.isascii() and code.isprintable() and len(code) <= 64:  # noqa: PLR2004 - to be typed
        return code
    raise failed(provider_id, f"{provider_id} gives no code to sign in with.")
