"""Renewing tokens before they expire."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from renewal_support import OLD, OLD_REFRESH, ORIGIN, Renewing, store_token, stored

from support.authorisation import (
    ANSWERS_REFRESH,
    Authorisation,
    form_of,
    oauth_error,
    requests_for,
    running_authorisation,
)
from support.upstream import Answer, Received, answer_json
from trunkline.auth.renewal import Renewals
from trunkline.auth.store import KeyStore
from trunkline.auth.timing import Timing
from trunkline.errors import describe
from trunkline.secrets import Secret
from trunkline.wire.http import HttpClient
from trunkline_protocol.errors import ErrorCode

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
async def renewing(tmp_path: Path) -> AsyncGenerator[Renewing]:
    path = tmp_path / "data" / "auth.json"
    authorisation, http, store = Authorisation(refresh_tokens={OLD_REFRESH}), HttpClient(), KeyStore(path)
    async with running_authorisation(authorisation) as server:
        renewals = Renewals(store, http, Timing(now=lambda: NOW))
        yield Renewing(path, server, authorisation, store, renewals, NOW)
        await renewals.aclose()
        await http.aclose()


def questions(renewing: Renewing) -> list[Received]:
    return requests_for(renewing.server, ANSWERS_REFRESH)


@pytest.mark.parametrize("minutes", [2.1, 60, 525600])
async def test_a_token_with_time_left_is_used_as_it_is(renewing: Renewing, minutes: float) -> None:
    key = renewing.expires_in(minutes)
    assert await renewing.renewals.fresh(key) is key
    assert questions(renewing) == []


async def test_what_does_not_expire_is_used_as_it_is(renewing: Renewing) -> None:
    store_token(renewing.path, renewing.server, None)
    renewing.store.set("acme", "plain", Secret("sk-plain-key-of-acme"), origin=ORIGIN)
    for key in renewing.store.stored_keys("acme"):
        assert await renewing.renewals.fresh(key) is key
    assert questions(renewing) == []


@pytest.mark.parametrize("minutes", [2, 0.5, 0, -5, -600000])
async def test_a_token_at_its_end_is_renewed_and_stored(renewing: Renewing, minutes: float) -> None:
    key = renewing.expires_in(minutes)
    fresh = await renewing.renewals.fresh(key)
    assert fresh.secret == Secret("access-token-1")
    assert fresh.expires_at == NOW + timedelta(hours=8)
    (request,) = questions(renewing)
    assert form_of(request) == {
        "grant_type": "refresh_token",
        "refresh_token": OLD_REFRESH,
        "client_id": "acme-client",
    }
    kept = stored(renewing.path)
    assert (kept.secret, kept.refresh) == (Secret("access-token-1"), Secret("refresh-token-1"))
    assert (kept.origin, kept.account, kept.label) == (ORIGIN, "ada@acme.example", "work")
    assert (kept.kind, kept.token_endpoint, kept.client_id) == ("oauth", key.token_endpoint, "acme-client")
    assert kept.active


async def test_refresh_tokens_that_rotate_are_followed(renewing: Renewing) -> None:
    renewing.authorisation.expires_in = 60  # at its end from the first moment
    key = renewing.expires_in(0)
    for number in range(1, 4):
        key = await renewing.renewals.fresh(key)
        assert key.secret == Secret(f"access-token-{number}")
    assert renewing.authorisation.refresh_tokens == {"refresh-token-3"}


async def test_a_refresh_token_that_stays_is_kept(renewing: Renewing) -> None:
    renewing.authorisation.rotates = False
    await renewing.renewals.fresh(renewing.expires_in(0))
    assert stored(renewing.path).refresh == Secret(OLD_REFRESH)


@pytest.mark.parametrize("expires_in", [None, "soon", -1, True])
async def test_a_life_time_that_is_none_means_no_end(renewing: Renewing, expires_in: object) -> None:
    renewing.authorisation.expires_in = expires_in
    assert (await renewing.renewals.fresh(renewing.expires_in(0))).expires_at is None


async def test_many_requests_share_one_renewal(renewing: Renewing) -> None:
    key = renewing.expires_in(0)
    fresh = await asyncio.gather(*(renewing.renewals.fresh(key) for _ in range(50)))
    assert fresh[0].secret == Secret("access-token-1")
    assert all(renewed is fresh[0] for renewed in fresh)
    assert len(questions(renewing)) == 1


async def test_what_another_process_has_renewed_is_not_renewed_again(renewing: Renewing) -> None:
    key = renewing.expires_in(0)
    http = HttpClient()
    other = Renewals(KeyStore(renewing.path), http, Timing(now=lambda: NOW))
    theirs = await other.fresh(key)
    mine = await renewing.renewals.fresh(key)
    await other.aclose()
    await http.aclose()
    assert mine.secret == theirs.secret == Secret("access-token-1")
    assert len(questions(renewing)) == 1


async def test_a_key_that_replaced_it_is_used(renewing: Renewing) -> None:
    key = renewing.expires_in(0)
    renewing.store.set("acme", "default", Secret("sk-new-key-of-acme"), origin=ORIGIN)
    assert (await renewing.renewals.fresh(key)).secret == Secret("sk-new-key-of-acme")
    assert questions(renewing) == []


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_a_key_that_is_gone_is_not_brought_back(renewing: Renewing, *, elsewhere: bool) -> None:
    key = renewing.expires_in(1)
    renewing.store.remove("acme", "default")
    if elsewhere:
        renewing.store.set("acme", "default", Secret("sk-for-another-place"), origin="https://other.example")
    error = await renewing.failure(key)
    assert error.code is ErrorCode.AUTH_MISSING
    assert questions(renewing) == []


async def test_a_key_removed_while_it_is_renewed_stays_removed(renewing: Renewing) -> None:
    key = renewing.expires_in(1)

    def answer(_request: Received) -> Answer:
        renewing.store.remove("acme")
        return answer_json({"access_token": "too-late-token", "token_type": "Bearer", "expires_in": 3600})

    renewing.authorisation.fail(ANSWERS_REFRESH, answer)
    assert (await renewing.failure(key)).code is ErrorCode.AUTH_MISSING
    assert renewing.store.stored_keys("acme") == ()


async def test_a_refused_refresh_token_means_signing_in_again(renewing: Renewing) -> None:
    renewing.authorisation.refresh_tokens.clear()
    key = renewing.expires_in(1)
    error = await renewing.failure(key)
    assert error.code is ErrorCode.AUTH_EXPIRED
    assert error.fields.get("upstream_code") == "invalid_grant"
    assert "trunkline auth login acme" in (error.fields.get("hint") or "")
    assert stored(renewing.path).state == "expired"
    again = await renewing.failure(stored(renewing.path))
    assert again.code is ErrorCode.AUTH_EXPIRED
    assert len(questions(renewing)) == 1  # it is not asked in vain with every request


TRANSIENT = [
    Answer(503),
    answer_json({"error": "temporarily_unavailable"}, 400),
    Answer(429, {"Retry-After": "7"}),
    Answer(200, {}, [b'{"access_tok'], cut=True),
]
BROKEN = [
    oauth_error("invalid_client", 401),
    oauth_error("unauthorized_client", 400),
    answer_json({"message": "not found"}, 404),
    answer_json({"access_token": "two\nlines"}),
    answer_json({"access_token": "mac-token-of-acme", "token_type": "mac"}),
    Answer(302, {"Location": "https://elsewhere.example/token"}),
    Answer(200, {}, [b"<html>"]),
]


@pytest.mark.parametrize("answer", [*TRANSIENT, *BROKEN])
async def test_while_the_old_token_is_valid_a_failure_is_none(renewing: Renewing, answer: Answer) -> None:
    renewing.authorisation.fail(ANSWERS_REFRESH, answer)
    key = renewing.expires_in(1)
    assert (await renewing.renewals.fresh(key)).secret == Secret(OLD)
    assert (await renewing.renewals.fresh(key)).secret == Secret("access-token-1")  # the next one tries again


@pytest.mark.parametrize("answer", TRANSIENT)
async def test_an_expired_token_and_a_failing_server(renewing: Renewing, answer: Answer) -> None:
    renewing.authorisation.fail(ANSWERS_REFRESH, answer)
    key = renewing.expires_in(-1)
    error = await renewing.failure(key)
    assert describe(error).data.retryable
    assert error.code in (ErrorCode.UPSTREAM_ERROR, ErrorCode.STREAM_INTERRUPTED)
    assert stored(renewing.path).state == "unverified"
    assert (await renewing.renewals.fresh(key)).secret == Secret("access-token-1")


@pytest.mark.parametrize("answer", BROKEN)
async def test_an_expired_token_and_a_server_that_will_not(renewing: Renewing, answer: Answer) -> None:
    renewing.authorisation.fail(ANSWERS_REFRESH, answer)
    error = await renewing.failure(renewing.expires_in(-1))
    assert error.code is ErrorCode.AUTH_EXPIRED
    assert error.fields.get("detail")


async def test_no_network(renewing: Renewing) -> None:
    key = renewing.expires_in(1)
    nowhere = "http://127.0.0.1:1/token"
    renewing.path.write_text(renewing.path.read_text().replace(str(key.token_endpoint), nowhere))
    assert (await renewing.renewals.fresh(key)).secret == Secret(OLD)
    error = await renewing.failure(replace(key, expires_at=NOW))
    assert error.code is ErrorCode.UPSTREAM_UNREACHABLE
    assert describe(error).data.retryable
    assert "has expired and cannot be renewed now" in error.message


async def test_a_token_without_a_refresh_token_lasts_until_its_end(renewing: Renewing) -> None:
    key = renewing.expires_in(1, refresh=None)
    assert await renewing.renewals.fresh(key) is key
    expired = renewing.expires_in(-1, refresh=None)
    assert (await renewing.failure(expired)).code is ErrorCode.AUTH_EXPIRED
    assert stored(renewing.path).state == "expired"
    assert questions(renewing) == []


@pytest.mark.parametrize("endpoint", ["http://evil.example/token", "file:///x", "https://u:p@x.example", "x"])
async def test_a_refresh_token_goes_only_to_a_safe_address(renewing: Renewing, endpoint: str) -> None:
    key = renewing.expires_in(-1)
    renewing.path.write_text(renewing.path.read_text().replace(str(key.token_endpoint), endpoint))
    assert (await renewing.failure(stored(renewing.path))).code is ErrorCode.AUTH_EXPIRED


async def test_a_request_that_is_cancelled_does_not_lose_the_token(renewing: Renewing) -> None:
    asked, held = asyncio.Event(), asyncio.Event()
    body = [
        b'{"access_token": "access-token-held", "refresh_token": "refresh-token-held"',
        b', "expires_in": 3600}',
    ]

    def slow(_request: Received) -> Answer:
        asked.set()
        return Answer(200, {}, body, hold=held)

    renewing.authorisation.fail(ANSWERS_REFRESH, slow)
    request = asyncio.create_task(renewing.renewals.fresh(renewing.expires_in(0)))
    await asked.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    held.set()
    await renewing.renewals.aclose()
    assert stored(renewing.path).refresh == Secret("refresh-token-held")


async def test_a_token_that_cannot_be_stored_is_not_lost(renewing: Renewing) -> None:
    key = renewing.expires_in(0)
    content = renewing.path.read_text()

    def answer(_request: Received) -> Answer:
        renewing.path.write_text("{")  # a broken store: nothing is written to it
        return answer_json({"access_token": "access-a", "refresh_token": "refresh-a", "expires_in": 3600})

    renewing.authorisation.fail(ANSWERS_REFRESH, answer)
    assert (await renewing.renewals.fresh(key)).secret == Secret("access-a")
    renewing.path.write_text(content)
    again = await renewing.renewals.fresh(key)
    assert again.secret == Secret("access-a")
    assert stored(renewing.path).refresh == Secret("refresh-a")
    assert len(questions(renewing)) == 1


async def test_a_store_that_cannot_be_read_says_so(renewing: Renewing) -> None:
    key = renewing.expires_in(-1)
    renewing.path.write_text("{")
    error = await renewing.failure(key)
    assert error.code is ErrorCode.KEY_STORE_UNREADABLE
    assert questions(renewing) == []


async def test_no_secret_is_in_errors_and_logs(renewing: Renewing, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    renewing.authorisation.fail(
        ANSWERS_REFRESH,
        lambda request: oauth_error("odd", 400, error_description=f"you sent {request.body.decode()}"),
        lambda request: Answer(503, {}, [b"you sent " + request.body]),
    )
    key = renewing.expires_in(-1)
    errors = [await renewing.failure(key), await renewing.failure(key)]
    fresh = await renewing.renewals.fresh(key)
    surface = caplog.text + repr([(error, error.fields) for error in errors]) + repr(fresh)
    assert "you sent" in surface
    secrets = [OLD, OLD_REFRESH, "access-token-1", "refresh-token-1"]
    assert [secret for secret in secrets if secret in surface] == []
