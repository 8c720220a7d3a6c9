"""What Gemini wants back unread on the next turn, and what stands in for it where there is none.

A thought signature goes back on the very part that it came on, and only to the same model of the same
provider. Parts that the provider made for itself (code it ran, searches) go back whole.
"""

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall
from trunkline.wire.conversation import is_own
from trunkline.wire.json_values import object_in, text_in
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.messages import ProviderData

UNSIGNED_CALL = "skip_thought_signature_validator"
"""Google's documented signature for a function call that the model did not make itself: Gemini 3 refuses a
turn whose first call has none (ai.google.dev/gemini-api/docs/thought-signatures, "FAQs"). Of the two words
that are documented, this is the one that Vertex AI knows as well."""

_SIGNATURE = "thoughtSignature"


def signed(call: ChatCall, signature: str) -> ProviderData:
    """The data of a part that came with `signature`, or with none."""
    return _data(call, {_SIGNATURE: signature} if signature else {})


def whole_part(call: ChatCall, part: JsonObject) -> ProviderData:
    """The data of a part that is nothing to anybody but the provider."""
    return _data(call, part)


def replayed(call: ChatCall, data: ProviderData | None) -> JsonObject | None:
    """What a part's data adds to it; None where the part came from another model or has no data.

    Raises `UNSUPPORTED_INPUT` for data that is not what this server gave out.
    """
    if data is None or not is_own(data, call):
        return None
    own = object_in(data.data)
    if not own and data.data != {}:
        raise TrunklineError(
            ErrorCode.UNSUPPORTED_INPUT,
            "The provider data of a part is not what this server gave out.",
            hint="Send assistant messages back unchanged, or leave `providerData` out.",
        )
    return own


def signature_of(call: ChatCall, data: ProviderData | None) -> JsonObject:
    """The member with a part's signature; empty where it has none for this model."""
    signature = text_in((replayed(call, data) or {}).get(_SIGNATURE))
    return {_SIGNATURE: signature} if signature else {}


def _data(call: ChatCall, data: JsonObject) -> ProviderData:
    return ProviderData(provider_id=call.provider_id, model=call.model, data=data)
