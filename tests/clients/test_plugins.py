"""Our plugins, each in its own editor, against the real server."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from support.daemon import running_daemon
from support.driven_editors import PLUGINS, DrivenEditor, running
from support.driven_emacs import Emacs
from support.driven_nvim import Neovim
from support.editor_tools import calling
from support.provider import MODEL, MODELS, USAGE, Provider, chunk
from support.upstream import Answer, Received, Upstream, answer_json, answer_sse
from support.user import CANARY, User

NEOVIM = pytest.param(Neovim, marks=pytest.mark.client("nvim"), id="nvim")
EMACS = pytest.param(Emacs, marks=pytest.mark.client("emacs"), id="emacs")

TYPED_KEY = "sk-typed-5d0b77e1c94a4f62"
COST = "\n\n> 1000 in, 500 out, about 0.0020 USD"


@pytest.fixture
def folder(user: User) -> Path:
    """A project with one file."""
    made = user.home / "project"
    made.mkdir(parents=True)
    (made / "notes.txt").write_text("saved line\n", encoding="utf-8")
    return made


@pytest.fixture(params=[NEOVIM, EMACS])
async def editor(
    request: pytest.FixtureRequest, user: User, folder: Path, sockets: Path
) -> AsyncGenerator[DrivenEditor]:
    # In a directory of its own: Emacs deletes that when it lies in /tmp.
    own = sockets / "editor"
    own.mkdir(mode=0o700)
    async with running(request.param(user, folder, own / "s")) as editor:
        await editor.model(MODEL)
        yield editor


def said(words: str) -> Answer:
    return answer_sse(chunk(content=words), chunk("stop"), USAGE)


def told(upstream: Upstream, role: str) -> list[str]:
    """What the model was sent last."""
    return [
        message["content"] for message in upstream.chats()[-1].json["messages"] if message["role"] == role
    ]


async def test_a_chat_streams_ends_and_is_found_again(
    editor: DrivenEditor, scripted: Upstream, provider: Provider
) -> None:
    rest = asyncio.Event()
    streamed = [chunk(reasoning="Let me\nthink"), chunk(content="Once *upon*\n"), chunk(content="a ti")]
    provider.answers = [
        answer_sse(*streamed, chunk(content="me."), chunk("stop"), USAGE, done=False, hold=rest),
        said("A tale"),
    ]
    await editor.chat("Tell me „etwas“")
    await editor.shows("a time.")
    before = await editor.text()
    rest.set()
    await editor.has_status("A tale · fastrouter/acme/talker")
    heading = "## You\n\nTell me „etwas“\n\n## fastrouter/acme/talker\n\n> Let me\n> think\n\n"
    whole = f"{heading}Once *upon*\na time.{COST}"
    assert before == heading + "Once *upon*\na time."
    assert await editor.text() == whole

    # Another server finds the session, in a list and in a buffer that begins anew.
    await editor.detach()
    await editor.close_chat()
    provider.answers = [said("The end.")]
    await editor.choose("A tale")
    await editor.sessions()
    await editor.shows(COST)
    assert await editor.text() == whole
    [asked] = await editor.asked()
    assert asked.startswith("Session")
    await editor.chat("And then?")
    await editor.shows("The end.")
    assert told(scripted, "user") == ["Tell me „etwas“", "And then?"]
    assert told(scripted, "assistant") == ["Once *upon*\na time."]
    await editor.quit()
    assert "rror" not in await editor.ended()


async def test_a_model_reads_what_is_not_saved_and_its_change_is_undone(
    editor: DrivenEditor, folder: Path, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [
        calling("read_file", path="notes.txt"),
        calling("edit_file", path="notes.txt", oldText="„Zeile“ 😀", newText="line"),
        calling("read_file", path="notes.txt"),
        said("Done."),
        said("Notes"),
    ]
    await editor.choose("Allow once")
    await editor.type_in_notes("typed „Zeile“ 😀")
    await editor.ask_about_first_line("Translate this")
    await editor.has_status("Notes · fastrouter/acme/talker")
    assert await editor.buffer("notes.txt") == "typed line\nsaved line\n"
    await editor.undo_in_notes()
    assert await editor.buffer("notes.txt") == "typed „Zeile“ 😀\nsaved line\n"
    assert (folder / "notes.txt").read_text(encoding="utf-8") == "saved line\n"

    [asked] = await editor.asked()
    assert asked.startswith("Allow edit_file to change notes.txt?")
    assert "„Zeile“ 😀" in asked
    messages = scripted.chats()[3].json["messages"]
    quoted = "notes.txt, lines 1 to 1:\n```text\ntyped „Zeile“ 😀\n```\n\nTranslate this"
    assert messages[0]["content"] == quoted
    assert [message["content"] for message in messages if message["role"] == "tool"] == [
        "1\ttyped „Zeile“ 😀\n2\tsaved line",
        "notes.txt is changed in the editor; it is not saved yet.",
        "1\ttyped line\n2\tsaved line",
    ]
    shown = await editor.text()
    assert '> `read_file` {"path":"notes.txt"}\n\n> → 1\ttyped „Zeile“ 😀 (and 1 more lines)\n\n' in shown


async def test_nothing_is_changed_unasked_and_later_changes_are_seen(
    editor: DrivenEditor, folder: Path, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [calling("edit_file", path="notes.txt", content=""), said("Pity."), said("Notes")]
    await editor.choose(None)
    await editor.chat("Hello")
    await editor.has_status("Notes · fastrouter/acme/talker")
    assert "> ✗ The user did not allow this." in await editor.text()
    provider.answers = [
        calling("edit_file", path="new.txt", content="Größe\n"),
        calling("read_file", path="notes.txt"),
        said("Done."),
    ]
    await editor.choose("Allow once")
    await editor.type_in_notes("\U0001f600 first")
    await editor.chat("Go on")
    await editor.shows("Done.")
    assert await editor.buffer("new.txt") == "Größe\n"
    assert not (folder / "new.txt").exists()
    assert told(scripted, "tool")[2] == "1\t\U0001f600 first\n2\tsaved line"


async def test_a_model_is_chosen_from_a_list_for_chats_that_are_open_and_new_ones(
    editor: DrivenEditor, scripted: Upstream, provider: Provider
) -> None:
    def two_models(request: Received) -> Answer:
        if not request.path.endswith("/models"):
            return provider(request)
        [talker] = MODELS["data"]
        return answer_json({"data": [talker, {**talker, "id": "acme/thinker", "name": "Thinker"}]})

    scripted.script = two_models
    provider.answers = [said("One."), said("Title"), said("Two."), said("Three.")]
    await editor.chat("Hello")
    await editor.has_status("Title · fastrouter/acme/talker")
    await editor.choose("fastrouter/acme/thinker")
    await editor.models()
    await editor.has_status("Title · fastrouter/acme/thinker")
    await editor.chat("Again")
    await editor.shows("Two.")
    await editor.chat("Hello", new=True)
    await editor.shows("Three.")
    asked = [chat.json["model"] for chat in scripted.chats()]
    assert (asked[0], asked[2], asked[3]) == ("acme/talker", "acme/thinker", "acme/thinker")


async def test_a_prompt_is_typed_and_the_answer_interrupted(
    editor: DrivenEditor, scripted: Upstream, provider: Provider
) -> None:
    never = asyncio.Event()
    provider.answers = [answer_sse(chunk(content="Once upon"), chunk("stop"), done=False, hold=never)]
    await editor.type_prompt("one", "two")
    await editor.shows("Once upon")
    assert (await editor.text()).startswith("## You\n\none\ntwo\n\n## ")
    await editor.interrupt()
    await editor.shows("Once upon\n\n> *Interrupted.*")
    async with asyncio.timeout(10):
        await scripted.closed_early.wait()


async def test_what_goes_wrong_is_shown_and_a_lost_connection_is_made_anew(
    editor: DrivenEditor, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [answer_json({"error": {"message": "No."}}, status=401), said("Back."), said("Title")]
    await editor.chat("Hello")
    await editor.shows("> **")
    assert "auth login fastrouter" in await editor.text(), "what to do"
    await editor.detach()
    await editor.shows("There is no connection to the server any more")
    await editor.chat("Again")
    await editor.has_status("Title · fastrouter/acme/talker")
    assert told(scripted, "user") != []
    assert (await editor.text()).endswith("Back." + COST)


def knows_keys(request: Received) -> Answer:
    """The script of a provider that says of an empty request what is wrong, but only to who has a key."""
    if request.path.endswith("/models"):
        return Provider()(request)
    return answer_json({"error": {"message": "No."}}, 400 if "authorization" in request.headers else 401)


async def test_a_key_is_typed_and_is_nowhere_but_in_the_store(
    editor: DrivenEditor, user: User, scripted: Upstream
) -> None:
    scripted.script = knows_keys
    await editor.log_in(TYPED_KEY)
    await editor.hear("the key for FastRouter is stored", "the key")
    await editor.quit()
    assert TYPED_KEY not in await editor.ended()
    assert [path.name for path in user.files_with(TYPED_KEY)] == ["auth.json"]
    assert f"Bearer {TYPED_KEY}" in [asked.headers.get("authorization") for asked in scripted.chats()]


async def test_a_session_of_a_daemon_is_followed_and_continued(
    editor: DrivenEditor, user: User, sockets: Path, scripted: Upstream, provider: Provider
) -> None:
    rest = asyncio.Event()
    held = answer_sse(
        chunk(content="Begun"), chunk(content=" and done."), chunk("stop"), done=False, hold=rest
    )
    provider.answers = [held, said("Continued.")]
    options = {"baseURL": scripted.base_url, "apiKey": CANARY}
    user.configure({"provider": {"fastrouter": {"options": options}}})
    await editor.choose("Elsewhere")
    async with running_daemon(user, sockets / "t.sock") as daemon:
        session = (await daemon.ask("session/create", model=MODEL, title="Elsewhere"))["session"]
        await daemon.prompt(session["sessionId"], "From elsewhere")
        async with asyncio.timeout(10):
            await scripted.asked.wait()
        await editor.attach(f"unix:{daemon.socket}")
        await editor.shows("Begun")
        rest.set()
        await editor.shows("Begun and done.")
        await editor.chat("From here")
        await editor.shows("Continued." + COST)
        await editor.has_status("Elsewhere · fastrouter/acme/talker")
        assert await editor.text() == (
            "## You\n\nFrom elsewhere\n\n## fastrouter/acme/talker\n\nBegun and done.\n\n"
            f"## You\n\nFrom here\n\n## fastrouter/acme/talker\n\nContinued.{COST}"
        )
        read = await daemon.ask("session/read", sessionId=session["sessionId"])
        await editor.detach()
    assert [turn["status"] for turn in read["turns"]] == ["completed", "completed"]


@pytest.mark.client("emacs")
@pytest.mark.parametrize("editor", [NEOVIM], indirect=True)
async def test_two_editors_follow_and_continue_one_session_by_turns(
    editor: Neovim, user: User, folder: Path, sockets: Path, scripted: Upstream, provider: Provider
) -> None:
    rest = asyncio.Event()
    words = [chunk(content="To"), chunk(content=" Emacs."), chunk("stop")]
    provider.answers = [answer_sse(*words, USAGE, done=False, hold=rest), said("To Neovim.")]
    options = {"baseURL": scripted.base_url, "apiKey": CANARY}
    user.configure({"provider": {"fastrouter": {"options": options}}})
    own = sockets / "emacs"
    own.mkdir(mode=0o700)
    async with (
        running_daemon(user, sockets / "t.sock") as daemon,
        running(Emacs(user, folder, own / "s")) as emacs,
    ):
        await daemon.ask("session/create", model=MODEL, title="Together")
        for each in (editor, emacs):
            await each.choose("Together")
            await each.attach(f"unix:{daemon.socket}")
            await each.has_status("Together · fastrouter/acme/talker")
        await emacs.chat("From Emacs")
        await editor.shows("From Emacs")
        await editor.shows("To")
        rest.set()
        await editor.shows("To Emacs." + COST)
        await editor.chat("From Neovim")
        for each in (editor, emacs):
            await each.shows("To Neovim." + COST)
        assert await editor.text() == await emacs.text()
        for each in (editor, emacs):
            await each.detach()


@pytest.mark.parametrize("editor", [NEOVIM], indirect=True)
async def test_neovim_has_a_health_check_and_help_for_every_command(editor: Neovim) -> None:
    await editor.run("vim.cmd('checkhealth trunkline')")
    report = await editor.run("return vim.api.nvim_buf_get_lines(0, 0, -1, false)")
    assert any("OK" in line and "trunkline, version" in line for line in report), report
    completed = await editor.run("return vim.fn.getcompletion('Trunkline ', 'cmdline')")
    assert set(completed) >= {"chat", "model", "login", "sessions", "attach"}
    text = (PLUGINS / "nvim" / "doc" / "trunkline.txt").read_text(encoding="utf-8")
    assert [name for name in completed if f"*:Trunkline-{name}*" not in text] == []


@pytest.mark.parametrize("editor", [NEOVIM], indirect=True)
@pytest.mark.usefixtures("scripted")
async def test_a_fast_model_makes_neovim_draw_seldom(editor: Neovim, provider: Provider) -> None:
    deltas = 4000
    words = [chunk(content="word ")] * deltas
    provider.answers = [answer_sse(*words, chunk(content="."), chunk("stop")), said("Title")]
    await editor.chat("Go")
    await editor.shows("word .")
    assert (await editor.text()).count("word") == deltas
    assert await editor.run("return vim.b.changedtick") < deltas / 4


@pytest.mark.parametrize("editor", [EMACS], indirect=True)
async def test_the_package_for_emacs_compiles_without_a_warning(editor: Emacs, tmp_path: Path) -> None:
    files = [shutil.copy(file, tmp_path) for file in (PLUGINS / "emacs").glob("*.el")]
    compiled = await editor.run(
        f'(let ((byte-compile-error-on-warn t) (load-path (cons "{tmp_path}" load-path)))'
        f' (vconcat (mapcar #\'byte-compile-file (directory-files "{tmp_path}" t "\\\\.el$"))))'
    )
    assert compiled == [True] * len(files)
