"""One document of settings: what in it can be used, what cannot and why, and laying one over another.

A wrong value of one provider drops that provider's section and nothing else. A document that is wrong outside
the provider sections is dropped whole.
"""

from pathlib import Path
from typing import Any, NamedTuple, cast

from pydantic import ValidationError

from trunkline.config.base import SettingsModel
from trunkline.config.problems import explain
from trunkline.config.settings import ProviderSettings, Settings
from trunkline.config.substitution import Substitution
from trunkline_protocol.base import JsonObject


class Fault(NamedTuple):
    """Why a document, or the section of one provider in it, is dropped."""

    provider_id: str | None
    """None when it is the whole document."""
    reason: str


class Checked(NamedTuple):
    """What is left of a document, and why the rest is not."""

    document: JsonObject
    """With everything put in; only keys that settings know."""
    faults: tuple[Fault, ...]


def check(document: JsonObject, directory: Path, substitution: Substitution) -> Checked:
    """`document`, which lies in `directory`, as far as it can be used."""
    known = _known(document, Settings)
    sections = known.pop("provider", None)
    if sections is not None and not isinstance(sections, dict):
        known["provider"] = sections  # the model says what is wrong with it
        sections = None
    reasons: list[str] = []
    top = substitution.apply(known, (), directory, reasons)
    reasons = reasons or _faults(top)
    if reasons:
        return Checked({}, (Fault(None, "; ".join(reasons)),))
    faults: list[Fault] = []
    kept: JsonObject = {}
    for provider_id, section in cast("JsonObject", sections or {}).items():
        reasons = []
        kept[provider_id] = _section(provider_id, section, directory, substitution, reasons)
        if reasons:
            faults.append(Fault(provider_id, "; ".join(reasons)))
            del kept[provider_id]
    return Checked({**top, "provider": kept}, tuple(faults))


def _section(
    provider_id: str, section: Any, directory: Path, substitution: Substitution, reasons: list[str]
) -> Any:
    """A provider's section with everything put in; why it cannot be used is added to `reasons`."""
    known = _known(cast("JsonObject", section), ProviderSettings) if isinstance(section, dict) else section
    filled = substitution.apply(known, ("provider", provider_id), directory, reasons)
    if not reasons:
        reasons += _faults({"provider": {provider_id: filled}})
    return filled


def merge(lower: JsonObject, upper: JsonObject) -> JsonObject:
    """`upper` over `lower`, key by key at every depth; lists are replaced, not joined, and null stays."""
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = merge(cast("JsonObject", below), cast("JsonObject", value))
        else:
            merged[key] = value
    return merged


def nested(key: tuple[str, ...], value: Any) -> JsonObject:
    """A document that says `value` at `key` and nothing else."""
    for step in reversed(key):
        value = {step: value}
    return value


def settings_of(document: JsonObject) -> Settings:
    """The settings that a checked document makes."""
    return Settings.model_validate(document, by_alias=True, by_name=False)


def keys_of(model: type[SettingsModel]) -> frozenset[str]:
    """The keys of a model's fields as they stand in a file."""
    return frozenset(field.alias or name for name, field in model.model_fields.items())


def _known(document: JsonObject, model: type[SettingsModel]) -> JsonObject:
    """Without the keys of other programs: what they put between braces is none of our business."""
    keys = keys_of(model)
    return {key: value for key, value in document.items() if key in keys}


def _faults(document: JsonObject) -> list[str]:
    try:
        settings_of(document)
    except ValidationError as error:
        return [explain(error)]
    return []
