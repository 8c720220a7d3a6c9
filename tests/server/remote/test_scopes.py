"""What a client may do depends on its token, whatever it says of itself."""

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from support.provider import MODEL, Provider, chunk
from support.remote import header, read_token, unix_wire, web_wire
from support.upstream import Upstream, answer_sse
from support.user import User
from support.wire import notification, request
from trunkline.app import Application
from trunkline.remote.addresses import UnixAddress, WebSocketAddress
from trunkline.remote.listeners import Listeners
from trunkline.remote.tokens import TokenStore
from trunkline_protocol.base import Scope
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.methods import REQUESTS

SCOPES: list[Scope] = ["observe", "control", "admin"]

CLAIMS: dict[str, Any] = {
    "processId": os.getpid(),
    "clientInfo": {"name": "admin", "scope": "admin"},
    "initializationOptions": {"scope": "admin", "role": "owner", "token": "admin"},
    "capabilities": {"experimental": {"trunkline": {"versions": ["1.0"], "scope": "admin", "role": "owner"}}},
    "scope": "admin",
}


@pytest.mark.parametrize("scope", SCOPES)
async def test_every_method_needs_the_scope_that_the_table_says(
    listeners: Listeners, tokens: TokenStore, sockets: Path, scope: Scope
) -> None:
    path = sockets / "t.sock"
    await listeners.open(UnixAddress(path))
    refused: set[str] = set()
    async with unix_wire(path, header(read_token(tokens.create(scope).file))) as wire:
        await wire.handshake(**CLAIMS)
        for each in REQUESTS:
            # Where there is something to fill in, nothing is: what gets through the gate must do no harm.
            wire.send(request(each.name, each.name))
            while (answer := await wire.receive()).get("id") != each.name:
                pass
            if (
                answer.get("error", {}).get("code") == ErrorCode.NOT_PERMITTED
                and "scope" in answer["error"]["message"]
            ):
                refused.add(each.name)
                assert f"--scope {each.scope}" in answer["error"]["data"]["hint"]
    above = SCOPES[SCOPES.index(scope) + 1 :]
    assert refused == {each.name for each in REQUESTS if each.scope in above}


def test_keys_and_settings_need_admin_and_nobody_who_only_observes_can_spend() -> None:
    scopes = {each.name: each.scope for each in REQUESTS}
    admin = [name for name in scopes if name.startswith("auth/")] + ["provider/configure", "session/share"]
    assert {scopes[name] for name in admin} == {"admin"}
    spending = ["chat/stream", "model/countTokens", "provider/test", "session/prompt", "session/steer"]
    assert {scopes[name] for name in spending} == {"control"}


async def test_an_observer_that_attaches_as_more_stays_one_and_runs_no_tools(
    listeners: Listeners, tokens: TokenStore, sockets: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "trunkline.audit")
    path = sockets / "t.sock"
    await listeners.open(UnixAddress(path))
    shown = {scope: tokens.create(scope, f"my {scope}") for scope in SCOPES}
    tool = {"name": "read", "description": "Read.", "inputSchema": {"type": "object"}}
    able: dict[str, Any] = {
        "experimental": {"trunkline": {"versions": ["1.0"], "toolCalls": {}, "permissions": {}}}
    }
    named = {"name": "admin"}
    async with (
        unix_wire(path, header(read_token(shown["control"].file))) as owner,
        unix_wire(path, header(read_token(shown["observe"].file))) as other,
    ):
        await owner.handshake()
        await other.handshake(capabilities=able, clientInfo=named)
        owner.send(request("session/create", 1, model="openai/gpt-4.1"))
        session_id = (await owner.receive())["result"]["session"]["sessionId"]
        attach = {"sessionId": session_id, "role": "controller"}
        other.send(request("session/attach", 1, **attach, tools=[tool]))
        assert (await other.receive())["error"]["code"] == ErrorCode.NOT_PERMITTED
        other.send(request("session/attach", 2, **attach))
        attached = (await other.receive())["result"]
        assert attached["role"] == "observer"
        assert [each["name"] for each in attached["participants"]] == ["my observe (admin)"]
        other.send(request("session/detach", 3, sessionId=session_id))
        assert (await other.receive())["result"] == {}
    lines = [record.getMessage() for record in caplog.records if record.name == "trunkline.audit"]
    who = f"by observe {shown['observe'].token.token_id}"
    assert f"attached: {session_id} as observer {who}" in lines
    assert f"detached: {session_id} {who}" in lines


async def test_a_client_from_elsewhere_neither_narrows_providers_nor_has_files_here_read(
    app: Application, listeners: Listeners, tokens: TokenStore, sockets: Path, tmp_path: Path
) -> None:
    (tmp_path / "trunkline.json").write_text('{"disabled_providers": ["openai"]}', encoding="utf-8")
    path = sockets / "t.sock"
    await listeners.open(UnixAddress(path))
    folder = {"uri": tmp_path.as_uri(), "name": "folder"}
    async with unix_wire(path, header(read_token(tokens.create("admin").file))) as wire:
        await wire.handshake(
            initializationOptions={"trunkline": {"disabled_providers": ["anthropic"]}},
            workspaceFolders=[folder],
        )
        wire.send(
            notification("initialized"),
            notification("workspace/didChangeWorkspaceFolders", event={"added": [folder], "removed": []}),
            request("provider/list", 1),
        )
        answer = await wire.receive()
        while answer.get("id") != 1:
            answer = await wire.receive()
    listed = {info["providerId"] for info in answer["result"]["providers"]}
    assert {"openai", "anthropic"} <= listed
    assert {"openai", "anthropic"} <= {provider.provider_id for provider in app.registry.all()}


async def test_the_process_that_a_remote_client_names_is_not_watched(
    listeners: Listeners, tokens: TokenStore, sockets: Path
) -> None:
    path = sockets / "t.sock"
    await listeners.open(UnixAddress(path))
    async with unix_wire(path, header(read_token(tokens.create().file))) as wire:
        await wire.handshake(processId=2**22 + 1)  # there is none with this id, or it is not the client
        wire.send(request("provider/list", 1))
        assert "result" in await wire.receive()


async def test_clients_over_socket_and_port_use_one_application_without_noticing_each_other(
    listeners: Listeners,
    tokens: TokenStore,
    sockets: Path,
    scripted: Upstream,
    provider: Provider,
    user: User,
) -> None:
    provider.answers += [answer_sse(chunk(content="Hello"), chunk("stop"))] * 2
    path = sockets / "t.sock"
    await listeners.open(UnixAddress(path))
    url = await listeners.open(WebSocketAddress("127.0.0.1", 0, is_secure=False))
    admin, control = (read_token(tokens.create(scope).file) for scope in ("admin", "control"))
    async with unix_wire(path, header(admin)) as near, web_wire(url, control) as far:
        await near.handshake()
        await far.handshake()
        near.send(request("auth/set", 1, providerId="fastrouter", secret="key-of-this-test"))
        stored = await near.receive()
        assert "result" in stored
        assert (await far.ask("auth/list", 1))["error"]["code"] == ErrorCode.NOT_PERMITTED
        question = {"role": "user", "content": [{"type": "text", "text": "Hi"}]}
        near.send(request("chat/stream", 2, model=MODEL, messages=[question]))
        there = await far.ask("chat/stream", 2, model=MODEL, messages=[question])
        here = await near.receive()
        assert here["result"]["message"] == there["result"]["message"]
        assert len(scripted.chats()) == 2
        near.send(request("shutdown", 3), notification("exit"))
        assert (await near.receive())["id"] == 3
        assert (await far.ask("provider/list", 3))["result"]["providers"]
    assert user.files_with(admin) == [tokens.file_of(tokens.list()[0].token_id)]
