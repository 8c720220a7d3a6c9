"""`trunkline chat` as a process: one question from a shell, for people and programs; talking at a terminal."""

import base64
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from support.command_line import on_a_terminal, trunkline
from support.provider import MODEL, USAGE, Provider, chunk
from support.upstream import Upstream, answer_json, answer_sse
from support.user import CANARY, User

OTHER = "fastrouter/acme/other"
POSIX = pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals and signals are POSIX")
OVERLOADED = answer_json({"error": {"message": "too many"}}, 503)
PNG = b"\x89PNG\r\n\x1a\nrest"


async def test_what_is_piped_in_files_and_system_are_a_part_of_the_prompt(
    user: User, scripted: Upstream, provider: Provider, tmp_path: Path
) -> None:
    (tmp_path / "notes.md").write_text("# Notes\n", encoding="utf-8")
    (tmp_path / "photo").write_bytes(PNG)  # known by its bytes, not by its name
    (tmp_path / "paper.bin").write_bytes(b"%PDF-1.7 ...")
    models = {"acme/talker": {"modalities": {"input": ["text", "image", "pdf"], "output": ["text"]}}}
    user.configure(
        {"provider": {"fastrouter": {"options": {"baseURL": scripted.base_url}, "models": models}}}
    )
    provider.answers = [answer_sse(chunk(content="ok"), chunk("stop"))]
    files = [part for name in ("notes.md", "photo", "paper.bin") for part in ("-f", str(tmp_path / name))]
    ran = await trunkline(
        user,
        *("chat", "-m", MODEL, "--system", "Be brief.", *files, "Sum", "up:"),
        stdin="from a pipe",
        FASTROUTER_API_KEY=CANARY,
    )
    assert (ran.code, ran.out) == (0, "ok\n")
    system, asked = scripted.chats()[0].json["messages"]
    assert system == {"role": "system", "content": "Be brief."}
    notes, photo, paper, words = asked["content"]
    assert notes["text"] == '<file name="notes.md">\n# Notes\n</file>'
    assert photo["image_url"]["url"] == f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    assert paper["file"]["filename"] == "paper.bin"
    assert words["text"] == "Sum up:\n\nfrom a pipe"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-f", "absent.txt", "Hi"], "'absent.txt' does not exist"),
        (["-f", "binary", "Hi"], "neither text (UTF-8) nor a picture"),
        ([], "The message is empty"),
        (["--no-such-option"], "No such option"),
    ],
)
async def test_wrong_usage_is_exit_code_2(user: User, arguments: list[str], said: str) -> None:
    user.home.mkdir()
    (user.home / "binary").write_bytes(b"\0\1\2")
    named = [str(user.home / "binary") if argument == "binary" else argument for argument in arguments]
    ran = await trunkline(user, "chat", "-m", MODEL, *named)
    assert (ran.code, ran.out) == (2, "")
    assert said in " ".join(ran.err.split())


async def test_events_and_result_as_json_lines(user: User, scripted: Upstream, provider: Provider) -> None:
    provider.answers = [answer_sse(chunk(content="\x1b[31mok"), chunk("stop"), USAGE)]
    ran = await trunkline(user, "chat", "--json", "-m", MODEL, "Hi", FASTROUTER_API_KEY=CANARY)
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert (ran.code, ran.err) == (0, "")
    assert {"type": "text.delta", "text": "\x1b[31mok"} in lines
    assert lines[-2]["type"] == "message.completed"
    assert lines[-1]["type"] == "result"
    assert lines[-1]["result"]["usage"]["inputTokens"] == 1000
    assert scripted.chats()


async def test_an_error_is_the_last_json_line(user: User, scripted: Upstream, provider: Provider) -> None:
    provider.answers = [answer_sse(chunk(content="Half"), done=False)]
    ran = await trunkline(user, "chat", "--json", "-m", MODEL, "Hi", FASTROUTER_API_KEY=CANARY)
    last: dict[str, Any] = json.loads(ran.out.splitlines()[-1])
    assert (ran.code, last["type"], last["error"]["data"]["kind"]) == (1, "error", "streamInterrupted")
    assert ran.err.startswith("error: ")
    assert scripted.chats()


async def test_a_key_that_is_missing_or_refused_is_exit_code_3(
    user: User, scripted: Upstream, provider: Provider
) -> None:
    missing = await trunkline(user, "chat", "-m", "fastrouter/openai/gpt-5-mini", "Hi")
    assert (missing.code, missing.out) == (3, "")
    assert "trunkline auth login fastrouter" in missing.err
    provider.answers = [answer_json({"error": {"message": "bad key", "code": 401}}, 401)]
    refused = await trunkline(user, "chat", "-m", MODEL, "Hi", FASTROUTER_API_KEY=CANARY)
    assert (refused.code, refused.out) == (3, ""), refused.err
    assert len(scripted.chats()) == 1


async def test_another_model_is_asked_and_said_to_be(
    user: User, scripted: Upstream, provider: Provider
) -> None:
    options = {"baseURL": scripted.base_url}
    settings = {"options": options, "models": {"acme/other": {"name": "Other"}}}
    user.configure({"provider": {"fastrouter": settings}, "request": {"maxRetries": 0}})
    provider.answers = [OVERLOADED, answer_sse(chunk(content="ok"), chunk("stop"))]
    ran = await trunkline(user, "chat", "-m", OTHER, "--fallback", MODEL, "Hi", FASTROUTER_API_KEY=CANARY)
    assert (ran.code, ran.out) == (0, "ok\n")
    assert f"Asking {MODEL} instead." in ran.err
    assert scripted.chats()


async def test_what_a_terminal_would_obey_is_taken_out_of_text_and_errors(
    user: User, scripted: Upstream, provider: Provider
) -> None:
    text = ["a\x1b", "[31mb\x1b]0;ti", "tle\x07c\rd\x07\x9b2Je\u009b2Jf"]
    provider.answers = [
        answer_sse(*(chunk(content=piece) for piece in text), chunk("stop")),
        answer_json({"error": {"message": "no \x1b[2Jway", "code": 400}}, 400),
    ]
    ran = await trunkline(user, "chat", "-m", MODEL, "Hi", FASTROUTER_API_KEY=CANARY)
    assert ran.out == "abcdef\n"
    failed = await trunkline(user, "chat", "-m", MODEL, "Hi", FASTROUTER_API_KEY=CANARY)
    assert "way" in failed.err
    assert "\x1b" not in failed.err
    assert len(scripted.chats()) == 2


async def test_a_picture_in_an_answer_is_told_of_and_is_in_the_json(
    user: User, scripted: Upstream, provider: Provider
) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    answer = answer_sse(chunk(content="Here:"), chunk(images=[picture]), chunk("stop"))
    provider.answers = [answer, answer]
    ran = await trunkline(user, "chat", "-m", MODEL, "Draw", FASTROUTER_API_KEY=CANARY)
    assert (ran.code, ran.out) == (0, "Here:\n")
    assert "image/png, which is not shown here" in ran.err
    as_json = await trunkline(user, "chat", "--json", "-m", MODEL, "Draw", FASTROUTER_API_KEY=CANARY)
    assert '"data": "AAAA"' in as_json.out
    assert len(scripted.chats()) == 2


@POSIX
async def test_talking_at_a_terminal(user: User, scripted: Upstream, provider: Provider) -> None:
    saved = user.home / "saved.md"
    provider.answers = [
        answer_sse(chunk(content="**Once** upon\n\n- a time"), chunk("stop"), USAGE),
        answer_sse(chunk(content="Twice"), chunk("stop"), USAGE),
    ]
    seen = await on_a_terminal(
        user,
        ["chat", "-m", MODEL],
        {
            "\x1b[?2004h": "Tell me\x1b\ra story\r",
            "500 out": "/system Be brief.\r",
            "\x1b[2mBe brief.": "/model fastrouter/acme/talkr\r",
            "Did you mean": "Again\r",
            "Twice": f"/save {saved}\r",
            "Wrote ": "/nonsense\r",
            "There is no /nonsense": "/quit\r",
        },
        FASTROUTER_API_KEY=CANARY,
        PROMPT_TOOLKIT_NO_CPR="1",
    )
    first, second = (request.json["messages"] for request in scripted.chats())
    assert first == [{"role": "user", "content": "Tell me\na story"}]
    assert [message["content"] for message in second] == [
        "Be brief.",
        "Tell me\na story",
        "**Once** upon\n\n- a time",
        "Again",
    ]
    assert "\x1b[1mOnce\x1b[0m upon" in seen  # Markdown, in bold
    assert "2 answers · 2000 tokens in, 1000 out · about $0.004" in seen
    assert "## Answer\n\nTwice" in saved.read_text(encoding="utf-8")
    history = user.paths.state / "chat-history"
    assert "+Again" in history.read_text(encoding="utf-8")
    assert history.stat().st_mode & 0o777 == 0o600


@POSIX
async def test_ctrl_c_stops_the_answer_and_what_came_is_kept(
    user: User, scripted: Upstream, provider: Provider
) -> None:
    stalled = answer_sse(chunk(content="Half an answer"), done=False)
    provider.answers = [
        type(stalled)(stalled.status, stalled.headers, stalled.pieces, stall=True),
        answer_sse(chunk(content="Whole"), chunk("stop"), USAGE),
    ]
    seen = await on_a_terminal(
        user,
        ["chat", "-m", MODEL],
        {
            "/help says more": "First\r",
            "Half an answer": signal.SIGINT,
            "stopped": "Second\r",
            "Whole": "/quit\r",
        },
        FASTROUTER_API_KEY=CANARY,
        PROMPT_TOOLKIT_NO_CPR="1",
        NO_COLOR="1",
    )
    assert scripted.closed_early.is_set()
    said = [message["content"] for message in scripted.chats()[1].json["messages"]]
    assert said == ["First", "Half an answer", "Second"]
    assert "\x1b[3" not in seen  # no colours


@POSIX
async def test_a_retry_is_counted_down(user: User, scripted: Upstream, provider: Provider) -> None:
    user.route(scripted.base_url, request={"maxRetries": 1})
    provider.answers = [
        answer_json({"error": {"message": "slow down"}}, 429, Retry_After="1"),
        answer_sse(chunk(content="ok"), chunk("stop")),
    ]
    seen = await on_a_terminal(user, ["chat", "-m", MODEL, "Hi"], {}, FASTROUTER_API_KEY=CANARY)
    assert "try 2 of 2" in seen
    assert "in 1 s" in seen
    assert "ok" in seen
