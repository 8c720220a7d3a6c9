"""What providers say that an answer cost."""

from decimal import Decimal
from typing import Any

import pytest

from trunkline.wire.reported_cost import read_cost


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"cost": 0.00123}, "0.00123"),
        ({"cost": "0.00123"}, "0.00123"),
        ({"cost": 0}, "0"),
        # Perplexity; xAI's ticks of 1e-10, none of which is somebody else's bill
        ({"cost": {"input_tokens_cost": 0.001, "total_cost": 0.006}}, "0.006"),
        ({"cost_in_usd_ticks": 12_345_000}, "0.0012345"),
        ({"cost_in_usd_ticks": 0}, None),
        # The user's own key pays upstream: the gateway's fee and the upstream's bill are both spent.
        ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.25}}, "0.25"),
        ({"cost": 0.95, "is_byok": True, "cost_details": {"upstream_inference_cost": 19}}, "19.95"),
        ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, "0"),
        ({"cost": 0, "is_byok": True}, "0"),
        # Without it, the upstream's share is part of the charge.
        ({"cost": 0.25, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.25}}, "0.25"),
        ({}, None),
        ({"cost": None}, None),
        ({"cost": -1}, None),
        ({"cost": "NaN"}, None),
        ({"cost": "free"}, None),
        ({"cost": True}, None),
    ],
)
def test_what_a_provider_says_that_an_answer_cost(usage: dict[str, Any], cost: str | None) -> None:
    assert read_cost(usage) == (None if cost is None else Decimal(cost))
