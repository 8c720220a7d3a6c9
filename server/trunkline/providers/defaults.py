"""Which models are used where nobody names one: a default, and a small one for titles and summaries."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from trunkline.auth.resolver import CredentialResolver
from trunkline.errors import TrunklineError
from trunkline.providers.choices import Choices
from trunkline.providers.model_lists import ModelLists
from trunkline.providers.registry import Provider, ProviderRegistry
from trunkline_protocol.models import ModelInfo

_DEAREST_INPUT = Decimal(5)
_DEAREST_OUTPUT = Decimal(25)
"""USD per million tokens: nobody's default should be the most expensive model there is."""
_SMALLEST_WINDOW = 16_000
"""Tokens; a conversation that is to be summed up must fit."""
_UNDATED = ""


@dataclass(frozen=True, slots=True)
class Defaults:
    """References; None where there is no model to use."""

    model: str | None
    small_model: str | None


def defaults(
    choices: Choices, registry: ProviderRegistry, resolver: CredentialResolver, lists: ModelLists
) -> Defaults:
    """The chosen models, which are never replaced by others; else the rules below.

    Default: of the first provider that can be used (in the order of `provider/list`, those with a key before
    those that need none), the newest model that calls tools, with known prices of at most 5 and 25 USD per
    million tokens, and free where there is no key; of several, the dearest. Small: of the default model's
    provider, the cheapest.
    """
    settings = registry.settings
    chosen = choices.over(Choices(settings.model, settings.small_model))
    model = chosen.model
    providers = _usable(registry, resolver, lists)
    if model is None:
        picked = (
            _default(_candidates(lists, provider), free_only=not has_key) for provider, has_key in providers
        )
        model = next((name for name in picked if name), None)
    small = chosen.small_model
    if small is None and model is not None:
        home = model.partition("/")[0]
        small = next(
            (_small(_candidates(lists, one)) for one in registry.all() if one.provider_id == home), None
        )
    return Defaults(model, small)


def _usable(
    registry: ProviderRegistry, resolver: CredentialResolver, lists: ModelLists
) -> Iterator[tuple[Provider, bool]]:
    """Providers, and whether there is a key for them; those with one first."""
    keyless: list[Provider] = []
    for provider in registry.all():
        if not provider.usable:
            continue
        try:
            credential = resolver.resolve(provider.key_owner)
        except TrunklineError:
            continue
        if credential is not None:
            yield provider, True
        elif not provider.spec.needs_key and lists.known(provider).fetched_at is not None:
            keyless.append(provider)
    yield from ((provider, False) for provider in keyless)


def _candidates(lists: ModelLists, provider: Provider) -> list[ModelInfo]:
    return [
        info
        for info in lists.known(provider).models.by_reference.values()
        if not info.hidden and "text" in info.input_modalities and "text" in info.output_modalities
    ]


def _default(models: list[ModelInfo], *, free_only: bool) -> str | None:
    highest_input, highest_output = (
        (Decimal(0), Decimal(0)) if free_only else (_DEAREST_INPUT, _DEAREST_OUTPUT)
    )
    fitting = [
        info
        for info in models
        if info.status == "active"
        and info.capabilities.tools
        and info.pricing.input is not None
        and info.pricing.output is not None
        and info.pricing.input <= highest_input
        and info.pricing.output <= highest_output
    ]
    best = max(fitting, key=_newest_then_dearest, default=None)
    return best.model if best else next((info.model for info in models if not free_only), None)


def _small(models: Iterable[ModelInfo]) -> str | None:
    fitting = [
        info
        for info in models
        if info.pricing.input is not None
        and info.pricing.output is not None
        and info.context_window >= _SMALLEST_WINDOW
    ]
    best = min(fitting, key=_cheapest_then_newest, default=None)
    return best.model if best else None


def _newest_then_dearest(info: ModelInfo) -> tuple[str, Decimal, str]:
    return info.release_date or _UNDATED, _price(info), info.model


def _cheapest_then_newest(info: ModelInfo) -> tuple[Decimal, int, str]:
    newest_first = -int((info.release_date or "0").replace("-", "").ljust(8, "0"))
    return _price(info), newest_first, info.model


def _price(info: ModelInfo) -> Decimal:
    return (info.pricing.input or Decimal(0)) + (info.pricing.output or Decimal(0))
