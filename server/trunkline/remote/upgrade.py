"""Whether an HTTP request may become a WebSocket: every check that does not need the token.

A page in any browser of this machine can send requests to a port of it. What a page cannot do is set
`Authorization`, leave out `Origin`, or choose `Host`; so these are looked at, and no answer allows another
origin to read it.
"""

from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from trunkline.wire.request_head import RequestHead

_OWN_SITE = ("none", "same-origin")
"""Values of `Sec-Fetch-Site` that no other site can cause."""


class Refusal(NamedTuple):
    """An answer instead of the upgrade."""

    status: HTTPStatus
    text: str
    headers: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """The answer as it is sent; the connection closes behind it."""
        body = f"{self.text}\n".encode()
        lines = (
            f"HTTP/1.1 {self.status.value} {self.status.phrase}",
            "Content-Type: text/plain; charset=utf-8",
            f"Content-Length: {len(body)}",
            "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff",
            "Connection: close",
            *self.headers,
        )
        return "\r\n".join((*lines, "", "")).encode("ascii") + body


MALFORMED = Refusal(HTTPStatus.BAD_REQUEST, "This is not a request that is understood here.")
UNAUTHORIZED = Refusal(
    HTTPStatus.UNAUTHORIZED,
    "A valid token is needed, in the header Authorization: Bearer.",
    ("WWW-Authenticate: Bearer",),
)
CROWDED = Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "There is no room for another client now.")
TOO_LARGE = Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The header is too large.")


def refusal(head: "RequestHead | None", hosts: frozenset[str], origins: frozenset[str]) -> Refusal | None:
    """Why a request is refused, if so. `hosts` have their ports; both are in lower case."""
    if head is None:
        return MALFORMED
    host = head.only("host")
    if host is None:
        return MALFORMED
    if host.lower() not in hosts:
        return Refusal(HTTPStatus.FORBIDDEN, "The request is for another host.")
    page = _page_refusal(head, origins)
    if page is not None:
        return page
    if head.method != "GET":
        return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "Only a WebSocket is served here.", ("Allow: GET",))
    if "?" in head.target:
        return Refusal(
            HTTPStatus.BAD_REQUEST,
            "A query is refused: a token belongs in the header Authorization, which no history keeps.",
        )
    if head.target != "/":
        return Refusal(HTTPStatus.NOT_FOUND, "There is nothing here.")
    if len(head.headers.get("authorization", ())) > 1:
        return MALFORMED
    return None


def _page_refusal(head: "RequestHead", origins: frozenset[str]) -> Refusal | None:
    """Requests of web pages are refused, but for the pages that the user has named."""
    sent = head.headers.get("origin", ())
    if len(sent) == 1 and sent[0].lower() in origins:
        return None
    sites = head.headers.get("sec-fetch-site", ())
    if sent or any(site not in _OWN_SITE for site in sites):
        return Refusal(HTTPStatus.FORBIDDEN, "Web pages may not connect.")
    return None
