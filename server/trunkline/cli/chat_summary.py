"""Tokens, cost and time of answers, in words: of one, and of all that were given."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from trunkline.cli.clean import clean
from trunkline.cli.terminal import dollars

if TYPE_CHECKING:
    from trunkline_protocol.chat import ChatStreamResult


def summary(result: "ChatStreamResult") -> str:
    """The line below an answer."""
    parts = [clean(result.model)]
    if result.usage:
        parts.append(_tokens(result.usage.input_tokens, result.usage.output_tokens))
    if result.cost:
        parts.append(_about(result.cost.amount, result.cost.currency, estimated=result.cost.estimated))
    parts.append(f"{result.timing.total_ms / 1000:.1f} s")
    return " · ".join(parts)


@dataclass
class Totals:
    """What a conversation has used so far."""

    answers: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    costs: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    """By currency."""
    _is_estimated: bool = False
    _has_unknown: bool = False

    def add(self, result: "ChatStreamResult") -> None:
        """Count one more answer."""
        self.answers += 1
        if result.usage:
            self.input_tokens += result.usage.input_tokens
            self.output_tokens += result.usage.output_tokens
        if result.cost is None:
            self._has_unknown = True
            return
        currency = result.cost.currency
        self.costs[currency] = self.costs.get(currency, Decimal(0)) + result.cost.amount
        self._is_estimated |= result.cost.estimated

    def __str__(self) -> str:
        """One line for people. A sum without the answers whose cost nobody knows says so."""
        parts = ["1 answer" if self.answers == 1 else f"{self.answers} answers"]
        parts.append(_tokens(self.input_tokens, self.output_tokens))
        parts += [
            _about(amount, currency, estimated=self._is_estimated) for currency, amount in self.costs.items()
        ]
        if self._has_unknown:
            parts.append("and a cost that is not known" if self.costs else "cost not known")
        return " · ".join(parts)


def _tokens(input_tokens: int, output_tokens: int) -> str:
    return f"{input_tokens} tokens in, {output_tokens} out"


def _about(amount: Decimal, currency: str, *, estimated: bool) -> str:
    return ("about " if estimated else "") + dollars(amount, currency)
