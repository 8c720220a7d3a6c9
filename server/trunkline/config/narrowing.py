"""What somebody without the right to more may do to the settings: take providers and models away."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from trunkline.config.settings import ProviderSettings, Settings


class Narrowing(NamedTuple):
    """Providers and models that somebody without the right to more has switched off."""

    enabled: frozenset[str] | None = None
    """When given, only these providers may stay."""
    disabled: frozenset[str] = frozenset()
    whitelists: Mapping[str, frozenset[str]] = MappingProxyType[str, frozenset[str]]({})
    """Of these providers only these models may stay."""
    blacklists: Mapping[str, frozenset[str]] = MappingProxyType[str, frozenset[str]]({})
    """Of these providers these models are switched off."""


def narrowed(settings: Settings, narrowings: Iterable[Narrowing]) -> Settings:
    """What all of them leave of `settings`. Their order makes no difference."""
    enabled, disabled = settings.enabled_providers, set(settings.disabled_providers)
    sections = dict(settings.provider)
    for narrowing in narrowings:
        disabled |= narrowing.disabled
        if narrowing.enabled is not None:
            allowed = narrowing.enabled if enabled is None else narrowing.enabled.intersection(enabled)
            enabled = tuple(sorted(allowed))
        for provider_id in {*narrowing.whitelists, *narrowing.blacklists}:
            sections[provider_id] = _narrowed_models(
                sections.get(provider_id, ProviderSettings()),
                narrowing.whitelists.get(provider_id),
                narrowing.blacklists.get(provider_id, frozenset()),
            )
    update = {
        "provider": sections,
        "enabled_providers": enabled,
        "disabled_providers": tuple(sorted(disabled)),
    }
    return settings.model_copy(update=update)


def _narrowed_models(
    section: ProviderSettings, whitelist: frozenset[str] | None, blacklist: frozenset[str]
) -> ProviderSettings:
    if whitelist is None or section.whitelist is None:
        both = section.whitelist if whitelist is None else whitelist
    else:
        both = whitelist & section.whitelist
    return section.model_copy(update={"whitelist": both, "blacklist": section.blacklist | blacklist})
