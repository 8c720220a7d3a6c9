"""The VS Code extension, bundled as it is shipped, drives the real server; the module `vscode` is a small fake."""

import asyncio
import base64
import json
import os
import shutil
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.authorisation import KEY, Authorisation, running_authorisation
from support.clients import CLIENTS, missing_client
from support.editor_tools import calling
from support.provider import MODEL, Provider, chunk
from support.upstream import Upstream, answer_sse
from support.user import CANARY, User
from trunkline.catalog.modelsdev import ModelsDev
from trunkline.demo.upstream import DemoUpstream

EXTENSION = CLIENTS.parent.parent / "editors" / "vscode"
DRIVER = CLIENTS / "vscode"
TRUNKLINE = Path(sys.executable).parent / "trunkline"
_MOST_S = 45
SLOW_MODEL = MODEL.replace("fastrouter", "openrouter")


@dataclass(frozen=True)
class VsCode:
    """The extension in a process of its own."""

    node: str
    bundle: Path
    user: User
    path: Path
    """What `trunkline.path` is set to: the server, behind something that writes down what it reads."""
    sent: Path
    """Every byte that the extension sent."""

    async def run(self, scenario: str, folder: Path | None = None, *, attach: str = "", **more: str) -> Any:
        """What the scenario saw. The key it types in is nowhere in that, nor in what was logged or shown."""
        settings = {"path": str(self.path), "attach": attach}
        fake = {"settings": settings, "folders": [str(folder)] if folder else []}
        process = await asyncio.create_subprocess_exec(
            self.node,
            str(DRIVER / "drive.js"),
            str(self.bundle),
            scenario,
            stdout=PIPE,
            stderr=PIPE,
            env={
                **self.user.env,
                "NODE_PATH": str(DRIVER / "fakes"),
                "FAKE_VSCODE": json.dumps(fake),
                "TEST_KEY": CANARY,
                "OPENROUTER_API_KEY": "sk-other",
                **more,
            },
        )
        talking = asyncio.create_task(process.communicate())
        await asyncio.wait({talking}, timeout=_MOST_S)
        if not talking.done():
            process.terminate()  # it says how far it came
        out, err = await talking
        assert process.returncode == 0, err.decode()
        assert CANARY.encode() not in out + err
        return json.loads(out)


def program(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]), encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
async def vscode(user: User, tmp_path: Path) -> VsCode:
    node = shutil.which("node")
    if node is None:
        missing_client("vscode", "no `node` on PATH")
    if not (EXTENSION / "node_modules").is_dir():
        missing_client("vscode", "run `make clients`")
    bundle = tmp_path / "extension.js"
    building = await asyncio.create_subprocess_exec(
        node, "build.mjs", f"--outfile={bundle}", cwd=EXTENSION, stdout=PIPE, stderr=PIPE
    )
    _, err = await building.communicate()
    assert building.returncode == 0, err.decode()
    sent = tmp_path / "sent"
    server = program(tmp_path / "server", f'tee -a "{sent}" | "{TRUNKLINE}" "$@"')
    return VsCode(node, bundle, user, server, sent)


def route(user: User, fastrouter: str, openrouter: str) -> None:
    sections = {"fastrouter": fastrouter, "openrouter": openrouter}
    user.configure({"provider": {name: {"options": {"baseURL": url}} for name, url in sections.items()}})


@pytest.mark.client("vscode")
async def test_models_of_the_server_are_vs_codes_own(
    vscode: VsCode, user: User, provider: Provider, scripted: Upstream
) -> None:
    provider.answers = [answer_sse(chunk(content="Once upon"), chunk("stop"), hold=asyncio.Event())]
    async with DemoUpstream(key=CANARY) as upstream:
        route(user, upstream.base_url, scripted.base_url)
        seen = await vscode.run("languageModels", SLOW_MODEL=SLOW_MODEL)
        async with asyncio.timeout(10):
            await scripted.closed_early.wait()

    assert seen["vendor"] == "trunkline"
    assert {model["detail"] for model in seen["before"]} == {"OpenRouter"}
    mine = [model for model in seen["models"] if model["detail"] == "FastRouter"]
    assert {model["id"].partition("/")[0] for model in mine} == {"fastrouter"}
    for model in mine:
        assert model["name"]
        assert model["family"]
        assert model["maxInputTokens"] > 0
        assert model["maxOutputTokens"] > 0
        assert set(model["capabilities"]) == {"imageInput", "toolCalling"}
    assert any("per million tokens" in model["tooltip"] for model in mine)

    assert seen["call"]["name"] == "read_file"
    assert seen["call"]["input"] == {"path": "notes.md"}
    assert seen["call"]["callId"]
    assert "Buy milk" in seen["answer"]
    assert 2 <= seen["tokens"] <= 8
    assert seen["messageTokens"] > 0

    assert seen["cancelled"] == "Once upon"
    assert seen["unknown"]["code"] == "NotFound"
    assert seen["noKey"]["code"] == "NoPermissions"
    assert "trunkline auth login openai" in seen["noKey"]["message"]

    typed = [shown for shown in seen["shown"] if shown["kind"] == "input"]
    assert [shown["password"] for shown in typed] == [True]
    assert seen["updates"] == []
    assert vscode.sent.read_bytes().count(CANARY.encode()) == 1
    assert user.files_with(CANARY) == [user.paths.data / "auth.json"]


@pytest.mark.client("vscode")
async def test_messages_arrive_at_the_provider_as_they_were_meant(
    vscode: VsCode, user: User, provider: Provider, scripted: Upstream
) -> None:
    provider.answers = [answer_sse(chunk(content="A cat."), chunk("stop"))]
    user.route(scripted.base_url, "openrouter")
    model = next(
        model.model for model in ModelsDev().models("openrouter") if "image" in model.input_modalities
    )
    seen = await vscode.run("images", SCRIPTED_MODEL=model)
    assert seen["text"] == "A cat."
    sent = scripted.chats()[0].json
    roles = [message["role"] for message in sent["messages"]]
    assert roles[:4] == ["system", "user", "assistant", "tool"]
    asked = sent["messages"][1]["content"]
    assert asked[0] == {"type": "text", "text": "What is this?"}
    assert asked[1]["image_url"]["url"] == f"data:image/png;base64,{base64.b64encode(b'png').decode()}"
    assert asked[2] == {"type": "text", "text": "{}"}
    assert len(asked) == 3
    assert sent["messages"][2]["tool_calls"][0]["function"] == {"name": "look", "arguments": '{"at":"it"}'}
    assert "A cat." in json.dumps(sent["messages"][3])
    assert "Well?" in json.dumps(sent["messages"][4:])
    assert sent["tools"][0]["function"]["name"] == "look"
    assert sent["tool_choice"] == "required"
    assert sent["temperature"] == 0.5


@pytest.mark.client("vscode")
async def test_a_model_gets_its_reasoning_back_with_its_calls(
    vscode: VsCode, user: User, provider: Provider, scripted: Upstream
) -> None:
    details = [{"type": "reasoning.encrypted", "data": "opaque", "index": 0}]
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "read_file", "arguments": "{}"}}
    provider.answers = [
        answer_sse(chunk(reasoning_details=details), chunk(tool_calls=[call]), chunk("tool_calls")),
        answer_sse(chunk(content="Done."), chunk("stop")),
    ]
    user.route(scripted.base_url, "openrouter")
    seen = await vscode.run("reasoning", SCRIPTED_MODEL=SLOW_MODEL)
    assert seen["text"] == "Done."
    answered = next(m for m in scripted.chats()[1].json["messages"] if m["role"] == "assistant")
    assert answered["reasoning_details"][0]["data"] == "opaque"


@pytest.mark.client("vscode")
async def test_the_participant_is_a_session(
    vscode: VsCode, user: User, provider: Provider, scripted: Upstream, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "notes.md").write_text("# Saved\n", encoding="utf-8")
    provider.answers = [answer_sse(chunk(content="Once upon"), chunk("stop"), hold=asyncio.Event())]
    async with DemoUpstream(key=CANARY) as upstream:
        route(user, upstream.base_url, scripted.base_url)
        unsaved = "# Buy figs\n\nand bread\n"
        seen = await vscode.run("participant", folder, SLOW_MODEL=SLOW_MODEL, UNSAVED=unsaved)

    assert seen["noKey"]["buttons"] == ["trunkline.signIn"]
    assert seen["noKey"]["errorDetails"]["message"]
    assert "it has 3 lines" in seen["first"]["markdown"]  # the buffer, which is not saved
    assert "Running read_file" in seen["first"]["progress"]
    session = seen["first"]["metadata"]["sessionId"]
    assert seen["second"]["metadata"]["sessionId"] == session
    assert seen["second"]["markdown"]
    assert seen["cancelled"]["markdown"] == "Once upon"
    assert seen["cancelled"]["metadata"]["sessionId"] != session
    assert "What does notes.md say?" in seen["transcript"]
    assert "it has 3 lines" in seen["transcript"]
    assert seen["continued"]["metadata"]["sessionId"] == session
    assert seen["copied"].startswith("trunkline attach unix:")
    assert "--token-file=" in seen["copied"]
    assert [name for name, _ in seen["updates"]] == ["model"]
    assert [shown["message"] for shown in seen["shown"] if shown["kind"] == "error"] == []


@pytest.mark.client("vscode")
async def test_a_change_is_asked_for_and_made_by_the_editor(
    vscode: VsCode, provider: Provider, scripted: Upstream, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "notes.md").write_text("saved\n", encoding="utf-8")
    answer = answer_sse(chunk(content="Changed."), chunk("stop"))
    changing = calling("edit_file", path="notes.md", oldText="not saved", newText="changed")
    provider.answers = [changing, answer, answer]  # the title is the last
    assert scripted.port
    unsaved = "first\nnot saved\n"
    seen = await vscode.run(
        "edit", folder, SCRIPTED_MODEL=MODEL, UNSAVED=unsaved, FASTROUTER_API_KEY="sk-any"
    )
    assert seen["answer"]["markdown"] == "Changed."
    (asked,) = [shown for shown in seen["shown"] if shown["kind"] == "warning"]
    assert "notes.md" in asked["message"]
    (edit,) = seen["edits"]
    assert edit["uri"] == (folder / "notes.md").as_uri()
    assert edit["range"] == {"startLine": 1, "startCharacter": 0, "endLine": 2, "endCharacter": 0}
    assert edit["newText"] == "changed\n"


@pytest.mark.client("vscode")
async def test_signing_in_on_a_page(vscode: VsCode, user: User) -> None:
    async with running_authorisation(Authorisation()) as server:
        user.route(server.base_url, "openrouter")
        seen = await vscode.run("signInOnPage", OPENROUTER_API_KEY="")
    said = [shown["message"] for shown in seen["shown"] if shown["kind"] in ("information", "error")]
    assert said == ["You are signed in to OpenRouter."]
    assert [shown["password"] for shown in seen["shown"] if shown["kind"] == "input"] == [True]
    assert user.files_with(KEY) == [user.paths.data / "auth.json"]


@pytest.mark.client("vscode")
async def test_a_server_that_runs_already_is_attached_to(
    vscode: VsCode, user: User, sockets: Path, provider: Provider, scripted: Upstream
) -> None:
    provider.answers = [answer_sse(chunk(content="Hello."), chunk("stop"))] * 2  # the title is the second
    assert scripted.port
    url = f"unix:{sockets / 'd.sock'}"
    daemon = await asyncio.create_subprocess_exec(
        str(TRUNKLINE),
        "serve",
        "--listen",
        url,
        stderr=PIPE,
        env={**user.env, "FASTROUTER_API_KEY": "sk-any"},
    )
    assert daemon.stderr is not None
    try:
        await daemon.stderr.readline()  # it listens
        plain = VsCode(vscode.node, vscode.bundle, user, TRUNKLINE, vscode.sent)
        seen = await plain.run("attached", attach=url)
    finally:
        daemon.terminate()
        await daemon.communicate()
    assert MODEL in [model["id"] for model in seen["models"]]
    assert seen["answer"]["markdown"] == "Hello."


@pytest.mark.client("vscode")
async def test_failures_say_why_and_a_killed_server_comes_back(
    vscode: VsCode, user: User, scripted: Upstream, tmp_path: Path
) -> None:
    pid_file = tmp_path / "pid"
    server = program(tmp_path / "named", f'echo $$ > "{pid_file}"', f'exec "{TRUNKLINE}" "$@"')
    broken = program(tmp_path / "broken", "echo 'trunkline: the sky has fallen' >&2", "exit 3")
    named = VsCode(vscode.node, vscode.bundle, user, server, vscode.sent)
    seen = await named.run(
        "failures",
        FASTROUTER_API_KEY="sk-any",
        BROKEN_SERVER=str(broken),
        PID_FILE=str(pid_file),
    )
    missing, fallen, stopped = [shown for shown in seen["shown"] if shown["kind"] == "error"]
    assert "/no/such/trunkline" in missing["message"]
    assert "pipx install trunkline" in missing["message"]
    assert "the sky has fallen" in fallen["message"]
    assert "Show Log" in fallen["actions"]
    assert "restarted three times" in stopped["message"]
    assert "Restart" in stopped["actions"]
    assert seen["afterLast"] == []
    assert seen["models"] == []
    assert seen["stopped"]["command"] == "trunkline.showLog"
    assert seen["running"]["text"] == "$(git-merge) Trunkline"
    assert MODEL in [model["id"] for model in seen["afterKill"]]
    assert len(scripted.lists()) >= 1


@pytest.mark.client("vscode")
async def test_a_path_that_is_being_typed_starts_one_server(
    vscode: VsCode, user: User, scripted: Upstream, tmp_path: Path
) -> None:
    pid_file = tmp_path / "pids"
    server = program(tmp_path / "named", f'echo $$ >> "{pid_file}"', f'exec "{TRUNKLINE}" "$@"')
    named = VsCode(vscode.node, vscode.bundle, user, server, vscode.sent)
    seen = await named.run("hurried", FASTROUTER_API_KEY="sk-any", PID_FILE=str(pid_file))
    assert seen["started"] == 2  # the first one, and one with the whole path
    assert MODEL in [model["id"] for model in seen["models"]]
    assert [shown["message"] for shown in seen["shown"] if shown["kind"] == "error"] == []
    assert scripted.lists()


@pytest.mark.client("vscode")
async def test_the_example_of_the_types_is_a_client(vscode: VsCode, user: User, tmp_path: Path) -> None:
    bundle = tmp_path / "example.js"
    env = {**os.environ, "NODE_PATH": str(EXTENSION / "node_modules")}
    example = CLIENTS.parent.parent / "protocol" / "typescript" / "example.ts"
    esbuild = EXTENSION / "node_modules" / ".bin" / "esbuild"
    options = ("--bundle", "--platform=node", f"--outfile={bundle}", "--log-level=error")
    building = await asyncio.create_subprocess_exec(str(esbuild), str(example), *options, env=env)
    assert await building.wait() == 0
    async with DemoUpstream(key=CANARY) as upstream:
        user.route(upstream.base_url)
        asking = await asyncio.create_subprocess_exec(
            vscode.node,
            str(bundle),
            str(TRUNKLINE),
            "Hello?",
            stdout=PIPE,
            env={**user.env, "FASTROUTER_API_KEY": CANARY},
        )
        out, _ = await asking.communicate()
    assert asking.returncode == 0
    answer, _, summary = out.decode().rstrip("\n").rpartition("\n")
    assert answer
    assert summary.startswith("fastrouter/")
    assert "USD" in summary
