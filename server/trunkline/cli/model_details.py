"""Everything that is known of a model, as lines for people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trunkline.cli.clean import clean
from trunkline.cli.terminal import dollars

if TYPE_CHECKING:
    from decimal import Decimal

    from trunkline_protocol.models import ModelInfo, Prices

_PRICES = (
    ("input", "input"),
    ("output", "output"),
    ("cache_read", "cached input"),
    ("cache_write", "cache write"),
    ("cache_write_1h", "cache write for an hour"),
    ("reasoning", "reasoning"),
    ("input_audio", "audio input"),
    ("output_audio", "audio output"),
)


def details(model: "ModelInfo") -> str:
    """The reference, and below it one indented line for each thing that is known."""
    lines = [f"  {label and label + ':':<14}{clean(text)}" for label, text in _facts(model) if text]
    return "\n".join([clean(model.model), *lines])


def _facts(model: "ModelInfo") -> Iterator[tuple[str, str]]:
    able = model.capabilities
    yield "name", model.name
    yield "context", f"{model.context_window:,} tokens"
    yield "most input", _tokens(model.max_input)
    yield "most output", _tokens(model.max_output)
    yield "takes", ", ".join(model.input_modalities)
    yield "gives", ", ".join(model.output_modalities)
    can = {
        "tools": able.tools,
        "parallel tools": able.parallel_tools,
        "reasoning": able.reasoning,
        "structured output": able.structured_output,
        "temperature": able.temperature,
        "caching": able.caching,
    }
    yield "can", ", ".join(name for name, is_so in can.items() if is_so)
    yield "efforts", ", ".join(able.reasoning_efforts or ())
    yield "prices", f"{_prices(model.pricing, model.pricing.currency)} (for a million tokens)"
    for tier in model.pricing.tiers or ():
        above = f"above {tier.above_input_tokens:,} tokens" if tier.above_input_tokens is not None else ""
        between = f"{tier.utc_start or '0000'} to {tier.utc_end or '2400'} UTC" if tier.utc_start else ""
        condition = " and ".join(filter(None, (above, between)))
        yield "", f"{condition}: {_prices(tier, model.pricing.currency)}"
    yield "status", model.status
    yield "released", model.release_date or ""
    yield "same as", model.alias_of or ""
    yield (
        "known from",
        {"live": "the provider's list", "offline": "the catalogue"}.get(model.source, model.source),
    )


def _tokens(number: int | None) -> str:
    return "" if number is None else f"{number:,} tokens"


def _prices(prices: "Prices", currency: str) -> str:
    known: list[tuple[str, Decimal]] = [
        (label, price) for name, label in _PRICES if (price := getattr(prices, name)) is not None
    ]
    return ", ".join(f"{label} {dollars(price, currency)}" for label, price in known) or "unknown"
