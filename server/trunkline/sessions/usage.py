"""What several requests have taken together: tokens and cost."""

from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import Cost, Usage


class Spent:
    """A sum that grows. Tokens that nobody reported are not in it, nor is a cost that nobody knows."""

    def __init__(self, usage: Usage | None = None, cost: Cost | None = None) -> None:
        """Begins with an earlier sum."""
        self.usage = usage
        self.cost = cost
        self._is_partial = usage is not None and cost is None
        """Whether something was spent whose cost is unknown."""

    def add(self, usage: Usage | None, cost: Cost | None) -> None:
        """Add what one request, or several of them, have taken.

        A cost that is unknown, or in another currency than the first one, makes the sum an estimate: it is
        the least that was spent. Amounts are never converted.
        """
        if usage is not None:
            self.usage = usage if self.usage is None else _sum_of_tokens(self.usage, usage)
        if usage is not None and cost is None:
            self._is_partial = True
        if cost is not None and self.cost is not None and cost.currency != self.cost.currency:
            self._is_partial = True
        elif cost is not None:
            self.cost = cost if self.cost is None else _sum_of_costs(self.cost, cost)
        if self.cost is not None and self._is_partial:
            self.cost = self.cost.model_copy(update={"estimated": True})

    def to_wire(self) -> JsonObject:
        """Its members `usage` and `cost`, as far as they are known."""
        parts = {"usage": self.usage, "cost": self.cost}
        return {name: part.to_wire() for name, part in parts.items() if part is not None}


def _sum_of_tokens(first: Usage, second: Usage) -> Usage:
    return Usage.model_construct(
        **{name: getattr(first, name) + getattr(second, name) for name in Usage.model_fields}
    )


def _sum_of_costs(first: Cost, second: Cost) -> Cost:
    return Cost(
        amount=first.amount + second.amount,
        currency=first.currency,
        source="provider" if first.source == second.source == "provider" else "computed",
        estimated=first.estimated or second.estimated,
    )
