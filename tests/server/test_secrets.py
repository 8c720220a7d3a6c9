"""Keys are masked wherever text leaves the process, whole or cut short."""

import json

import pytest

from trunkline.errors import describe
from trunkline.secrets import Secret, scrub
from trunkline.wire.upstream_errors import error_from_answer, error_from_payload

KEY = "sk-v1-Qm7xT2vBn94LpZs8Wd3kRy6H"


@pytest.fixture(autouse=True)
def _seen() -> None:
    Secret(KEY)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"Incorrect API key provided: {KEY}.", "Incorrect API key provided: [secret]."),
        (f"{KEY}{KEY}", "[secret][secret]"),
        # Cut short: the beginning, the end, both ends, in brackets and at the very end
        ("key sk-v1-Qm7xT2v... is unknown", "key [secret]... is unknown"),
        ("key ...s8Wd3kRy6H is unknown", "key ...[secret] is unknown"),
        ("key sk-v1-Qm****3kRy6H is unknown", "key [secret]****3kRy6H is unknown"),
        ("key sk-v1-Qm7x****8Wd3kRy6H", "key [secret]****[secret]"),
        ("(sk-v1-Qm7xT2vBn94LpZs8Wd3kRy6)", "([secret])"),
        ("sk-v1-Qm7", "[secret]"),
        ("sk-v1-Qm7 sk-v1-Qm7", "[secret] [secret]"),
        # What people tell keys apart by, and what is not of the key at all
        ("key ****Ry6H is unknown", "key ****Ry6H is unknown"),
        ("keys begin with sk-v1-", "keys begin with sk-v1-"),
        ("sk-v2-Qm7xT2vBn", "sk-v2-Qm7xT2vBn"),
        ("", ""),
    ],
)
def test_a_key_is_masked_also_where_a_part_of_it_stands(text: str, masked: str) -> None:
    assert scrub(text) == masked


def test_a_key_behind_the_word_of_a_header_is_found_alone() -> None:
    Secret("Bearer tok-9fK2mQ7xV4bN8sL3wZ")
    assert scrub("token tok-9fK2mQ7xV4bN8sL3wZ is bad") == "token [secret] is bad"
    assert scrub("Bearer is missing") == "Bearer is missing"


@pytest.mark.parametrize(
    "value", ["https://example.com/my-editor", "Mozilla/5.0 (X11; Linux x86_64)", "lm-studio"]
)
def test_headers_that_are_no_keys_do_not_blank_ordinary_words(value: str) -> None:
    Secret(value)
    text = "See https://example.org/help of Mozilla/5 and lm-stud."
    assert scrub(text) == text


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": f"Bad key {KEY}", "code": KEY, "type": f"x-{KEY}"}},
        {"error": {"message": f"Bad key {KEY[:20]}...", "code": KEY[:20]}},
        {"error": KEY, "message": f"...{KEY[-12:]}"},
        {"detail": [{"msg": f"header Bearer {KEY}"}]},
        {"error": {"message": "x", "metadata": {"raw": json.dumps({"error": {"message": KEY}})}}},
        {"errors": [{"message": KEY}]},
        {"message": "x", "request_id": KEY},
    ],
)
@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_provider_that_quotes_the_key_does_not_give_it_away(status: int, body: dict[str, object]) -> None:
    answered = error_from_answer(
        status, {"x-request-id": f"id-{KEY}"}, json.dumps(body).encode(), provider_id="p", model_id="m"
    )
    streamed = error_from_payload(body, provider_id="p", model_id="m")
    for error in (answered, streamed):
        told = describe(error).model_dump_json()
        assert KEY[:12] not in told
        assert KEY[-12:] not in told
        assert KEY[:12] not in str(error.fields.get("detail"))


def test_a_page_of_any_size_is_read_quickly_and_gives_nothing_away() -> None:
    page = f"<html><body>{'<p>x</p>' * 50_000}{KEY}</body></html>".encode()
    told = describe(error_from_answer(500, {}, page, provider_id="p", model_id="m")).data
    assert KEY[:12] not in (told.detail or "")
    assert len(told.detail or "") <= 1000


def test_codes_and_ids_of_any_length_are_cut() -> None:
    body = {"error": {"message": "x", "code": "c" * 5000}, "request_id": "r" * 5000}
    told = describe(error_from_answer(400, {}, json.dumps(body).encode(), provider_id="p", model_id="m")).data
    assert len(told.upstream_code or "") <= 100
    assert len(told.upstream_request_id or "") <= 100
