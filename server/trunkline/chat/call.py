"""A model that was found, as the wire format's call and as a request with the key on it."""

from typing import TYPE_CHECKING

from trunkline.providers.access import headers_for
from trunkline.wire.adapter import ChatCall
from trunkline.wire.http import merge_headers

if TYPE_CHECKING:
    from trunkline.auth.credentials import Credential
    from trunkline.providers.directory import FoundModel
    from trunkline.wire.http import HttpRequest
    from trunkline_protocol.chat import ChatStreamParams


def chat_call(found: "FoundModel", params: "ChatStreamParams") -> ChatCall:
    """What the adapter of `found.api_type` gets."""
    return ChatCall(
        provider_id=found.provider.provider_id,
        model=params.model,
        model_id=found.model_id,
        base_url=found.base_url,
        params=params,
        info=found.info,
        reasoning_field=found.reasoning_field,
        extra_body=found.body,
    )


def authorized(request: "HttpRequest", found: "FoundModel", credential: "Credential | None") -> "HttpRequest":
    """`request` with the headers of provider and model, and the key.

    Raises:
        TrunklineError: PROVIDER_MISCONFIGURED, when the key is bound to another origin.
    """
    own = {name: value.reveal() for name, value in found.own_headers.items()}
    headers = headers_for(found.provider, credential, request.url, found.api_type)
    return request.with_headers(merge_headers(headers, found.headers, own))
