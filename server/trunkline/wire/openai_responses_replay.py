"""Output items of the Responses API that go back unread: how an answer keeps them, and who gets them again.

`ProviderData.data` is `{"item": {...}}`: the item as it came, less what the part says itself.
"""

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall
from trunkline.wire.conversation import is_own
from trunkline.wire.json_values import object_in, text_in
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.messages import ProviderData

_ITEM = "item"


def kept_item(call: ChatCall, item: JsonObject) -> ProviderData:
    """`item` for the next turn with the model of `call`."""
    return ProviderData(provider_id=call.provider_id, model=call.model, data={_ITEM: item})


def replayed_item(
    call: ChatCall, data: ProviderData | None, kinds: frozenset[str] | None = None
) -> JsonObject | None:
    """The item that `data` holds, or None where there is none for this model.

    Data of another model, or of the same one on another wire, means nothing here. Raises `UNSUPPORTED_INPUT`
    for an item that no part of this sort has; `kinds`: the types it may have, any if absent.
    """
    if data is None or not is_own(data, call):
        return None
    members = object_in(data.data)
    if members and _ITEM not in members:
        return None
    item = object_in(members.get(_ITEM))
    kind = text_in(item.get("type"))
    if not kind or (kinds is not None and kind not in kinds):
        raise TrunklineError(
            ErrorCode.UNSUPPORTED_INPUT,
            "The provider data of a part is not what this server gave out.",
            hint="Send answers back unchanged, or leave their `providerData` out.",
        )
    return item
