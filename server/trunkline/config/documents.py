"""One document of settings: what in it can be used, what cannot and why, and laying one over another.

A wrong value of one provider or one MCP server drops that section and nothing else. A document that is wrong
outside these sections is dropped whole.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from pydantic import ValidationError

from trunkline.config.base import SettingsModel
from trunkline.config.problems import explain
from trunkline.config.settings import ProviderSettings, Settings
from trunkline.config.substitution import Substitution
from trunkline.config.tool_settings import McpServerSettings
from trunkline_protocol.base import JsonObject


class Fault(NamedTuple):
    """Why a document, or the section of one provider or one MCP server in it, is dropped."""

    provider_id: str | None
    """None when it is something else."""
    reason: str
    mcp_server: str | None = None
    """Its name; when neither is given, it is the whole document."""


class Checked(NamedTuple):
    """What is left of a document, and why the rest is not."""

    document: JsonObject
    """With everything put in; only keys that settings know."""
    faults: tuple[Fault, ...]


def check(document: JsonObject, directory: Path, substitution: Substitution) -> Checked:
    """`document`, which lies in `directory`, as far as it can be used."""
    known = _known(document, Settings)
    # What is no object stays: the model says what is wrong with it.
    sections: JsonObject = {kind: known.pop(kind) for kind in _SECTIONS if isinstance(known.get(kind), dict)}
    reasons: list[str] = []
    top = substitution.apply(known, (), directory, reasons)
    reasons = reasons or _faults(top)
    if reasons:
        return Checked({}, (Fault(None, "; ".join(reasons)),))
    faults: list[Fault] = []
    kept: JsonObject = {kind: {} for kind in sections}
    for kind, name, section in _each(sections):
        reasons = []
        filled = _section((kind, name), section, directory, substitution, reasons)
        if not reasons:
            kept[kind][name] = filled
        elif kind == "mcp":
            faults.append(Fault(None, "; ".join(reasons), name))
        else:
            faults.append(Fault(name, "; ".join(reasons)))
    return Checked({**top, **kept}, tuple(faults))


_SECTIONS: Mapping[str, type[SettingsModel]] = MappingProxyType(
    {"provider": ProviderSettings, "mcp": McpServerSettings}
)
"""Settings that have a section for each of several things, by name."""


def _each(sections: JsonObject) -> Iterator[tuple[str, str, Any]]:
    for kind, named in sections.items():
        for name, section in named.items():
            yield kind, name, section


def _section(
    key: tuple[str, str], section: Any, directory: Path, substitution: Substitution, reasons: list[str]
) -> Any:
    """A section with everything put in; why it cannot be used is added to `reasons`."""
    known = _known(cast("JsonObject", section), _SECTIONS[key[0]]) if isinstance(section, dict) else section
    filled = substitution.apply(known, key, directory, reasons)
    if not reasons:
        reasons += _faults(nested(key, filled))
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
