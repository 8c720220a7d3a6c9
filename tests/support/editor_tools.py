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
    exitCode      of the server
"""

import asyncio
import json
from asyncio.subprocess import DEVNULL, PIPE
from typing import Any

from support.provider import MODEL, Provider, chunk
from support.upstream import Answer, answer_sse, running_upstream
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
    folder = user.home / "project"
    folder.mkdir(parents=True)
    file = folder / "notes.txt"
    file.write_text(SAVED, encoding="utf-8")
    provider = Provider()
    provider.answers = [
        calling("read_file", path="notes.txt"),
        calling("edit_file", path="notes.txt", oldText="Zeile", newText="line"),
        calling("read_file", path="notes.txt"),
        answer_sse(chunk(content="Done."), chunk("stop")),
    ]
    plan = {
        "server": SERVER,
        "folder": str(folder),
        "file": str(file),
        "typed": TYPED,
        "model": MODEL,
        "patienceMs": 20_000,
    }
    async with running_upstream(provider) as upstream:
        user.route(upstream.base_url)
        seen = await _drive(command, user, plan)
    assert seen["status"] == "completed"
    [subject] = seen["permissions"]
    assert (subject["tool"], subject["path"]) == ("edit_file", "notes.txt")
    assert seen["edited"] == CHANGED + SAVED
    assert seen["undone"] == TYPED + SAVED
    assert seen["exitCode"] == 0
    assert file.read_text(encoding="utf-8") == SAVED, "nothing was saved"

    first, *_, last = upstream.chats()
    offered = {tool["function"]["name"] for tool in first.json["tools"]}
    assert offered == {"read_file", "list_files", "search_text", "edit_file"}
    results = [message["content"] for message in last.json["messages"] if message["role"] == "tool"]
    assert results[0] == f"1\t{TYPED}2\t{SAVED.strip()}"
    assert results[1] == "notes.txt is changed in the editor; it is not saved yet."
    assert results[2] == f"1\t{CHANGED}2\t{SAVED.strip()}"


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
