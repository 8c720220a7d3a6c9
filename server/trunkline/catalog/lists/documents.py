"""How readers of lists get their documents: with the provider's headers, from its server, within a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trunkline import __version__
from trunkline.catalog.access import Access
from trunkline.catalog.lists.pages import same_origin
from trunkline.catalog.offline import list_not_fetched
from trunkline.errors import TrunklineError
from trunkline.wire.http import HttpAnswer, HttpClient, HttpRequest, merge_headers
from trunkline.wire.json_values import compact_json
from trunkline.wire.upstream_errors import error_from_answer
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import RETRYABLE, ErrorCode

_ABOUT_THE_KEY = frozenset(
    {
        ErrorCode.AUTH_MISSING,
        ErrorCode.AUTH_REJECTED,
        ErrorCode.AUTH_EXPIRED,
        ErrorCode.AUTH_FORBIDDEN,
        ErrorCode.QUOTA_EXHAUSTED,
    }
)
_WANTS_A_KEY = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Documents:
    """A `Fetch` for one reading of one list."""

    http: HttpClient
    provider_id: str
    base_url: str
    has_key: bool
    access: Access
    offline: Callable[[], bool]
    timeout_s: float
    """For one document, from connecting to the last byte."""

    async def __call__(
        self,
        url: str,
        *,
        body: JsonObject | None = None,
        headers: Mapping[str, str] | None = None,
        anonymous: bool = False,
    ) -> bytes:
        """See `catalog.listed.Fetch`. The provider's headers come before the reader's `headers`."""
        if self.offline():
            raise list_not_fetched(self.provider_id)
        if not same_origin(url, self.base_url):
            raise TrunklineError(
                ErrorCode.PROVIDER_MISCONFIGURED,
                f"A part of the model list of {self.provider_id} is not on the server of its base URL.",
                hint="Check the provider's base URL (`baseURL` in the configuration).",
            )
        request = HttpRequest(
            method="GET" if body is None else "POST",
            url=url,
            headers=merge_headers(
                {"accept": "application/json", "user-agent": f"trunkline/{__version__}"},
                {} if body is None else {"content-type": "application/json"},
                headers or {},
                self.access.headers(url, anonymous=anonymous),
            ),
            body=None if body is None else compact_json(body).encode(),
        )
        answer = await self.http.fetch(request, timeout_s=self.timeout_s)
        if answer.status not in range(200, 300):
            raise _refused(self.provider_id, answer, sent_key=self.has_key and not anonymous)
        return answer.body


def status_of(error: TrunklineError) -> int | None:
    """The HTTP status that `error` stands for."""
    return error.fields.get("http_status")


def _refused(provider_id: str, answer: HttpAnswer, *, sent_key: bool) -> TrunklineError:
    """Why there is no list. Of what is said about chat only that remains which is true of a list too."""
    reported = error_from_answer(
        answer.status, answer.headers, answer.body, provider_id=provider_id, model_id=None
    )
    if sent_key and reported.code in _ABOUT_THE_KEY:
        return reported
    fields = reported.fields
    fields["hint"] = "Check the provider's base URL; if it is right, try again later."
    if not sent_key and answer.status in _WANTS_A_KEY:
        fields["hint"] = f"It may want a key: run `trunkline auth login {provider_id}`."
    return TrunklineError(
        reported.code if reported.code in RETRYABLE else ErrorCode.UPSTREAM_ERROR,
        f"{provider_id} did not send its model list: it answered with status {answer.status}.",
        **fields,
    )
