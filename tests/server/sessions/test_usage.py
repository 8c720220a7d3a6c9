from decimal import Decimal
from typing import Any

import pytest

from trunkline.sessions.usage import Spent
from trunkline_protocol.chat import Cost, Usage


def cost(amount: str, **more: Any) -> Cost:
    return Cost.model_validate({"amount": Decimal(amount), "source": "provider", "estimated": False, **more})


USAGE = Usage(input_tokens=10, output_tokens=2)
COMPUTED = {"source": "computed", "estimated": True}


@pytest.mark.parametrize(
    ("parts", "total"),
    [
        pytest.param([], None, id="nothing"),
        pytest.param([cost("0.1"), cost("0.2")], cost("0.3"), id="exact where floats are not"),
        pytest.param([cost("1"), cost("2", **COMPUTED)], cost("3", **COMPUTED), id="partly computed"),
        pytest.param([None, cost("2")], cost("2", estimated=True), id="first part unknown"),
        pytest.param([cost("2"), None], cost("2", estimated=True), id="last part unknown"),
        pytest.param([None, None], None, id="all unknown"),
        pytest.param(
            [cost("1"), cost("7", currency="CNY"), cost("2")],
            cost("3", estimated=True),
            id="another currency is left out",
        ),
    ],
)
def test_costs_add_up_as_far_as_they_are_known(parts: list[Cost | None], total: Cost | None) -> None:
    spent = Spent()
    for part in parts:
        spent.add(USAGE, part)
    assert spent.cost == total


def test_a_sum_goes_on_from_what_was_written_down() -> None:
    """The unknown part of an earlier turn is not forgotten where a sum begins with it."""
    spent = Spent(USAGE)
    spent.add(USAGE, cost("1"))
    assert spent.cost == cost("1", estimated=True)


def test_every_kind_of_token_is_added() -> None:
    one = Usage.model_construct(**{name: 2**at for at, name in enumerate(Usage.model_fields)})
    spent = Spent()
    spent.add(one, None)
    spent.add(None, None)
    spent.add(one, None)
    assert spent.to_wire() == {"usage": {name: 2 * count for name, count in one.to_wire().items()}}
