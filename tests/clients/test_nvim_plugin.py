"""The plugin for Neovim, in Neovim, against the real server."""

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from support.daemon import running_daemon
from support.driven_editors import CHAT_TEXT, PLUGINS, Neovim, running
from support.editor_tools import calling
from support.provider import MODEL, USAGE, Provider, chunk
from support.upstream import Answer, Received, Upstream, answer_json, answer_sse
from support.user import CANARY, User

pytestmark = pytest.mark.client("nvim")

TYPED_KEY = "sk-typed-5d0b77e1c94a4f62"


@pytest.fixture
def folder(user: User) -> Path:
    """A project with one file."""
    made = user.home / "project"
    made.mkdir(parents=True)
    (made / "notes.txt").write_text("saved line\n", encoding="utf-8")
    return made


@pytest.fixture
async def nvim(user: User, folder: Path, sockets: Path) -> AsyncGenerator[Neovim]:
    async with running(Neovim(user, folder, sockets / "nvim")) as editor:
        await editor.run(f"vim.cmd('Trunkline model {MODEL}')")
        yield editor


def said(words: str) -> Answer:
    return answer_sse(chunk(content=words), chunk("stop"), USAGE)


def knows_keys(request: Received) -> Answer:
    """The script of a provider that says of an empty request what is wrong, but only to who has a key."""
    if request.path.endswith("/models"):
        return Provider()(request)
    return answer_json({"error": {"message": "No."}}, 400 if "authorization" in request.headers else 401)


def shows(text: str) -> str:
    """The condition that a chat shows a text."""
    return f"({CHAT_TEXT}):find([==[{text}]==], 1, true)"


async def choose(nvim: Neovim, answer: str) -> None:
    """Let the user choose from lists what a Lua expression of `choices` and `shown`, what they read, gives."""
    await nvim.run(
        "_G.asked = {} vim.ui.select = function(choices, options, choose)"
        " local shown = vim.tbl_map(options.format_item or tostring, choices)"
        " table.insert(_G.asked, { prompt = options.prompt, shown = shown })"
        f" choose({answer}) end"
    )


async def test_a_chat_streams_ends_and_is_found_again(
    nvim: Neovim, scripted: Upstream, provider: Provider
) -> None:
    rest = asyncio.Event()
    streamed = [chunk(reasoning="Let me\nthink"), chunk(content="Once *upon*\n"), chunk(content="a ti")]
    provider.answers = [
        answer_sse(*streamed, chunk(content="me."), chunk("stop"), USAGE, done=False, hold=rest),
        said("A tale"),
    ]
    await nvim.run("vim.cmd('Trunkline chat Tell me „etwas“')")
    await nvim.until(shows("a ti"))
    before = await nvim.text()
    rest.set()
    await nvim.until("vim.b.trunkline_status == 'A tale · fastrouter/acme/talker'")
    heading = "## You\n\nTell me „etwas“\n\n## fastrouter/acme/talker\n\n> Let me\n> think\n\n"
    assert before.startswith(heading + "Once *upon*\na ti")
    assert await nvim.text() == heading + "Once *upon*\na time."
    footer = await nvim.run(
        "local m = vim.api.nvim_buf_get_extmarks(0, vim.api.nvim_create_namespace('trunkline'), 0, -1,"
        " { details = true }) return m[1][4].virt_text[1][1]"
    )
    assert footer == "1000 in, 500 out, about 0.0020 USD"

    # Another server finds the session, in a list and in a buffer that begins anew.
    await nvim.run("vim.cmd('Trunkline detach') vim.cmd('bdelete')")
    provider.answers = [said("The end.")]
    await choose(nvim, "choices[1]")
    await nvim.run("vim.cmd('Trunkline sessions')")
    await nvim.until(shows("a time."))
    assert await nvim.text() == heading + "Once *upon*\na time."
    [asked] = await nvim.run("return _G.asked")
    assert asked == {"prompt": "Session", "shown": ["A tale  fastrouter/acme/talker  idle, 1 turns"]}
    await nvim.run("vim.cmd('Trunkline chat And then?')")
    await nvim.until(shows("The end."))
    told = [message["content"] for message in scripted.chats()[-1].json["messages"]]
    assert told == ["Tell me „etwas“", "Once *upon*\na time.", "And then?"]
    await nvim.quit()
    assert "rror" not in await nvim.ended()


@pytest.mark.parametrize(
    ("answer", "told", "notes"),
    [
        ("choices[1]", "notes.txt is changed in the editor; it is not saved yet.", "typed line\nsaved line"),
        ("nil", "Error: The user did not allow this.", "typed „Zeile“ 😀\nsaved line"),
    ],
)
async def test_a_model_works_on_what_is_not_saved_as_far_as_it_is_allowed(
    nvim: Neovim, folder: Path, scripted: Upstream, provider: Provider, answer: str, told: str, notes: str
) -> None:
    provider.answers = [
        calling("read_file", path="notes.txt"),
        calling("edit_file", path="notes.txt", oldText="„Zeile“ 😀", newText="line"),
        said("Done."),
        said("Notes"),
    ]
    await choose(nvim, answer)
    text = "table.concat(vim.api.nvim_buf_get_lines(_G.notes, 0, -1, false), '\\n')"
    await nvim.run(
        "vim.cmd.edit('notes.txt') _G.notes = vim.api.nvim_get_current_buf()"
        " vim.api.nvim_buf_set_lines(0, 0, 0, false, { 'typed „Zeile“ 😀' })"
        " vim.cmd('let &undolevels = &undolevels') vim.cmd('1Trunkline chat Translate this line')"
    )
    await nvim.until(shows("Done."))
    assert await nvim.run(f"return {text}") == notes
    await nvim.run("vim.api.nvim_buf_call(_G.notes, function() vim.cmd('silent! undo') end)")
    if answer != "nil":
        assert await nvim.run(f"return {text}") == "typed „Zeile“ 😀\nsaved line"
    assert (folder / "notes.txt").read_text(encoding="utf-8") == "saved line\n"

    [asked] = await nvim.run("return _G.asked")
    assert asked["prompt"].startswith("Allow edit_file to change notes.txt?")
    assert "„Zeile“ 😀" in asked["prompt"]
    assert asked["shown"] == ["Allow once", "Allow in this session", "Allow always", "Deny"]
    messages = scripted.chats()[2].json["messages"]
    assert messages[0]["content"] == (
        "notes.txt, lines 1 to 1:\n```text\ntyped „Zeile“ 😀\n```\n\nTranslate this line"
    )
    results = [message["content"] for message in messages if message["role"] == "tool"]
    assert results == ["1\ttyped „Zeile“ 😀\n2\tsaved line", told]
    shown = await nvim.text()
    assert "> → 1\ttyped „Zeile“ 😀 (and 1 more lines)" in shown
    assert '> `read_file` {"path":"notes.txt"}' in shown.replace('": "', '":"')


async def test_a_prompt_is_typed_and_the_answer_interrupted(
    nvim: Neovim, scripted: Upstream, provider: Provider
) -> None:
    never = asyncio.Event()
    provider.answers = [answer_sse(chunk(content="Once upon"), chunk("stop"), done=False, hold=never)]
    await nvim.run("vim.cmd('Trunkline! chat')")
    await nvim.until("vim.fn.mode() == 'i'")
    await nvim.type("one<CR>two<C-s>")
    await nvim.until(shows("Once upon"))
    assert (await nvim.text()).startswith("## You\n\none\ntwo\n\n## ")
    await nvim.type("<C-c>")
    await nvim.until(shows("Once upon\n\n> *Interrupted.*"))
    async with asyncio.timeout(10):
        await scripted.closed_early.wait()


async def test_what_goes_wrong_is_shown_and_lost_connections_are_made_anew(
    nvim: Neovim, provider: Provider, scripted: Upstream
) -> None:
    provider.answers = [answer_json({"error": {"message": "No."}}, status=401), said("Back."), said("Title")]
    await nvim.run("vim.cmd('Trunkline chat Hello')")
    await nvim.until(shows("> **"))
    assert "auth login fastrouter" in await nvim.text(), "what to do"
    await nvim.run("vim.cmd('Trunkline detach')")
    await nvim.until(shows("There is no connection to the server any more"))
    await nvim.run("vim.cmd('Trunkline chat Again')")
    await nvim.until(shows("Back."))
    assert scripted.chats()


async def test_a_key_is_typed_and_is_nowhere_but_in_the_store(
    nvim: Neovim, user: User, scripted: Upstream
) -> None:
    scripted.script = knows_keys
    await nvim.run(
        "vim.lsp.log.set_level(vim.log.levels.TRACE) _G.notices = {}"
        " vim.notify = function(text) table.insert(_G.notices, text) end"
    )
    await choose(nvim, "'apiKey'")
    await nvim.run("vim.cmd('Trunkline login fastrouter')")
    await nvim.hear("Key for FastRouter: ", "the prompt")
    await nvim.type(f"{TYPED_KEY}<CR>")
    await nvim.until("_G.notices[1]")
    assert await nvim.run("return _G.notices") == ["Trunkline: the key for FastRouter is stored"]
    await nvim.run("vim.cmd('Trunkline model')")
    await nvim.until("#_G.asked > 0")
    await nvim.quit()
    assert TYPED_KEY not in await nvim.ended()
    assert [path.name for path in user.files_with(TYPED_KEY)] == ["auth.json"]
    assert [path.name for path in user.files_with('"provider/list"')] == ["lsp.log"], "everything else is"
    assert f"Bearer {TYPED_KEY}" in [asked.headers.get("authorization") for asked in scripted.chats()]


async def test_a_session_of_a_daemon_is_followed_and_continued(
    nvim: Neovim, user: User, sockets: Path, scripted: Upstream, provider: Provider
) -> None:
    rest = asyncio.Event()
    held = answer_sse(
        chunk(content="Begun"), chunk(content=" and done."), chunk("stop"), done=False, hold=rest
    )
    provider.answers = [held, said("Continued.")]
    options = {"baseURL": scripted.base_url, "apiKey": CANARY}
    user.configure({"provider": {"fastrouter": {"options": options}}})
    await choose(nvim, "choices[1]")
    async with running_daemon(user, sockets / "t.sock") as daemon:
        session = (await daemon.ask("session/create", model=MODEL, title="Elsewhere"))["session"]
        await daemon.prompt(session["sessionId"], "From elsewhere")
        await asyncio.wait_for(scripted.asked.wait(), 10)
        await nvim.run(f"vim.cmd('Trunkline attach unix:{daemon.socket}')")
        await nvim.until(shows("Begun"))
        rest.set()
        await nvim.until(shows("Begun and done."))
        await nvim.run("vim.cmd('Trunkline chat From here')")
        await nvim.until(shows("Continued."))
        await nvim.until("vim.b.trunkline_status == 'Elsewhere · fastrouter/acme/talker'")
        assert await nvim.text() == (
            "## You\n\nFrom elsewhere\n\n## fastrouter/acme/talker\n\nBegun and done.\n\n"
            "## You\n\nFrom here\n\n## fastrouter/acme/talker\n\nContinued."
        )
        read = await daemon.ask("session/read", sessionId=session["sessionId"])
        await nvim.run("vim.cmd('Trunkline detach')")
    assert [turn["status"] for turn in read["turns"]] == ["completed", "completed"]


async def test_health_and_help(nvim: Neovim) -> None:
    await nvim.run("vim.cmd('checkhealth trunkline')")
    report = await nvim.run("return vim.api.nvim_buf_get_lines(0, 0, -1, false)")
    assert any("OK" in line and "trunkline, version" in line for line in report), json.dumps(report)
    completed = await nvim.run("return vim.fn.getcompletion('Trunkline ', 'cmdline')")
    text = (PLUGINS / "nvim" / "doc" / "trunkline.txt").read_text(encoding="utf-8")
    assert [name for name in completed if f"*:Trunkline-{name}*" not in text] == []
    assert set(completed) >= {"chat", "model", "login", "sessions", "attach"}
