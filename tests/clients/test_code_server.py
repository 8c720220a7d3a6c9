"""VS Code itself, as code-server in a headless browser, with the extension installed from its .vsix."""

import asyncio
import json
import os
import shlex
import sys
from pathlib import Path

import pytest

from support.authorisation import KEY, Authorisation
from support.clients import is_promised
from support.code_server import EXTENSION, INSTALLED, running_window
from support.daemon import running_daemon
from support.provider import MODEL, Provider, chunk
from support.upstream import Answer, Received, Upstream, answer_sse, running_upstream
from support.user import CANARY, User
from trunkline.client import spawn
from trunkline.demo.upstream import DemoUpstream

TRUNKLINE = str(Path(sys.executable).parent / "trunkline")
SLOW_MODEL = MODEL.replace("fastrouter", "openrouter")

pytestmark = [
    pytest.mark.client("code-server"),
    pytest.mark.timeout(400),
    pytest.mark.skipif(not is_promised("code-server"), reason="a command of its own: `make test-vscode`"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "notes.md").write_text("# Buy milk\n\nand bread\n", encoding="utf-8")
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots go: where TRUNKLINE_PICTURES is set, into the documentation."""
    return EXTENSION / "pictures" if "TRUNKLINE_PICTURES" in os.environ else tmp_path / "pictures"


async def test_a_key_models_a_chat_that_goes_on_sharing_and_another_extension(
    user: User, provider: Provider, scripted: Upstream, tmp_path: Path, folder: Path, pictures: Path
) -> None:
    proof = tmp_path / "proof.json"
    probing = {
        "OPENROUTER_API_KEY": "sk-other",
        "SLOW_MODEL": SLOW_MODEL,
        "PROBE_MODEL": "fastrouter/anthropic/claude-opus-4.1",
        "PROBE_FILE": str(proof),
    }
    provider.answers = [answer_sse(chunk(content="Once upon"), chunk("stop"), hold=asyncio.Event())]
    async with DemoUpstream(key=CANARY) as upstream:
        sections = {"fastrouter": upstream.base_url, "openrouter": scripted.base_url}
        user.configure({"provider": {name: {"options": {"baseURL": url}} for name, url in sections.items()}})
        settings = {"trunkline.path": TRUNKLINE}
        async with running_window(user, folder, settings, pictures, INSTALLED / "probe", **probing) as window:
            assert "1 provider can be used" in await window.do("status", "can be used")
            assert await window.do("signInWithKey", CANARY, "sign-in") == "password"
            assert "2 providers can be used" in await window.do("status", "2 providers")
            picker = await window.do("pickModel", "FastRouter", "model-picker")
            assert any("FastRouter" in row for row in picker)
            assert any("Talker" in row for row in picker)
            answer = await window.do("ask", "What does notes.md say?", "it has 3 lines", "chat")
            assert "I have read it." in answer

            opened = await window.do("continueSession", "fastrouter/")
            assert str(folder) in opened["row"]
            assert "What does notes.md say?" in opened["page"]
            assert "it has 3 lines" in opened["page"]
            assert opened["unsaved"] == 0
            await window.do("ask", "And who are you?", "here I am", "session")

            shared = await window.do("share", "Let others watch")
            assert shared["copied"] in shared["said"]
            asked = await asked_of(user, shared["copied"])
            await window.do("probe")
        async with asyncio.timeout(10):
            await scripted.closed_early.wait()
    assert asked == ["What does notes.md say?", "And who are you?"]
    assert user.files_with(CANARY) == [user.paths.data / "auth.json"]

    probed = json.loads(proof.read_text(encoding="utf-8"))
    assert "error" not in probed, probed["error"]
    assert SLOW_MODEL in [model["id"] for model in probed["models"]]
    assert all(model["maxInputTokens"] > 0 for model in probed["models"])
    assert probed["call"] == {"name": "read_file", "input": {"path": "notes.md"}}
    assert "Buy milk" in probed["answer"]
    assert 2 <= probed["tokens"] <= 8
    assert probed["cancelled"] in {"Once upon", "Canceled"}


async def asked_of(user: User, command: str) -> list[str]:
    """What was asked in the only session of the server that `command` attaches to."""
    program, *arguments = shlex.split(command)
    assert program == "trunkline"
    async with spawn([TRUNKLINE, *arguments], env=user.env) as client:
        await client.initialize()
        [session] = (await client.request("session/list", {}))["sessions"]
        read = await client.request("session/read", {"sessionId": session["sessionId"]})
        await client.shutdown()
    return [turn["items"][0]["message"]["content"][0]["text"] for turn in read["turns"]]


async def test_what_is_wrong_is_shown_pages_sign_in_and_a_server_elsewhere_is_attached_to(
    user: User, sockets: Path, provider: Provider, scripted: Upstream, folder: Path, pictures: Path
) -> None:
    provider.answers = [
        answer_sse(chunk(content=text), chunk("stop")) for text in ("Begun.", "Continued from here.")
    ]
    authorisation = Authorisation()

    def openrouter(request: Received) -> Answer:
        # Both have the model, and VS Code may choose that of either.
        ours = request.path.endswith(("/api/v1/models", "/chat/completions"))
        return provider(request) if ours else authorisation(request)

    async with running_upstream(openrouter) as upstream:
        options = {
            "fastrouter": {"baseURL": scripted.base_url, "apiKey": CANARY},
            "openrouter": {"baseURL": upstream.base_url},
        }
        user.configure({"provider": {name: {"options": section} for name, section in options.items()}})
        settings = {"trunkline.path": "/no/such/trunkline"}
        async with running_window(user, folder, settings, pictures) as window:
            status = await window.do("status", "/no/such/trunkline")
            assert "pipx install trunkline" in status
            shown = await window.do("readWhyNotStarted", "failure")
            assert "/no/such/trunkline" in shown["said"]
            assert "/no/such/trunkline" in shown["log"]
            await window.do("correctPath", TRUNKLINE)

            assert "go back to where you came from" in await window.do("signInOnPage")
            assert len(user.files_with(KEY)) == 1
            assert await window.do("signInWithCode") == "password"

            async with running_daemon(user, sockets / "d.sock") as daemon:
                created = await daemon.ask("session/create", model=MODEL, title="Elsewhere")
                session_id = created["session"]["sessionId"]
                await daemon.prompt(session_id, "Asked elsewhere")
                assert "token" in await window.do("attachToNobody")
                await window.do("attach", f"unix:{daemon.socket}")
                await window.do("status", "can be used")
                await window.do("hasModel", "Talker")
                opened = await window.do("continueSession", "Elsewhere")
                assert "Asked elsewhere" in opened["page"]
                await window.do("ask", "Asked in VS Code", "Continued from here.")
                read = await daemon.ask("session/read", sessionId=session_id)
                assert "token" in await window.do("attachToNobody")
                await window.do("attach", "")
                await window.do("status", "can be used")
    assert [turn["status"] for turn in read["turns"]] == ["completed", "completed"]
