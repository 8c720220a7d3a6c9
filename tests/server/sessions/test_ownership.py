"""Which sessions stay in memory."""

import gc

import pytest

from support.provider import MODEL, Provider, chunk
from support.sessions import Follower, following
from support.upstream import Upstream, answer_sse
from support.user import CANARY
from trunkline.app import Application
from trunkline.sessions.live_session import LiveSession
from trunkline.sessions.ownership import MOST_PARKED


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch, _no_keys_of_this_machine: None) -> None:
    monkeypatch.setenv("FASTROUTER_API_KEY", CANARY)


def in_memory() -> int:
    gc.collect()
    return sum(isinstance(thing, LiveSession) for thing in gc.get_objects())


async def ask(client: Follower, session_id: str, key: str) -> None:
    asked = {"sessionId": session_id, "input": [{"type": "text", "text": "There?"}], "requestKey": key}
    turn_id = (await client.call("session/prompt", **asked))["turnId"]
    await client.event("turn.completed", turnId=turn_id, status="completed")


async def test_of_many_sessions_the_last_stay_in_memory_and_all_go_on(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    many = MOST_PARKED + 20
    provider.answers = [answer_sse(chunk("stop", content="Here.")) for _ in range(many + 1)]
    async with following(app) as client:
        ids: list[str] = []
        for _ in range(many):
            created = await client.call("session/create", model=MODEL, title="T")
            ids.append(created["session"]["sessionId"])
            await ask(client, ids[-1], "first")
            await client.call("session/detach", sessionId=ids[-1])
        await client.call("session/attach", sessionId=ids[0], role="controller")
        # Beside those there are the one that is attached to and one that is just being parked.
        assert MOST_PARKED / 2 < in_memory() <= MOST_PARKED + 2
        await ask(client, ids[0], "second")
    assert len(scripted.chats()) == many + 1
