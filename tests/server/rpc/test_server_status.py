"""server/status, server/statusChanged and server/notice, over a connection in memory."""

from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack
from typing import Any

import pytest

from support.memory import raw_connection
from support.upstream import Answer, Upstream
from support.user import CANARY, User
from support.wire import Wire, notification, request
from trunkline import __version__
from trunkline.app import Application

Told = list[dict[str, Any]]


@pytest.fixture
async def wire(app: Application) -> AsyncGenerator[Wire]:
    async with raw_connection(app) as streams:
        yield Wire(*streams)


async def start(wire: Wire, *, events: bool = True, opt_out: tuple[str, ...] = ()) -> None:
    announced = {"versions": ["1.0"], "events": events, "optOut": opt_out}
    await wire.handshake(capabilities={"experimental": {"trunkline": announced}})
    wire.send(notification("initialized"))


async def ask(wire: Wire, method: str = "server/status", told: Told | None = None, **params: Any) -> Any:
    """The answer; what the server tells before it goes to `told`."""
    wire.send(request(method, method, **params))
    while (message := await wire.receive()).get("id") != method:
        if told is not None:
            told.append(message)
    return message["result"]


def of(told: Told, method: str) -> list[Any]:
    return [message["params"] for message in told if message.get("method") == method]


async def next_status(wire: Wire) -> Any:
    return (await wire.receive_method("server/statusChanged"))["params"]


async def test_without_a_key_there_is_something_to_know(wire: Wire, scripted: Upstream) -> None:
    await start(wire)
    status = await ask(wire)
    assert (status["busy"], status["running"], status["waiting"]) == (False, 0, 0)
    assert status["kind"] == "info"
    assert "connected" in status["message"]
    assert status["providers"]["fastrouter"] == "notConnected"
    assert len(status["providers"]) > 100
    assert status["version"] == __version__
    assert scripted.requests == []


def with_key(user: User, patch: pytest.MonkeyPatch) -> None:
    assert user
    patch.setenv("FASTROUTER_API_KEY", CANARY)


def with_a_provider_that_is_off(user: User, patch: pytest.MonkeyPatch) -> None:
    user.configure({"disabled_providers": ["openai"]})
    patch.setenv("FASTROUTER_API_KEY", CANARY)


def with_a_wrong_section(user: User, patch: pytest.MonkeyPatch) -> None:
    user.configure({"provider": {"openai": {"options": {"baseURL": "ftp://x"}}}})
    patch.setenv("FASTROUTER_API_KEY", CANARY)


def with_wrong_sections(user: User, _patch: pytest.MonkeyPatch) -> None:
    wrong = {"options": {"baseURL": "ftp://x"}}
    user.configure({"provider": dict.fromkeys(("openai", "fastrouter", "anthropic", "groq"), wrong)})


def with_a_broken_file(user: User, patch: pytest.MonkeyPatch) -> None:
    user.configure("{")
    patch.setenv("FASTROUTER_API_KEY", CANARY)


@pytest.mark.parametrize(
    ("prepare", "kind", "said", "states"),
    [
        (with_key, "ok", None, {"fastrouter": "ready", "openai": "notConnected"}),
        (with_a_provider_that_is_off, "ok", None, {"fastrouter": "ready", "openai": "disabled"}),
        (with_a_wrong_section, "warning", "openai", {"fastrouter": "ready", "openai": "failed"}),
        (with_wrong_sections, "warning", "and 1 more cannot be used", {"fastrouter": "failed"}),
        (with_a_broken_file, "error", "trunkline.json cannot be used", {"fastrouter": "failed"}),
    ],
)
async def test_what_is_wrong_with_what_the_user_has_set_up(
    wire: Wire,
    user: User,
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[User, pytest.MonkeyPatch], None],
    kind: str,
    said: str | None,
    states: dict[str, str],
) -> None:
    prepare(user, monkeypatch)
    await start(wire)
    status = await ask(wire)
    assert status["kind"] == kind
    assert status.get("message") is None if said is None else said in status["message"]
    assert {name: status["providers"][name] for name in states} == states


async def test_a_list_that_could_not_be_fetched_is_said_and_no_warning(
    wire: Wire, scripted: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTROUTER_API_KEY", CANARY)
    scripted.script = lambda _request: Answer(503)
    await start(wire)
    await ask(wire, "model/list", providerIds=["fastrouter"], refresh="force")
    status = await ask(wire)
    assert (status["kind"], status["providers"]["fastrouter"]) == ("info", "stale")
    assert "not up to date" in status["message"]


async def test_a_client_is_told_when_work_begins_and_ends(app: Application, wire: Wire) -> None:
    await start(wire)
    await ask(wire)
    with ExitStack() as work:
        work.enter_context(app.activity.under_way())
        work.enter_context(app.activity.under_way())
        assert (await next_status(wire))["busy"] is True
        assert (await ask(wire))["busy"] is True
    assert (await next_status(wire))["busy"] is False


async def test_many_changes_are_told_once_and_none_is_not_told(app: Application, wire: Wire) -> None:
    await start(wire)
    told: Told = []
    await ask(wire)
    for _ in range(100):
        with app.activity.under_way():
            pass
    await ask(wire, told=told)  # it is answered after what the loop had to do before
    assert told == []
    with app.activity.under_way():
        await next_status(wire)
        for _ in range(100):
            with app.activity.under_way():
                pass
    assert (await next_status(wire))["busy"] is False
    await ask(wire, "provider/list", told)
    assert told == []


async def test_a_change_of_a_provider_is_told(wire: Wire, scripted: Upstream) -> None:
    assert scripted.port
    await start(wire)
    assert (await ask(wire))["providers"]["fastrouter"] == "notConnected"
    wire.send(request("auth/set", 1, providerId="fastrouter", secret=CANARY))
    status = await next_status(wire)
    assert (status["kind"], status["providers"]["fastrouter"]) == ("ok", "ready")


async def test_who_asked_for_nothing_takes_it_that_nothing_is_wrong(app: Application, wire: Wire) -> None:
    await start(wire)
    told: Told = []
    await ask(wire, "provider/configure", told, providerId="openai", name="Mine")
    await ask(wire, "provider/list", told)
    assert of(told, "server/statusChanged") == []
    with app.activity.under_way():
        assert (await next_status(wire))["busy"] is True


@pytest.mark.parametrize(("events", "opt_out"), [(False, ()), (True, ("server/statusChanged",))])
async def test_nobody_is_told_who_does_not_want_it(
    app: Application, wire: Wire, events: bool, opt_out: tuple[str, ...]
) -> None:
    await start(wire, events=events, opt_out=opt_out)
    told: Told = []
    await ask(wire)
    with app.activity.under_way():
        await ask(wire, told=told)
        assert (await ask(wire, "provider/list", told))["providers"]
    assert told == []


async def test_clients_see_what_runs_for_others(app: Application, wire: Wire) -> None:
    await start(wire)
    async with raw_connection(app) as streams:
        other = Wire(*streams)
        await start(other)
        async with app.limits.slot("fastrouter", "other"):
            status = await ask(wire)
    assert (status["running"], status["waiting"]) == (1, 0)


async def test_the_configured_concurrency_is_the_limit(app: Application, user: User, wire: Wire) -> None:
    user.configure({"provider": {"fastrouter": {"options": {"maxConcurrency": 1}}}})
    await start(wire)
    async with (
        app.limits.slot("fastrouter", "a"),
        app.limits.slot("openai", "a"),
        app.limits.slot("openai", "a"),
    ):
        waiting = app.limits.slot("fastrouter", "b").__aenter__()
        waiting.send(None)
        status = await ask(wire)
        waiting.close()
    assert (status["running"], status["waiting"]) == (3, 1)


@pytest.mark.parametrize(
    ("opt_out", "methods"),
    [
        ((), {"window/showMessage", "server/notice"}),
        (("window/showMessage",), {"server/notice"}),
        (("server/notice",), {"window/showMessage"}),
    ],
)
async def test_a_warning_is_a_notice_that_a_client_may_show_itself(
    wire: Wire, user: User, opt_out: tuple[str, ...], methods: set[str]
) -> None:
    user.configure("{")
    await start(wire, opt_out=opt_out)
    told: Told = []
    await ask(wire, told=told)
    assert {message["method"] for message in told} == methods
    for notice in of(told, "server/notice"):
        assert notice["severity"] == "warning"
        assert "trunkline.json" in notice["title"]


async def test_an_editor_that_announces_nothing_gets_messages_only(wire: Wire, user: User) -> None:
    user.configure("{")
    await start(wire, events=False)
    told: Told = []
    await ask(wire, told=told)
    assert {message["method"] for message in told} == {"window/showMessage"}
