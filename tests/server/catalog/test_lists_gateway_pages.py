"""How the lists of FastRouter, OpenRouter and Kilo are asked for: pages, addresses, with a key or without."""

import logging

import pytest
from gateway_list_support import FULL, GATEWAYS, answer, parse_one
from remote_list_support import ListServer, failure, ids, read, refused

from trunkline.catalog.lists.pages import MOST_PAGES
from trunkline_protocol.errors import ErrorCode

BODIES = [
    b"",
    b"<html>sign in</html>",
    b"[]",
    b"null",
    b'{"data": {}}',
    b'{"models": []}',
    b'{"data": [',
    b"\xff\xfe",
    b"[" * 9999,
]


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("body", BODIES)
async def test_what_is_no_list_is_an_upstream_error(body: bytes, gateway: str) -> None:
    error = await failure(gateway, ListServer({"/v1/models": body}))

    assert error.code is ErrorCode.UPSTREAM_ERROR
    assert error.fields.get("retryable") is True
    assert error.fields.get("provider_id") == "acme"
    assert "not in the expected format" in error.message


@pytest.mark.parametrize("entries", [[], [7, {"name": "no id"}], [FULL | {"is_active": False}]])
async def test_a_list_without_any_model_is_an_error(entries: list[object]) -> None:
    error = await failure("fastrouter", answer(*entries))

    assert error.message == "The model list of acme holds no model."
    if len(entries) > 1:
        assert error.fields.get("detail") == ("entry 0: the entry is not an object; entry 1: it has no id")


def page(*names: str, **members: object) -> dict[str, object]:
    return {"data": [{"id": name} for name in names], **members}


async def test_pages_are_followed_to_the_end() -> None:
    server = ListServer(
        {
            "/v1/models": page("a", "b", total_count=5, links={"next": "/v1/models?offset=2"}),
            "/v1/models?offset=2": page(
                "c", "b", links={"next": "https://api.acme.example/v1/models?offset=4"}
            ),
            "/v1/models?offset=4": page("d", total_count=5, links={"next": None}),
        }
    )

    parsed = await read("openrouter", server)

    assert ids(parsed) == ["a", "b", "c", "d"]
    assert parsed.skipped == ("entry 3 (b): its id occurred before",)
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/v1/models",
        "//evil.example/v1/models",
        "http://api.acme.example/v1/models",
        "https://api.acme.example:8443/v1/models",
        "https://api.acme.example@evil.example/",
        "https://api.acme.example:notaport/",
        "https://[broken/",
        "file:///etc/passwd",
    ],
)
async def test_a_page_on_another_server_is_not_fetched(elsewhere: str) -> None:
    server = ListServer({"/v1/models": page("a", total_count=9, links={"next": elsewhere})})

    parsed = await read("openrouter", server)

    assert ids(parsed) == ["a"]
    assert parsed.skipped == ("the rest of the list: it is on another server",)
    assert server.asked == ["/v1/models"]


async def test_pages_in_a_circle_end() -> None:
    server = ListServer(
        {
            "/v1/models": page("a", links={"next": "?p=2"}),
            "/v1/models?p=2": page("b", links={"next": "/v1/models"}),
        }
    )

    parsed = await read("openrouter", server)

    assert ids(parsed) == ["a", "b"]
    assert parsed.skipped == ("the rest of the list: its pages go in a circle",)


async def test_pages_without_end_are_given_up() -> None:
    documents = {f"/v1/models?p={n}": page(f"m{n}", links={"next": f"?p={n + 1}"}) for n in range(99)}
    server = ListServer({**documents, "/v1/models": page("first", links={"next": "?p=0"})})

    parsed = await read("openrouter", server)

    assert len(server.asked) == len(parsed.models) == MOST_PAGES
    assert parsed.skipped == (f"the rest of the list: it has more than {MOST_PAGES} pages",)


async def test_a_list_that_is_shorter_than_it_says_is_noted() -> None:
    parsed = await read("openrouter", ListServer({"/v1/models": page("a", total_count=3)}))

    assert parsed.skipped == ("the rest of the list: it says that it has 3 models and names 1",)


async def test_a_page_that_fails_fails_the_list() -> None:
    server = ListServer({"/v1/models": page("a", links={"next": "?p=2"}), "/v1/models?p=2": refused(500)})

    assert (await failure("openrouter", server)).fields.get("http_status") == 500


@pytest.mark.parametrize("gateway", ["fastrouter", "openrouter"])
async def test_a_public_list_is_asked_without_the_key(gateway: str) -> None:
    server = answer(FULL)

    await read(gateway, server)

    assert server.anonymous == [True]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_proxy_that_wants_the_key_gets_it(status: int) -> None:
    server = ListServer({"/v1/models": page("a")}, refuses_anonymous=status)
    assert ids(await read("openrouter", server)) == ["a"]
    assert server.anonymous == [True, False]

    server = ListServer({"/v1/models": page("a")}, refuses_anonymous=status)
    assert (await failure("openrouter", server, has_key=False)).fields.get("http_status") == status
    assert server.anonymous == [True]


async def test_kilo_is_asked_with_the_key() -> None:
    server = answer(FULL)

    await read("kilo", server)

    assert (server.asked, server.anonymous) == (["/v1/models"], [False])


async def test_an_organization_of_kilo_has_its_own_list() -> None:
    server = ListServer({"/v1/organizations/a%2Fb%20c/models": page("theirs"), "/v1/models": page("all")})

    assert ids(await read("kilo", server, options={"organization": "a/b c"})) == ["theirs"]
    assert ids(await read("kilo", server, options={"organization": "a/b c"}, has_key=False)) == ["all"]


async def test_a_key_that_kilo_refuses_gets_the_list_for_everybody(caplog: pytest.LogCaptureFixture) -> None:
    server = ListServer({"/v1/models": page("free")}, refuses_key=401)

    with caplog.at_level(logging.WARNING):
        parsed = await read("kilo", server)

    assert ids(parsed) == ["free"]
    assert server.anonymous == [False, True]
    assert "acme refuses the key" in caplog.text


async def test_kilo_is_not_asked_again_where_that_would_not_help() -> None:
    organization = ListServer({}, refuses_key=401)
    with pytest.raises(Exception, match="status 401"):
        await read("kilo", organization, options={"organization": "acme"})
    forbidden = ListServer({}, refuses_key=403)
    await failure("kilo", forbidden)
    nobody = ListServer({}, refuses_key=401)
    await failure("kilo", nobody, has_key=False)

    assert [len(server.asked) for server in (organization, forbidden, nobody)] == [1, 1, 1]


async def test_a_model_of_kilo_without_tools_is_kept() -> None:
    model = await parse_one({"id": "a", "created": 0, "supported_parameters": ["temperature"]}, "kilo")

    assert (model.tools, model.temperature, model.release_date) == (False, True, None)
