"""What the relay remembers, without a connection: bounds and the cases that take long with one."""

import json
from typing import Any

import pytest

from support.wire import notification, request
from trunkline.remote.attach.conversation import Conversation
from trunkline.remote.attach.open_requests import MOST_BYTES, MOST_WAITING


class Both:
    """A conversation, and what each side was told."""

    def __init__(self) -> None:
        self.editor: list[Any] = []
        self.server: list[Any] = []
        self.talk = Conversation(
            lambda body: self.editor.append(json.loads(body)),
            lambda body: self.server.append(json.loads(body)),
        )

    def say(self, *messages: Any) -> None:
        for message in messages:
            self.talk.editor_says(json.dumps(message).encode())

    def greeted(self) -> None:
        self.talk.connected()
        self.say(request("initialize", 0, capabilities={}))
        self.answer(0, {"capabilities": {}})
        self.editor.clear()
        self.server.clear()

    def answer(self, request_id: Any, result: Any) -> None:
        self.talk.server_says(json.dumps({"jsonrpc": "2.0", "id": request_id, "result": result}).encode())

    def refused(self) -> list[Any]:
        """The ids of requests that were answered with an error, and forgets them."""
        ids = [message["id"] for message in self.editor if "error" in message]
        self.editor.clear()
        return ids


def test_requests_wait_for_a_connection_but_not_for_ever_and_not_without_bound() -> None:
    both = Both()
    both.greeted()
    both.talk.disconnected()
    both.say(*(request("session/list", number) for number in range(MOST_WAITING + 2)))
    assert both.refused() == [MOST_WAITING, MOST_WAITING + 1]
    both.talk.give_up_waiting()
    assert both.refused() == list(range(MOST_WAITING))
    both.say(request("session/prompt", "large", text="x" * MOST_BYTES))
    assert both.refused() == ["large"]
    both.talk.connected()
    assert [message["method"] for message in both.server] == ["initialize"]


def test_who_gives_up_is_told_whether_anything_was_sent() -> None:
    both = Both()
    both.greeted()
    both.say(request("session/prompt", "sent"))
    both.talk.disconnected()
    both.say(request("session/prompt", "kept"))
    both.talk.give_up_waiting()
    said = {message["id"]: message["error"] for message in both.editor}
    assert "before this was answered" in said["sent"]["message"]
    assert "nothing was sent" in said["kept"]["message"]
    assert {error["code"] for error in said.values()} == {1306}


def test_what_is_too_large_to_be_kept_is_sent_once() -> None:
    both = Both()
    both.greeted()
    both.say(request("session/prompt", "large", text="x" * MOST_BYTES), request("session/prompt", "small"))
    both.talk.disconnected()
    assert both.refused() == ["large"]


@pytest.mark.parametrize("member", [None, 5, "text", [], {}, [None]])
def test_odd_params_are_for_the_server_to_complain_of(member: Any) -> None:
    both = Both()
    both.greeted()
    odd: list[Any] = [
        *(
            {"jsonrpc": "2.0", "method": method, "params": member}
            for method in (
                "textDocument/didOpen",
                "textDocument/didChange",
                "workspace/didChangeWorkspaceFolders",
                "workspace/didChangeConfiguration",
                "$/cancelRequest",
            )
        ),
        {
            "jsonrpc": "2.0",
            "method": "textDocument/didChange",
            "params": {"textDocument": member, "contentChanges": member},
        },
        {
            "jsonrpc": "2.0",
            "method": "workspace/didChangeWorkspaceFolders",
            "params": {"event": {"added": member}},
        },
        *(
            {"jsonrpc": "2.0", "id": method, "method": method, "params": member}
            for method in (
                "session/attach",
                "session/create",
                "session/detach",
                "initialize",
            )
        ),
        {"jsonrpc": "2.0", "id": member, "method": "session/list"},
        {"jsonrpc": "2.0", "id": member, "result": 1},
        member,
    ]
    both.say(*odd)
    for request_id in ("session/attach", "session/create", "session/detach", member):
        both.answer(request_id, member)
    for method in ("session/event", "session/lagged", "session/closed", "$/cancelRequest", "tool/call"):
        both.talk.server_says(json.dumps({"jsonrpc": "2.0", "method": method, "params": member}).encode())
    both.talk.disconnected()
    both.talk.connected()
    assert both.server[-1]["method"] == "initialize"


def test_a_refused_initialize_may_be_sent_again() -> None:
    both = Both()
    both.talk.connected()
    both.say(request("initialize", 1, capabilities=None))
    error = {"code": -32602, "message": "capabilities"}
    both.talk.server_says(json.dumps({"jsonrpc": "2.0", "id": 1, "error": error}).encode())
    both.say(request("initialize", 2, processId=77, capabilities={}))
    assert both.server[-1]["params"] == {"processId": None, "capabilities": {}}
    assert both.talk.client_process == 77
    both.answer(2, {"capabilities": {}})
    both.say(notification("initialized"))
    assert both.server[-1]["method"] == "initialized"
