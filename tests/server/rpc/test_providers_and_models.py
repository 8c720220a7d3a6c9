"""provider/*, model/* and their notifications, over a connection in memory and over a real process."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from support.upstream import Upstream, answer_json
from support.user import CANARY, User
from support.wire import Wire, notification, request, wire_in_memory, wire_to_process
from trunkline_protocol.codes import ErrorCode

TRUNKLINE = {"experimental": {"trunkline": {"versions": ["1.0"], "events": True}}}


@pytest.fixture(params=[wire_in_memory, wire_to_process], ids=["memory", "process"])
async def wire(request: pytest.FixtureRequest, user: User, scripted: Upstream) -> AsyncGenerator[Wire]:
    """The client's end of a fresh connection; FastRouter is on loopback."""
    assert scripted.port
    async with request.param(user) as opened:
        yield opened


async def started(wire: Wire, **params: Any) -> None:
    await wire.handshake(**{"capabilities": TRUNKLINE, **params})
    wire.send(notification("initialized"))


async def ask(wire: Wire, method: str, told: list[Any] | None = None, **params: Any) -> Any:
    """The result, or the error; notifications that come before it go to `told`."""
    wire.send(request(method, method, **params))
    while (message := await wire.receive()).get("id") != method:
        if told is not None:
            told.append(message)
    return message["result"] if "result" in message else message["error"]


async def store_key(wire: Wire) -> None:
    await ask(wire, "auth/set", providerId="fastrouter", secret=CANARY)


async def next_answer(wire: Wire) -> Any:
    """The very next message, which must answer a request that was sent after everything else."""
    wire.send(request("provider/list", 3))
    message = await wire.receive()
    assert message.get("id") == 3
    return message


# --- model/* ----------------------------------------------------------------------------------------------


async def test_one_model_by_its_reference(wire: Wire) -> None:
    await started(wire)
    await store_key(wire)

    found = await ask(wire, "model/get", model="fastrouter/acme/talker")

    assert (found["model"]["name"], found["model"]["source"]) == ("Talker", "live")
    unknown = await ask(wire, "model/get", model="fastrouter/acme/tolker")
    assert unknown["code"] == ErrorCode.MODEL_UNKNOWN
    assert unknown["data"]["suggestions"] == ["fastrouter/acme/talker"]


async def test_partial_results_come_before_an_empty_result(wire: Wire) -> None:
    await started(wire)
    await store_key(wire)
    wire.send(
        request("model/list", 7, providerIds=["fastrouter", "anthropic", "nobody"], partialResultToken="t1")
    )
    parts: list[Any] = []
    while (message := await wire.receive()).get("id") != 7:
        if message.get("method") == "$/progress":
            assert message["params"]["token"] == "t1"
            parts.append(message["params"]["value"])

    listed = [model["model"] for part in parts for model in part["models"]]
    assert "fastrouter/acme/talker" in listed
    assert any(name.startswith("anthropic/") for name in listed)
    assert [failure["providerId"] for part in parts for failure in part["failures"]] == ["nobody"]
    assert (message["result"]["models"], message["result"]["failures"]) == ([], [])
    assert message["result"]["defaultModel"] == "fastrouter/acme/talker"


async def test_an_estimate_of_tokens_says_that_it_is_one(wire: Wire) -> None:
    await started(wire)

    counted = await ask(wire, "model/countTokens", model="fastrouter/openai/gpt-5", text="Hello, world!")
    messages = [{"role": "user", "content": "Hello, world!"}]
    conversation = await ask(wire, "model/countTokens", model="fastrouter/openai/gpt-5", messages=messages)

    assert counted["exact"] is conversation["exact"] is False
    assert 2 <= counted["tokens"] <= 8
    assert conversation["tokens"] > counted["tokens"]
    neither = await ask(wire, "model/countTokens", model="fastrouter/openai/gpt-5")
    assert neither["code"] == ErrorCode.INVALID_PARAMS


# --- provider/* -------------------------------------------------------------------------------------------


async def test_a_provider_is_configured_and_the_change_is_told(wire: Wire, user: User) -> None:
    await started(wire)
    before = await ask(wire, "provider/list")
    told: list[Any] = []

    done = await ask(
        wire,
        "provider/configure",
        told,
        providerId="openai",
        name="Mine",
        headers={"X-Team": CANARY},
        ifMatch=before["etag"],
    )

    assert (done["provider"]["name"], done["provider"]["providerId"]) == ("Mine", "openai")
    assert done["etag"] != before["etag"]
    assert CANARY not in str(done)
    changed = told[0] if told else await wire.receive_method("provider/changed")
    assert (changed["method"], changed["params"]) == ("provider/changed", {"etag": done["etag"]})
    assert (await ask(wire, "provider/list"))["etag"] == done["etag"]
    stale = await ask(wire, "provider/configure", providerId="openai", enabled=False, ifMatch=before["etag"])
    assert (stale["code"], stale["data"]["kind"]) == (ErrorCode.CONFLICT, "conflict")
    cleared = await ask(wire, "provider/configure", providerId="openai", name=None, headers={"X-Team": None})
    assert cleared["provider"]["name"] == "OpenAI"
    assert not user.files_with(CANARY)


async def test_providers_are_switched_off_and_on(wire: Wire) -> None:
    await started(wire)

    off = await ask(wire, "provider/configure", providerId="openai", enabled=False)
    assert (off["provider"]["enabled"], off["provider"]["state"]) == (False, "disabled")
    on = await ask(wire, "provider/configure", providerId="openai", enabled=True)

    assert (on["provider"]["enabled"], on["provider"]["state"]) == (True, "notConnected")


async def test_an_endpoint_is_added_tested_and_listed(wire: Wire, scripted: Upstream) -> None:
    await started(wire)
    nowhere = await ask(wire, "provider/configure", providerId="homemade", name="Home")
    assert nowhere["code"] == ErrorCode.INVALID_PARAMS
    assert "baseUrl" in nowhere["message"]

    added = await ask(wire, "provider/configure", providerId="homemade", baseUrl=scripted.base_url)
    tested = await ask(wire, "provider/test", providerId="homemade")
    listed = await ask(wire, "model/list", providerIds=["homemade"])

    assert (added["provider"]["source"], added["provider"]["state"]) == ("config", "ready")
    assert tested["ok"] is True
    assert tested["latencyMs"] >= 0
    assert [model["model"] for model in listed["models"]] == ["homemade/acme/talker"]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"baseUrl": "http://far.example/v1"}, "https"),
        ({"apiType": "smoke-signals"}, "apiType"),
        ({"options": {"apiKey": CANARY}}, "auth/set"),
        ({"headers": {"Host": "evil.example"}}, "Host"),
        ({"headers": {"X-A": "a\nb"}}, "X-A"),
    ],
)
async def test_what_no_setting_can_have_is_refused_and_nothing_is_written(
    wire: Wire, user: User, params: dict[str, Any], said: str
) -> None:
    await started(wire)
    file = user.paths.config / "trunkline.json"
    before = file.read_bytes()

    refused = await ask(wire, "provider/configure", providerId="openai", **params)

    assert refused["code"] == ErrorCode.INVALID_PARAMS
    assert said in refused["message"] + refused["data"].get("detail", "")
    assert CANARY not in str(refused)
    assert file.read_bytes() == before


async def test_a_provider_that_does_not_work_is_a_result_of_the_test(wire: Wire, scripted: Upstream) -> None:
    await started(wire)
    missing = await ask(wire, "provider/test", providerId="fastrouter")
    assert (missing["ok"], missing["error"]["code"]) == (False, ErrorCode.AUTH_MISSING)

    await store_key(wire)
    scripted.script = lambda _: answer_json({"error": {"message": f"bad key {CANARY}"}}, 401)
    rejected = await ask(wire, "provider/test", providerId="fastrouter")

    assert (rejected["ok"], rejected["error"]["code"]) == (False, ErrorCode.AUTH_REJECTED)
    assert CANARY not in str(rejected)
    assert (await ask(wire, "provider/test", providerId="nobody"))["code"] == ErrorCode.PROVIDER_UNKNOWN
    other = await ask(wire, "provider/test", providerId="fastrouter", model="openai/gpt-5")
    assert other["code"] == ErrorCode.INVALID_PARAMS


# --- notifications ----------------------------------------------------------------------------------------


async def test_a_new_model_list_is_told(wire: Wire) -> None:
    await started(wire)
    await store_key(wire)
    listed = await ask(wire, "model/list", providerIds=["fastrouter"])

    wire.send(request("model/list", 9, providerIds=["fastrouter"], refresh="force"))
    assert (await wire.receive())["id"] == 9, "the same list again is nothing new"
    assert listed["models"]


async def test_only_who_announced_events_is_told_and_not_of_what_it_opted_out_of(wire: Wire) -> None:
    quiet = {
        "experimental": {"trunkline": {"versions": ["1.0"], "events": True, "optOut": ["provider/changed"]}}
    }
    await started(wire, capabilities=quiet)
    wire.send(request("provider/configure", 1, providerId="openai", name="Mine"))
    wire.send(request("provider/list", 2))

    assert {(await wire.receive()).get("id"), (await wire.receive()).get("id")} == {1, 2}
    assert "result" in await next_answer(wire)


async def test_a_client_that_announced_nothing_is_told_nothing(wire: Wire) -> None:
    await started(wire, capabilities={})
    wire.send(request("provider/configure", 1, providerId="openai", name="Mine"))
    wire.send(request("provider/list", 2))

    assert {(await wire.receive()).get("id"), (await wire.receive()).get("id")} == {1, 2}
    assert "result" in await next_answer(wire)


# --- the workspace ----------------------------------------------------------------------------------------


def workspace(path: Path, text: str) -> str:
    path.mkdir()
    (path / "trunkline.jsonc").write_text(text, encoding="utf-8")
    return path.as_uri()


async def test_a_workspace_chooses_models_and_nothing_that_touches_keys(
    wire: Wire, tmp_path: Path, scripted: Upstream
) -> None:
    uri = workspace(
        tmp_path / "project",
        """{
          // chosen for this project
          "model": "anthropic/claude-opus-4-5",
          "disabled_providers": ["openai"],
          "provider": {"fastrouter": {"options": {"baseURL": "https://evil.example/v1"}}},
        }""",
    )
    await started(wire, workspaceFolders=[{"uri": uri, "name": "project"}])
    warned = await wire.receive_method("window/showMessage")

    listed = await ask(wire, "model/list", providerIds=["anthropic"], refresh="never")
    providers = (await ask(wire, "provider/list"))["providers"]

    assert "user's own configuration" in warned["params"]["message"]
    assert listed["defaultModel"] == "anthropic/claude-opus-4-5"
    by_id = {provider["providerId"]: provider for provider in providers}
    assert "openai" not in by_id
    assert by_id["fastrouter"]["baseUrl"] == scripted.base_url


async def test_the_editors_choice_wins_over_the_workspace_files(wire: Wire, tmp_path: Path) -> None:
    uri = workspace(
        tmp_path / "project", '{"model": "anthropic/from-file", "small_model": "anthropic/small"}'
    )
    await started(wire, rootUri=uri, initializationOptions={"model": "openai/from-editor"})

    listed = await ask(wire, "model/list", providerIds=["anthropic"], refresh="never")

    assert (listed["defaultModel"], listed["smallModel"]) == ("openai/from-editor", "anthropic/small")


async def test_folders_that_come_and_go_are_followed(wire: Wire, tmp_path: Path) -> None:
    uri = workspace(tmp_path / "project", '{"disabled_providers": ["openai"]}')
    await started(wire)
    assert "openai" in str(await ask(wire, "provider/list"))

    folder = {"uri": uri, "name": "project"}
    wire.send(notification("workspace/didChangeWorkspaceFolders", event={"added": [folder], "removed": []}))
    names = [provider["providerId"] for provider in (await ask(wire, "provider/list"))["providers"]]
    assert "openai" not in names

    wire.send(notification("workspace/didChangeWorkspaceFolders", event={"added": [], "removed": [folder]}))
    names = [provider["providerId"] for provider in (await ask(wire, "provider/list"))["providers"]]
    assert "openai" in names


# --- the key store ----------------------------------------------------------------------------------------


async def test_a_key_store_that_others_could_read_is_repaired_and_the_user_told(
    wire: Wire, user: User
) -> None:
    await started(wire)
    await store_key(wire)
    store = user.paths.data / "auth.json"
    store.chmod(0o644)

    await ask(wire, "auth/set", providerId="openai", secret=CANARY)

    warned = await wire.receive_method("window/showMessage")
    assert str(store) in warned["params"]["message"]
    assert store.stat().st_mode & 0o777 == 0o600
