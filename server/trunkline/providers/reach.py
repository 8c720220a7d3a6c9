"""Asking a provider the least that tells whether it answers, and whether it takes a key."""

from typing import TYPE_CHECKING

from trunkline.providers.access import headers_for
from trunkline.wire.http import HttpAnswer, HttpClient, HttpRequest
from trunkline.wire.upstream_errors import error_from_answer

if TYPE_CHECKING:
    from trunkline.auth.credentials import Credential
    from trunkline.providers.registry import Provider

TIMEOUT_S = 20.0
"""For one question, from connecting to the last byte."""
_NO_LIST = (404, 405, 501)
"""An endpoint without a list of models answers so: it is there."""


async def reach(http: HttpClient, provider: "Provider", credential: "Credential | None") -> HttpAnswer:
    """What the provider answers to the check of `credential`: a success, or that there is no such check.

    Raises:
        TrunklineError: the provider refuses the key, has an error, or does not answer in time.
    """
    url = provider.base_url + provider.spec.key_check
    headers = headers_for(provider, credential, url, provider.spec.api_type)
    answer = await http.fetch(HttpRequest("GET", url, headers), timeout_s=TIMEOUT_S)
    if is_success(answer) or answer.status in _NO_LIST:
        return answer
    raise error_from_answer(
        answer.status, answer.headers, answer.body, provider_id=provider.provider_id, model_id=None
    )


def is_success(answer: HttpAnswer) -> bool:
    """Whether the provider did what it was asked."""
    return 200 <= answer.status < 300  # noqa: PLR2004 - HTTP's own classes
