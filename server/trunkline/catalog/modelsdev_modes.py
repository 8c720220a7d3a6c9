"""`experimental.modes` in models.dev: ways of running a model that have their own price, such as `fast`.

Users choose one as a model of its own, `<id>-<mode>`. Its entry is made here, in the shape of any other.
"""

from collections.abc import Iterator, Mapping

from trunkline.wire.json_values import object_in, text_in
from trunkline_protocol.base import JsonObject

_LONG_PROMPTS = ("tiers", "context_over_200k")


def mode_entries(model_id: str, entry: Mapping[str, object]) -> Iterator[tuple[str, JsonObject | None]]:
    """The modes of a model: the id of each and its entry, None where the document's is malformed.

    The mode's prices are laid over the model's, and so are the headers and body members of its `provider`.
    On the wire it is called what the model is called.
    """
    for mode, given in object_in(object_in(entry.get("experimental")).get("modes")).items():
        yield f"{model_id}-{mode}", _entry(model_id, mode, entry, given) if mode and given else None


def _entry(model_id: str, mode: str, entry: Mapping[str, object], given: object) -> JsonObject | None:
    if not isinstance(given, dict):
        return None
    own = object_in(given)
    name = text_in(entry.get("name")) or model_id
    return {
        **entry,
        "experimental": None,
        "id": text_in(entry.get("id")) or model_id,
        "name": f"{name} ({mode[0].upper()}{mode[1:]})",
        "cost": _cost(object_in(entry.get("cost")), object_in(own.get("cost"))),
        "provider": _provider(object_in(entry.get("provider")), object_in(own.get("provider"))),
    }


def _cost(base: JsonObject, own: JsonObject) -> JsonObject:
    """Both, the mode's own prices first. The two ways of saying what long prompts cost replace each other."""
    if any(name in own for name in _LONG_PROMPTS):
        base = {name: value for name, value in base.items() if name not in _LONG_PROMPTS}
    return {**base, **own}


def _provider(base: JsonObject, own: JsonObject) -> JsonObject:
    headers = {**object_in(base.get("headers")), **object_in(own.get("headers"))}
    body = {**object_in(base.get("body")), **object_in(own.get("body"))}
    return {**base, **own, "headers": headers, "body": body}
