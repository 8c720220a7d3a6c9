"""Real usage objects, read and priced here and by an independent calculator. Every difference has a rule."""

import json
import re
from collections import Counter
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from trunkline.catalog.modelsdev import ModelsDev
from trunkline.chat.cost import cost_of
from trunkline.wire import anthropic_usage, gemini_usage, openai_chat_usage, openai_responses_usage
from trunkline_protocol.chat import Usage
from trunkline_protocol.models import Pricing

COSTS = Path(__file__).parents[3].parent / "shared" / "corpus" / "costs"
needs_corpus = pytest.mark.skipif(not COSTS.is_dir(), reason="the corpus ../shared/corpus is not here")

Table = dict[str, dict[str, Any]]

TEXT_PRICES = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
}


def matches(rule: dict[str, Any], model: str) -> bool:
    """Whether the table's `rule` fits a model id."""
    ((kind, value),) = rule.items()
    if kind in ("or", "and"):
        found = [matches(each, model) for each in value]
        return any(found) if kind == "or" else all(found)
    pattern = {
        "equals": rf"\A{re.escape(value)}\Z",
        "contains": re.escape(value),
        "starts_with": rf"\A{re.escape(value)}",
        "ends_with": rf"{re.escape(value)}\Z",
        "regex": value,
    }[kind]
    return re.search(pattern, model) is not None


def price_rows(table: Table, provider: str, model: str) -> list[dict[str, Any]]:
    """The table's rows for a model of a provider, newest last; empty when it has none."""
    for entry in table[provider]["models"]:
        if matches(entry["match"], model):
            prices: Any = entry["prices"]
            return [{"prices": prices}] if isinstance(prices, dict) else prices
    for other in table[provider].get("fallback_model_providers", ()):
        rows = price_rows(table, other, model)
        if rows:
            return rows
    return []


def pricing_of(row: dict[str, Any]) -> Pricing:
    base: dict[str, Decimal] = {}
    tiers: dict[int, dict[str, Decimal]] = {}
    for name, field in TEXT_PRICES.items():
        price: Any = row.get(name)
        if hasattr(price, "keys"):
            for tier in price["tiers"]:
                tiers.setdefault(tier["start"], {})[field] = Decimal(str(tier["price"]))
            price = price["base"]
        if price is not None:
            base[field] = Decimal(str(price))
    request = Decimal(row["requests_kcount"]) / 1000 if "requests_kcount" in row else None
    return Pricing.model_validate(
        {
            **base,
            "request": request,
            "tiers": [{"above_input_tokens": start, **tiers[start]} for start in sorted(tiers)],
        }
    )


@cache
def price_table() -> Table:
    return {row["id"]: row for row in json.loads((COSTS / "genai-prices-data.json").read_bytes())}


@cache
def cases() -> list[dict[str, Any]]:
    return json.loads((COSTS / "genai-prices-usages.json").read_bytes())


def read(body: dict[str, Any]) -> tuple[str, Usage | None]:
    """The wire format that a body is of, with what its decoder makes of the usage in it."""
    if "usageMetadata" in body:
        return "gemini", gemini_usage.read_usage(body["usageMetadata"])
    usage = body["usage"]
    if "prompt_tokens" in usage:
        return "chat", openai_chat_usage.read_usage(usage)
    if "input_tokens_details" in usage:
        return "responses", openai_responses_usage.read_usage(usage)
    if "input_tokens" in usage:
        return "anthropic", anthropic_usage.read_usage(usage)
    return "none of ours", None


FLAVOURS = {
    "gemini": {("google", "default")},
    "anthropic": {
        ("anthropic", "default"),
        ("aws", "anthropic"),
        ("azure", "anthropic"),
        ("google", "anthropic"),
    },
    "chat": {("mistral", "default"), ("groq", "default")},
    "responses": set[tuple[str, str]](),
}
"""How the calculator names the formats, besides by their own names."""


def is_of(wire: str, priced: dict[str, Any]) -> bool:
    flavour = priced["api_flavor"]
    return flavour == wire or (priced["provider_id"], flavour) in FLAVOURS.get(wire, ())


def counts_of(usage: Usage) -> tuple[int, ...]:
    return (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens)


def extracted_counts(counts: dict[str, int]) -> tuple[int, ...]:
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
    return tuple(counts.get(name, 0) for name in names)


def total(priced: dict[str, Any]) -> Decimal:
    parts = Decimal(priced["input_price"]) + Decimal(priced["output_price"])
    return Decimal(priced.get("total_price", parts))


@needs_corpus
def test_usage_is_read_as_the_calculator_reads_it() -> None:
    """The same counts, except where the calculator leaves out a member that the provider documents."""
    equal, left_out = 0, Counter[str]()
    for case in cases():
        wire, usage = read(case["body"])
        if usage is None:
            left_out["a format that is not spoken: Bedrock's Converse, Cohere's own"] += 1
            continue
        theirs = {
            extracted_counts(each["usage"])
            for each in case["extracted"]
            if any(is_of(wire, priced) for priced in each["extractors"])
        }
        if "num_cached_tokens" in case["body"].get("usage", ()) and counts_of(usage) not in theirs:
            usage = usage.model_copy(update={"cache_read_tokens": 0})
            left_out["Mistral's `num_cached_tokens` is not read there"] += 1
        assert counts_of(usage) in theirs, case
        equal += 1
    assert equal > 0.8 * len(cases())
    assert equal > 4 * left_out.total(), left_out


def why_not_compared(counts: dict[str, int], rows: list[dict[str, Any]]) -> str | None:
    """Why a case is outside of what list prices of tokens can say; None when it is inside."""
    if not rows:
        return "the model cannot be found in the table"
    prices = rows[-1]["prices"]
    if not prices:
        return "the table has the model without a price: unknown here, 0 there"
    if counts.get("web_searches"):
        return "a web search costs extra"
    if counts.get("input_audio_tokens") and "input_audio_mtok" in prices:
        return "usage here does not tell audio tokens from others"
    return None


def usage_of(counts: dict[str, int]) -> Usage:
    """What the calculator counted, as our usage."""
    input_tokens, output_tokens, read_tokens, written = extracted_counts(counts)
    return Usage(
        input_tokens=input_tokens,
        cache_read_tokens=read_tokens,
        cache_write_tokens=written,
        output_tokens=output_tokens,
        reasoning_tokens=counts.get("output_reasoning_tokens", 0),
    )


@needs_corpus
def test_the_formula_gives_what_the_calculator_gives_at_its_prices() -> None:
    """Every priced usage object of the corpus, also as providers price it that did not answer it."""
    left_out: Counter[str] = Counter()
    compared = 0
    for case in cases():
        model = case.get("model", "").lower()
        for extracted in case["extracted"]:
            for priced in extracted["extractors"]:
                if "input_price" not in priced:
                    continue
                rows = price_rows(price_table(), priced["provider_id"], model)
                reason = why_not_compared(extracted["usage"], rows)
                if reason:
                    left_out[reason] += 1
                    continue
                # Rows may hold since a day or at a time of the day, and the calculator's moment is unknown.
                amounts = [
                    cost.amount
                    for row in rows
                    if (cost := cost_of(usage_of(extracted["usage"]), pricing_of(row["prices"]), None))
                ]
                assert total(priced) in amounts, (priced, model, extracted)
                compared += 1
    assert compared > 1000
    assert compared > 40 * left_out.total(), left_out


CATALOGUED = {"aws": "amazon-bedrock"}
"""Names of providers that differ."""
DATED = re.compile(r"-\d{4}-?\d{2}-?\d{2}\Z")


@cache
def catalogue_prices(provider: str) -> dict[str, Pricing]:
    """List prices of a provider of the packaged catalogue, by model."""
    known = ModelsDev()
    if provider not in known.providers():
        return {}
    return {info.model.partition("/")[2].lower(): info.pricing for info in known.models(provider)}


def our_pricing(provider: str, model: str) -> Pricing | None:
    """An answer names the dated version of the model that was asked; the list may have either."""
    prices = catalogue_prices(CATALOGUED.get(provider, provider))
    return prices.get(model) or prices.get(DATED.sub("", model))


def same_lists(ours: Pricing, rows: list[dict[str, Any]]) -> bool:
    """Whether the two price lists agree on a model."""
    names = ("input", "output", "cache_read", "cache_write")

    def known(pricing: Pricing) -> tuple[Decimal | None, ...]:
        return tuple(getattr(pricing, name) for name in names)

    return any(known(pricing_of(row["prices"]))[:3] == known(ours)[:3] for row in rows)


@needs_corpus
def test_the_whole_way_from_a_body_to_money_at_our_own_list_prices() -> None:
    """Read by our decoder and priced by our catalogue: equal wherever both lists have the same prices."""
    left_out: Counter[str] = Counter()
    equal = 0
    for case in cases():
        wire, usage = read(case["body"])
        model = case.get("model", "").lower()
        for extracted in case["extracted"]:
            for priced in extracted["extractors"]:
                if usage is None or "input_price" not in priced or not is_of(wire, priced):
                    continue
                pricing = our_pricing(priced["provider_id"], model)
                if pricing is None:
                    left_out["the model or the provider is not in our catalogue under this name"] += 1
                    continue
                rows = price_rows(price_table(), priced["provider_id"], model)
                reason = why_not_compared(extracted["usage"], rows)
                cost = cost_of(usage, pricing, None)
                assert cost is not None
                if cost.amount == total(priced):
                    equal += 1
                elif reason:
                    left_out[reason] += 1
                else:
                    assert not same_lists(pricing, rows), (case, priced, cost)
                    left_out["the two lists have different prices for the model"] += 1
    # The packaged catalogue grows and its prices change; the formula must not.
    assert equal > 300, left_out
