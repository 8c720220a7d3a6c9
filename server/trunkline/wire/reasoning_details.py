"""`reasoning_details` of OpenRouter and gateways like it: merged while they stream, kept for the next turn.

Providers sign or encrypt them, so they go back complete, unmodified and in order.
"""

from trunkline.wire.json_values import list_in, object_in, text_in
from trunkline_protocol.base import JsonObject
from trunkline_protocol.messages import ProviderData

_GROWING = ("text", "summary", "data")


class ReasoningDetails:
    """The entries so far, in the order of their first appearance."""

    def __init__(self) -> None:
        self.entries: list[JsonObject] = []

    def add(self, detail: JsonObject) -> str:
        """Merges one delta into its entry and returns the text that it shows, "" for encrypted data.

        An entry is known by `index` and `type`. A different non-empty `id` is a different entry: two
        encrypted blobs of one index (parallel tool calls) cannot be joined.
        """
        last = self.entries[-1] if self.entries else None
        if last is not None and _same(last, detail):
            entry = last
        else:
            entry = next((entry for entry in reversed(self.entries) if _same(entry, detail)), None)
        if entry is None:
            self.entries.append(dict(detail))
        else:
            _merge(entry, detail)
        return text_in(detail.get("text")) or text_in(detail.get("summary"))


def replayable(data: object) -> list[JsonObject] | None:
    """The entries in what `ProviderData.data` holds, or None when it holds something else."""
    entries = object_in(data).get("reasoning_details")
    details = [object_in(entry) for entry in list_in(entries)]
    return details if isinstance(entries, list) and all(details) else None


def opaque_reasoning(data: ProviderData | None) -> str | None:
    """The encrypted form of a message's reasoning in what it came with (GitHub Copilot), or None."""
    return text_in(object_in(data and data.data).get("reasoning_opaque")) or None


def _same(entry: JsonObject, detail: JsonObject) -> bool:
    known, given = entry.get("id"), detail.get("id")
    return (
        entry.get("index") == detail.get("index")
        and entry.get("type") == detail.get("type")
        and (not known or not given or known == given)
    )


def _merge(entry: JsonObject, detail: JsonObject) -> None:
    for name, value in detail.items():
        if name in _GROWING and isinstance(value, str) and isinstance(entry.get(name), str):
            entry[name] += value
        elif value is not None:
            entry[name] = value
