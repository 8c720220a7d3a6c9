"""Gets a newer catalogue document from its address, and decides whether it may replace the one in use."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from trunkline.catalog.catalogue_cache import digest_of
from trunkline.catalog.modelsdev import ModelsDev
from trunkline.errors import TrunklineError
from trunkline.wire.http import HttpClient, HttpRequest
from trunkline_protocol.errors import ErrorCode

_OK = 200
_NOT_MODIFIED = 304
_TOO_MANY_REQUESTS = 429
_MAX_ETAG = 256
_HINT = "The models known before are used meanwhile. Check the address of the catalogue if it is your own."


@dataclass(frozen=True, slots=True)
class Answer:
    """A document as it came."""

    body: bytes
    etag: str | None


@dataclass(frozen=True, slots=True)
class Document:
    """A document that may be used."""

    body: bytes
    etag: str | None
    digest: str
    data: ModelsDev


async def fetch(http: HttpClient, url: str, *, etag: str | None, timeout_s: float) -> Answer | None:
    """What `url` holds; None when that is still what it called `etag`.

    Raises:
        TrunklineError: CONFIGURATION_INVALID when that is no address, RATE_LIMITED or UPSTREAM_ERROR for an
            answer that is neither, and what `HttpClient.fetch` raises.
    """
    headers = {"accept": "application/json"}
    if etag is not None:
        headers["if-none-match"] = etag
    host = _host(url)
    answer = await http.fetch(HttpRequest("GET", url, headers), timeout_s=timeout_s)
    if answer.status == _NOT_MODIFIED and etag is not None:
        return None
    if answer.status != _OK:
        raise TrunklineError(
            ErrorCode.RATE_LIMITED if answer.status == _TOO_MANY_REQUESTS else ErrorCode.UPSTREAM_ERROR,
            f"{host} did not send the model catalogue: it answered with status {answer.status}.",
            http_status=answer.status,
            hint=_HINT,
        )
    return Answer(answer.body, _usable(answer.headers.get("etag")))


def accept(answer: Answer, url: str, present: ModelsDev | None) -> Document:
    """The document, when it is a catalogue and at least half of what `present` has is still in it.

    Half of the providers that have models, and half as many models: a catalogue grows, loses a few, and never
    shrinks like that unless it is broken or something else. `present` is None where nothing can be expected.

    Takes tens of milliseconds: call it in a thread.

    Raises:
        TrunklineError: UPSTREAM_ERROR with the reason.
    """
    try:
        data = ModelsDev.parse(answer.body)
    except ValueError as error:
        raise _unusable(url, str(error)) from None
    if present is not None:
        before, after = _models_of(present), _models_of(data)
        remaining = len(before.keys() & after.keys())
        if 2 * remaining < len(before):
            raise _unusable(url, f"only {remaining} of {len(before)} providers are left in it")
        many, few = sum(before.values()), sum(after.values())
        if 2 * few < many:
            raise _unusable(url, f"only {few} of {many} models are left in it")
    return Document(answer.body, answer.etag, digest_of(answer.body), data)


def _models_of(data: ModelsDev) -> dict[str, int]:
    """How many models each provider has that has any."""
    try:
        counts = {provider_id: len(data.model_ids(provider_id)) for provider_id in data.providers()}
    except TrunklineError:  # damaged packaged data: nothing to compare with
        return {}
    return {provider_id: count for provider_id, count in counts.items() if count}


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.scheme in ("http", "https") else None
    except ValueError:
        host = None
    if not host:
        raise TrunklineError(
            ErrorCode.CONFIGURATION_INVALID,
            "The address of the model catalogue is not a URL that begins with https:// or http://.",
            hint="Correct it in the configuration.",
        )
    return host


def _usable(etag: str | None) -> str | None:
    """An entity tag that can be sent back."""
    if etag is None or len(etag) > _MAX_ETAG or not (etag.isascii() and etag.isprintable()):
        return None
    return etag or None


def _unusable(url: str, reason: str) -> TrunklineError:
    return TrunklineError(
        ErrorCode.UPSTREAM_ERROR,
        f"What {_host(url)} sent is not a model catalogue; it was not used.",
        detail=reason,
        hint=_HINT,
    )
