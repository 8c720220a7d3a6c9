from decimal import Decimal

import pytest

from trunkline.catalog.fields import amount, modalities, token_count


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.000005", "5"),
        ("0.00000500", "5"),
        ("5e-06", "5"),
        (5e-06, "5"),
        (1e-10, "0.0001"),
        ("0.0000015", "1.5"),
        (" 0.00003 ", "30"),
        ("1", "1000000"),
        (1, "1000000"),
        (".5", "500000"),
        ("0.123456789012345678901234567890123456789", "123456.789012345678901234567890123456789"),
    ],
)
def test_amounts_are_exact_and_written_plainly(value: object, expected: str) -> None:
    assert str(amount(value, shift=6)) == expected


@pytest.mark.parametrize(
    "value",
    [
        None, "", " ", ".", "-1", -1, -0.5, "free", "1_0", "1,5", "nan", "inf", float("nan"), float("inf"),
        True, [], {}, "1e400", "9" * 400, "٣", "0x10",
    ],
)  # fmt: skip
def test_what_is_no_amount_is_unknown(value: object) -> None:
    assert amount(value) is None


def test_zero_is_an_amount() -> None:
    assert amount("0.000") == Decimal(0)


def test_modalities_known_here_are_kept_once_in_order() -> None:
    assert modalities(["image", "text", "file", "pdf", "smell", 3, ["text"], "text"]) == (
        "image",
        "text",
        "pdf",
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1),
        (4096, 4096),
        ("4096", 4096),
        (4096.0, 4096),
        (0, None),
        (0.5, None),
        (-1, None),
        (True, None),
        (None, None),
        ("", None),
        ([], None),
        (10**15, None),
        ("1e99", None),
        (1e308, None),
    ],
)
def test_number_of_tokens_or_none(value: object, expected: int | None) -> None:
    assert token_count(value) == expected
