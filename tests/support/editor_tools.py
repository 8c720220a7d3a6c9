"""A model that works in a real editor: it reads a buffer that is not saved, changes it, and its user undoes that.

A driver (tests/clients/*/tools.*) finds its plan in the environment as TRUNKLINE_TEST_PLAN, JSON:

    server        the command line of the server, a list
    folder        the workspace folder
    file          a text file in it to open
    typed         what to put in front of its text, without saving
    model         the model of the session
    patienceMs    give up on any one thing after this long

It begins a session, asks the model, allows what it is asked, waits for the turn to end, undoes the change, takes leave
of the server and prints one JSON object:

    status        of the turn, from `turn.completed`
    permissions   the subjects of what it was asked
    edited, undone      the text of the buffer after the turn, and after undoing
    buffers       the lines of every buffer after the turn, by file name, where the driver is an editor that has any
    exitCode      of the server
"""

import asyncio
import json
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import Any

from support.provider import MODEL, Provider, chunk
from support.upstream import Answer, Received, Upstream, answer_sse, running_upstream
from support.user import CANARY, SERVER, User

SAVED = "saved line\n"
TYPED = "typed „Zeile“ 😀\n"
CHANGED = TYPED.replace("Zeile", "line")


def calling(name: str, **arguments: Any) -> Answer:
    """The model asks for a tool."""
    call = {
        "index": 0,
        "id": f"call_{name}",
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(arguments)},
    }
    return answer_sse(chunk(tool_calls=[call]), chunk("tool_calls"))


async def check_tools(command: list[str], user: User) -> None:
    """Run a driver as `user`; everything here must be so for every editor."""
    file = _project(user) / "notes.txt"
    seen, upstream = await _session(
        command,
        user,
        calling("read_file", path="notes.txt"),
        calling("edit_file", path="notes.txt", oldText="Zeile", newText="line"),
        calling("read_file", path="notes.txt"),
    )
    [subject] = seen["permissions"]
    assert (subject["tool"], subject["path"]) == ("edit_file", "notes.txt")
    assert seen["edited"] == CHANGED + SAVED
    assert seen["undone"] == TYPED + SAVED
    assert seen["exitCode"] == 0
    assert file.read_text(encoding="utf-8") == SAVED, "nothing was saved"

    first, *_, last = upstream.chats()
    offered = {tool["function"]["name"] for tool in first.json["tools"]}
    assert offered == {"read_file", "list_files", "search_text", "edit_file"}
    results = _results(last)
    assert results[0] == f"1\t{TYPED}2\t{SAVED.strip()}"
    assert results[1] == "notes.txt is changed in the editor; it is not saved yet."
    assert results[2] == f"1\t{CHANGED}2\t{SAVED.strip()}"


async def check_other_files(command: list[str], user: User) -> None:
    """The same for an editor with buffers: files that are not open, twice, and new ones."""
    folder = _project(user)
    seen, upstream = await _session(
        command,
        user,
        calling("edit_file", path="other.txt", oldText="two", newText="2"),
        calling("edit_file", path="other.txt", oldText="one", newText="1"),
        calling("read_file", path="other.txt"),
        calling("edit_file", path="sub/new.txt", content="fresh\n"),
    )
    assert seen["buffers"]["other.txt"] == ["1", "2"]
    assert seen["buffers"]["new.txt"] == ["fresh"]
    assert (folder / "other.txt").read_bytes() == b"one\r\ntwo", "nothing was saved"
    assert _results(upstream.chats()[-1])[2] == "1\t1\n2\t2"


def _project(user: User) -> Path:
    folder = user.home / "project"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text(SAVED, encoding="utf-8")
    (folder / "other.txt").write_bytes(b"one\r\ntwo")
    return folder


async def _session(command: list[str], user: User, *answers: Answer) -> tuple[dict[str, Any], Upstream]:
    """One turn, in which the model does this and is done."""
    provider = Provider()
    provider.answers = [*answers, answer_sse(chunk(content="Done."), chunk("stop"))]
    plan = {
        "server": SERVER,
        "folder": str(user.home / "project"),
        "file": str(user.home / "project" / "notes.txt"),
        "typed": TYPED,
        "model": MODEL,
        "patienceMs": 20_000,
    }
    async with running_upstream(provider) as upstream:
        user.route(upstream.base_url)
        seen = await _drive(command, user, plan)
    assert seen["status"] == "completed"
    return seen, upstream


def _results(request: Received) -> list[str]:
    """What the model was told of its calls."""
    return [message["content"] for message in request.json["messages"] if message["role"] == "tool"]


async def _drive(command: list[str], user: User, plan: dict[str, Any]) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        cwd=user.home,
        env={
            **user.env,
            "FASTROUTER_API_KEY": CANARY,
            "LC_ALL": "C",
            "TERM": "dumb",
            "TRUNKLINE_TEST_PLAN": json.dumps(plan),
        },
    )
    try:
        async with asyncio.timeout(50):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, (err + out).decode()
    return json.loads(out)
