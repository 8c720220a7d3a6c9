import pytest
from remote_list_support import ListServer, failure, ids, read

from trunkline.catalog.listed import ListedModel
from trunkline.catalog.lists import reader

ENTRIES = [{"id": "rocket-1", "object": "model", "created": 1700000000, "owned_by": "acme"}, {"id": "b"}]


@pytest.mark.parametrize("data", [ENTRIES, ["rocket-1", "b"]])
@pytest.mark.parametrize(("has_key", "path"), [(True, "/v1/models"), (False, "/api/models")])
async def test_each_address_is_read_in_both_shapes(data: object, has_key: bool, path: str) -> None:
    server = ListServer({path: {"data": data}})

    parsed = await read("apertis", server, has_key=has_key)

    assert ids(parsed) == ["rocket-1", "b"]
    assert server.asked == [path]


async def test_an_id_alone_leaves_everything_open() -> None:
    server = ListServer({"/v1/models": {"data": ["text-embedding-3-small", "rocket"]}})

    parsed = await read("apertis", server)

    assert parsed.models == (
        ListedModel(model_id="text-embedding-3-small", is_chat=False),
        ListedModel(model_id="rocket"),
    )
    assert not reader("apertis").knows_prices


async def test_a_list_that_is_none_is_an_error() -> None:
    assert (
        "not in the expected format"
        in (await failure("apertis", ListServer({"/v1/models": b"<html>"}))).message
    )
