"""The package for Emacs, in Emacs, against the real server."""

import asyncio
import json
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from support.daemon import running_daemon
from support.driven_editors import EMACS_CHAT_TEXT, PLUGINS, Emacs, running
from support.editor_tools import calling
from support.provider import MODEL, USAGE, Provider, chunk
from support.upstream import Answer, Received, Upstream, answer_json, answer_sse
from support.user import CANARY, User

pytestmark = pytest.mark.client("emacs")

TYPED_KEY = "sk-typed-5d0b77e1c94a4f62"


@pytest.fixture
def folder(user: User) -> Path:
    """A project with one file."""
    made = user.home / "project"
    made.mkdir(parents=True)
    (made / "notes.txt").write_text("saved line\n", encoding="utf-8")
    return made


@pytest.fixture
async def emacs(user: User, folder: Path, sockets: Path) -> AsyncGenerator[Emacs]:
    # In a directory of its own: Emacs deletes that when it lies in /tmp.
    own = sockets / "emacs"
    own.mkdir(mode=0o700)
    async with running(Emacs(user, folder, own / "s")) as editor:
        await editor.run(f'(progn (trunkline-model "{MODEL}") t)')
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
    return f"(string-search {json.dumps(text, ensure_ascii=False)} {EMACS_CHAT_TEXT})"


async def type_when_asked(emacs: Emacs, keys: str) -> None:
    """Let the user press keys in every prompt, and note the prompts."""
    await emacs.run(
        "(progn (defvar test-asked nil) (add-hook 'minibuffer-setup-hook (lambda ()"
        " (setq test-asked (append test-asked (list (minibuffer-prompt))))"
        f" (setq unread-command-events (listify-key-sequence {json.dumps(keys)})))) t)"
    )


STATUS = "(with-current-buffer trunkline-chat--latest (format-mode-line header-line-format))"


async def test_a_chat_streams_ends_and_is_found_again(
    emacs: Emacs, scripted: Upstream, provider: Provider
) -> None:
    rest = asyncio.Event()
    streamed = [chunk(reasoning="Let me\nthink"), chunk(content="Once *upon*\n"), chunk(content="a ti")]
    provider.answers = [
        answer_sse(*streamed, chunk(content="me."), chunk("stop"), USAGE, done=False, hold=rest),
        said("A tale"),
    ]
    await emacs.run('(ignore (trunkline-chat nil "Tell me „etwas“"))')
    await emacs.until(shows("a ti"))
    before = await emacs.text()
    rest.set()
    await emacs.until(f'(equal {STATUS} "A tale · fastrouter/acme/talker")')
    heading = "## You\n\nTell me „etwas“\n\n## fastrouter/acme/talker\n\n> Let me\n> think\n\n"
    whole = heading + "Once *upon*\na time.\n\n> 1000 in, 500 out, about 0.0020 USD"
    assert before.startswith(heading + "Once *upon*\na ti")
    assert await emacs.text() == whole

    # Another server finds the session, in a list and in a buffer that begins anew.
    await emacs.run("(ignore (trunkline-detach) (kill-buffer trunkline-chat--latest))")
    provider.answers = [said("The end.")]
    await type_when_asked(emacs, "A\t\r")
    await emacs.run("(ignore (trunkline-sessions))")
    await emacs.until(shows("0.0020 USD"))
    assert await emacs.text() == whole
    assert await emacs.run("(vconcat test-asked)") == ["Session: "]
    await emacs.run('(ignore (trunkline-chat nil "And then?"))')
    await emacs.until(shows("The end."))
    told = [message["content"] for message in scripted.chats()[-1].json["messages"]]
    assert told == ["Tell me „etwas“", "Once *upon*\na time.", "And then?"]
    await emacs.quit()
    assert "rror" not in await emacs.ended()


@pytest.mark.parametrize(
    ("keys", "told", "notes"),
    [
        (
            "Allow once\r",
            "notes.txt is changed in the editor; it is not saved yet.",
            "typed line\nsaved line\n",
        ),
        ("\x07", "Error: The user did not allow this.", "typed „Zeile“ 😀\nsaved line\n"),
    ],
)
async def test_a_model_works_on_what_is_not_saved_as_far_as_it_is_allowed(
    emacs: Emacs, folder: Path, scripted: Upstream, provider: Provider, keys: str, told: str, notes: str
) -> None:
    provider.answers = [
        calling("read_file", path="notes.txt"),
        calling("edit_file", path="notes.txt", oldText="„Zeile“ 😀", newText="line"),
        calling("read_file", path="notes.txt"),
        said("Done."),
        said("Notes"),
    ]
    await type_when_asked(emacs, keys)
    text = '(with-current-buffer "notes.txt" (buffer-string))'
    await emacs.run(
        '(ignore (find-file "notes.txt") (insert "typed „Zeile“ 😀\n") (undo-boundary) (transient-mark-mode)'
        ' (push-mark (point-min) t t) (setq deactivate-mark nil) (trunkline-chat t "Translate"))'
    )
    await emacs.until(shows("Done."))
    assert await emacs.run(text) == notes
    if notes.startswith("typed line"):
        await emacs.run('(ignore (with-current-buffer "notes.txt" (undo)))')
        assert await emacs.run(text) == "typed „Zeile“ 😀\nsaved line\n"
    assert (folder / "notes.txt").read_text(encoding="utf-8") == "saved line\n"

    [asked] = await emacs.run("(vconcat test-asked)")
    assert asked.startswith("Allow edit_file to change notes.txt?")
    assert "„Zeile“ 😀" in asked
    messages = scripted.chats()[3].json["messages"]
    assert messages[0]["content"] == ("notes.txt, lines 1 to 2:\n```text\ntyped „Zeile“ 😀\n```\n\nTranslate")
    results = [message["content"] for message in messages if message["role"] == "tool"]
    first, _, second = notes.partition("\n")
    assert results == [
        "1\ttyped „Zeile“ 😀\n2\tsaved line",
        told,
        f"1\t{first}\n2\t{second.strip()}",
    ]
    shown = await emacs.text()
    assert "> → 1\ttyped „Zeile“ 😀 (and 1 more lines)" in shown
    assert '> `read_file` {"path":"notes.txt"}' in shown


async def test_a_new_file_is_made_and_what_is_typed_while_the_model_works_is_seen(
    emacs: Emacs, folder: Path, scripted: Upstream, provider: Provider
) -> None:
    rest = asyncio.Event()
    provider.answers = [
        answer_sse(chunk(content="Wait"), chunk("stop"), done=False, hold=rest),
        said("Notes"),
        calling("edit_file", path="new.txt", content="Größe\n"),
        calling("read_file", path="notes.txt"),
        said("Done."),
    ]
    await type_when_asked(emacs, "Allow once\r")
    await emacs.run('(ignore (find-file "notes.txt") (trunkline-chat t "Wait"))')
    await emacs.until(shows("Wait"))
    rest.set()
    await emacs.until(f'(equal {STATUS} "Notes · fastrouter/acme/talker")')
    await emacs.run(
        '(ignore (with-current-buffer "notes.txt" (outline-mode) (goto-char (point-max)) (insert "second\r\n\U0001f600 third"))'
        ' (trunkline-chat nil "Go on"))'
    )
    await emacs.until(shows("Done."))
    assert await emacs.run(
        '(with-current-buffer "new.txt" (vector (buffer-string) (buffer-modified-p)))'
    ) == [
        "Größe\n",
        True,
    ]
    assert not (folder / "new.txt").exists()
    results = [m["content"] for m in scripted.chats()[-1].json["messages"] if m["role"] == "tool"]
    assert results[1] == "1\tsaved line\n2\tsecond\n3\t\U0001f600 third"


async def test_a_prompt_is_typed_and_the_answer_interrupted(
    emacs: Emacs, scripted: Upstream, provider: Provider
) -> None:
    never = asyncio.Event()
    provider.answers = [answer_sse(chunk(content="Once upon"), chunk("stop"), done=False, hold=never)]
    await emacs.run("(ignore (trunkline-chat))")
    await emacs.until("(eq (buffer-local-value 'major-mode (window-buffer)) 'trunkline-prompt-mode)")
    await emacs.run('(ignore (execute-kbd-macro (kbd "o n e RET t w o C-c C-c")))')
    await emacs.until(shows("Once upon"))
    assert (await emacs.text()).startswith("## You\n\none\ntwo\n\n## ")
    await emacs.run('(ignore (execute-kbd-macro (kbd "C-c C-c")))')
    await emacs.until(shows("Once upon\n\n> *Interrupted.*"))
    async with asyncio.timeout(10):
        await scripted.closed_early.wait()


async def test_what_goes_wrong_is_shown_and_lost_connections_are_made_anew(
    emacs: Emacs, provider: Provider, scripted: Upstream
) -> None:
    provider.answers = [answer_json({"error": {"message": "No."}}, status=401), said("Back."), said("Title")]
    await emacs.run('(ignore (trunkline-chat nil "Hello"))')
    await emacs.until(shows("> **"))
    assert "auth login fastrouter" in await emacs.text(), "what to do"
    await emacs.run('(ignore (kill-process (get-process "trunkline")))')
    await emacs.until(shows("There is no connection to the server any more"))
    await emacs.run('(ignore (trunkline-chat nil "Again"))')
    await emacs.until(shows("Back."))
    assert len(scripted.chats()) >= 2


async def test_a_key_is_typed_and_is_nowhere_but_in_the_store(
    emacs: Emacs, user: User, scripted: Upstream
) -> None:
    scripted.script = knows_keys
    await type_when_asked(emacs, f"{TYPED_KEY}\r")
    await emacs.run(
        '(ignore (with-current-buffer (get-buffer-create "*scratch*")'
        ' (define-key minibuffer-local-map "\\t" #\'ignore))'
        ' (trunkline-login "fastrouter"))'
    )
    await emacs.hear("the key for fastrouter is stored", "the key")
    everything = await emacs.run(
        '(mapconcat (lambda (b) (with-current-buffer b (buffer-string))) (buffer-list) "")'
    )
    assert TYPED_KEY not in everything
    await emacs.quit()
    assert TYPED_KEY not in await emacs.ended()
    assert [path.name for path in user.files_with(TYPED_KEY)] == ["auth.json"]
    assert f"Bearer {TYPED_KEY}" in [asked.headers.get("authorization") for asked in scripted.chats()]


async def test_a_session_of_a_daemon_is_followed_and_continued(
    emacs: Emacs, user: User, sockets: Path, scripted: Upstream, provider: Provider
) -> None:
    rest = asyncio.Event()
    held = answer_sse(
        chunk(content="Begun"), chunk(content=" and done."), chunk("stop"), done=False, hold=rest
    )
    provider.answers = [held, said("Continued.")]
    options = {"baseURL": scripted.base_url, "apiKey": CANARY}
    user.configure({"provider": {"fastrouter": {"options": options}}})
    await type_when_asked(emacs, "Elsewhere\t\r")
    async with running_daemon(user, sockets / "t.sock") as daemon:
        session = (await daemon.ask("session/create", model=MODEL, title="Elsewhere"))["session"]
        await daemon.prompt(session["sessionId"], "From elsewhere")
        await asyncio.wait_for(scripted.asked.wait(), 10)
        await emacs.run(f'(ignore (trunkline-attach "unix:{daemon.socket}"))')
        await emacs.until(shows("Begun"))
        rest.set()
        await emacs.until(shows("Begun and done."))
        await emacs.run('(ignore (trunkline-chat nil "From here"))')
        await emacs.until(shows("Continued."))
        await emacs.until(f'(equal {STATUS} "Elsewhere · fastrouter/acme/talker")')
        assert await emacs.text() == (
            "## You\n\nFrom elsewhere\n\n## fastrouter/acme/talker\n\nBegun and done.\n\n"
            "## You\n\nFrom here\n\n## fastrouter/acme/talker\n\nContinued."
            "\n\n> 1000 in, 500 out, about 0.0020 USD"
        )
        read = await daemon.ask("session/read", sessionId=session["sessionId"])
        await emacs.run("(ignore (trunkline-detach))")
    assert [turn["status"] for turn in read["turns"]] == ["completed", "completed"]


async def test_it_compiles_without_a_warning(emacs: Emacs, tmp_path: Path) -> None:
    files = [shutil.copy(file, tmp_path) for file in (PLUGINS / "emacs").glob("*.el")]
    assert await emacs.run(
        f'(let ((byte-compile-error-on-warn t) (load-path (cons "{tmp_path}" load-path)))'
        f' (vconcat (mapcar #\'byte-compile-file (directory-files "{tmp_path}" t "\\\\.el$"))))'
    ) == [True] * len(files)
