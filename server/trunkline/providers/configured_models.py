"""A provider's models as the user wants them: added, corrected, renamed and left out by the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trunkline.catalog.modelsdev_models import read_model
from trunkline.catalog.route import Route
from trunkline.config.settings import ProviderSettings
from trunkline_protocol.models import ModelInfo

if TYPE_CHECKING:
    from trunkline.config.model_settings import ModelSettings

_PLAIN = ("name", "family", "release_date")
_ABILITIES = {
    "tool_call": ("tools",),
    "reasoning": ("reasoning",),
    "temperature": ("temperature",),
    "structured_output": ("structured_output",),
    "reasoning_options": (
        "reasoning_efforts",
        "default_reasoning_effort",
        "reasoning_budget",
        "reasoning_optional",
    ),
}
_LIMITS = {"context": "context_window", "input": "max_input", "output": "max_output"}
_REASONING_FIELD = "reasoning_content"
"""What an endpoint most likely calls it, where the configuration only says that there is one."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The models that are left, and why others are not; keys are references."""

    infos: Mapping[str, ModelInfo]
    routes: Mapping[str, Route]
    removed: Mapping[str, str]


def apply_settings(
    provider_id: str, own: ProviderSettings, infos: Mapping[str, ModelInfo], routes: Mapping[str, Route]
) -> Applied:
    """`infos` and `routes` with what the provider's section says of its models."""
    if not own.models and own.whitelist is None and not own.blacklist:
        return Applied(infos, routes, {})
    section = f"provider.{provider_id}"
    changed, ways, removed = dict(infos), dict(routes), dict[str, str]()
    for model_id, settings in own.models.items():
        reference = f"{provider_id}/{model_id}"
        if settings is None:
            removed[reference] = f"It is left out by `{section}.models`, where it is null."
            continue
        same = f"{provider_id}/{settings.id}" if settings.id else reference
        base = infos.get(reference) or infos.get(same)
        changed[reference] = _info(provider_id, model_id, settings, base)
        ways[reference] = _route(settings, routes.get(reference) or routes.get(same) or Route())
    for reference in changed:
        model_id = reference.partition("/")[2]
        if model_id in own.blacklist:
            removed[reference] = f"It is left out by `{section}.blacklist`."
        elif own.whitelist is not None and model_id not in own.whitelist:
            removed[reference] = f"It is not in `{section}.whitelist`."
    left = {reference: info for reference, info in changed.items() if reference not in removed}
    return Applied(left, ways, removed)


def _info(provider_id: str, model_id: str, own: "ModelSettings", base: ModelInfo | None) -> ModelInfo:
    # The section has the shape of an entry of models.dev, and is read by the same rules.
    entry: dict[str, Any] = own.model_dump(mode="json", exclude_none=True, exclude={"headers", "options"})
    if base is None:
        stated = read_model(provider_id, model_id, {"tool_call": True, **entry})
        return stated.model_copy(update={"source": "config"})
    # Reasoning controls count only of a model that reasons.
    stated = read_model(provider_id, model_id, {"reasoning": base.capabilities.reasoning, **entry})
    update: dict[str, Any] = {name: getattr(stated, name) for name in _PLAIN if name in entry}
    update |= {"model": stated.model}
    limits: dict[str, Any] = entry.get("limit", {})
    update |= {field: getattr(stated, field) for name, field in _LIMITS.items() if limits.get(name)}
    sides: dict[str, Any] = entry.get("modalities", {})
    update |= {
        f"{side}_modalities": getattr(stated, f"{side}_modalities")
        for side in ("input", "output")
        if side in sides
    }
    if "cost" in entry:
        update["pricing"] = stated.pricing
    if "status" in entry or "output" in sides:
        update |= {"status": stated.status if "status" in entry else base.status}
        update["hidden"] = stated.hidden
    update["capabilities"] = base.capabilities.model_copy(update=_abilities(entry, stated))
    return base.model_copy(update=update)


def _abilities(entry: dict[str, Any], stated: ModelInfo) -> dict[str, Any]:
    update: dict[str, Any] = {
        field: getattr(stated.capabilities, field)
        for name, fields in _ABILITIES.items()
        if name in entry
        for field in fields
    }
    if "attachment" in entry:
        update["attachments"] = entry["attachment"]
    elif "input" in entry.get("modalities", {}):
        update["attachments"] = stated.capabilities.attachments
    return update


def _route(own: "ModelSettings", base: Route) -> Route:
    wire = own.provider
    return replace(
        base,
        npm=wire.npm if wire and wire.npm else base.npm,
        api=wire.api if wire and wire.api else base.api,
        model_id=own.id or base.model_id,
        body={**base.body, **own.options},
        reasoning_field=_reasoning_field(own, base),
    )


def _reasoning_field(own: "ModelSettings", base: Route) -> str | None:
    stated = own.interleaved
    if stated is None:
        return base.reasoning_field
    if isinstance(stated, bool):
        return (base.reasoning_field or _REASONING_FIELD) if stated else None
    return stated.field
