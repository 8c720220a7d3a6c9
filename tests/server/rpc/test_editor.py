"""Buffers as they are kept in step, and edits as an editor is asked for them."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.errors import TrunklineError
from trunkline.rpc.documents import Documents
from trunkline.rpc.editor import ClientEditor, line_edits
from trunkline.rpc.handshake import Client
from trunkline.rpc.messages import Reply
from trunkline.rpc.questions import Questions

TEXTS = st.text(alphabet="ab\n\r\x0c\u2028\u00e9\U0001f600", max_size=12)
ENCODINGS = ("utf-8", "utf-16", "utf-32")
APPLIES = {"workspace": {"applyEdit": True, "workspaceEdit": {"documentChanges": True}}}
CREATES = {
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {"documentChanges": True, "resourceOperations": ["create"]},
    }
}


def starts_of_lines(text: str) -> list[int]:
    """Offsets, by the letter of LSP 3.17, "Text Documents"."""
    starts = [0]
    index = 0
    while index < len(text):
        index += 2 if text.startswith("\r\n", index) else 1
        if text[index - 1] in "\r\n":
            starts.append(index)
    return starts


def offset(text: str, position: dict[str, int], encoding: str) -> int:
    starts = starts_of_lines(text)
    if position["line"] >= len(starts):
        return len(text)
    start, units = starts[position["line"]], position["character"]
    width = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    codec = encoding if encoding == "utf-8" else f"{encoding}-le"
    return start + len(text[start:].encode(codec)[: units * width].decode(codec))


def edited(text: str, edits: list[dict[str, Any]], encoding: str) -> str:
    """What an editor makes of it: all ranges are of the text before."""
    for edit in reversed(edits):
        start, end = (offset(text, edit["range"][name], encoding) for name in ("start", "end"))
        text = text[:start] + edit["newText"] + text[end:]
    return text


@given(TEXTS, TEXTS, st.sampled_from(ENCODINGS))
def test_edits_make_the_new_text(old: str, new: str, encoding: str) -> None:
    assert edited(old, line_edits(old, new, encoding), encoding) == new


def test_only_lines_that_change_are_touched() -> None:
    old = "".join(f"line {number}\n" for number in range(1_000))
    new = old.replace("line 10\n", "ten\n").replace("line 900\n", "")
    assert line_edits(old, new, "utf-16") == [
        {
            "range": {"start": {"line": 10, "character": 0}, "end": {"line": 11, "character": 0}},
            "newText": "ten\n",
        },
        {
            "range": {"start": {"line": 900, "character": 0}, "end": {"line": 901, "character": 0}},
            "newText": "",
        },
    ]
    (whole,) = line_edits(old * 3, "new", "utf-16")
    assert edited(old * 3, [whole], "utf-16") == "new"


def open_document(documents: Documents, path: Path, text: str) -> None:
    item = {"uri": path.as_uri(), "languageId": "x", "version": 1, "text": text}
    documents.receive("textDocument/didOpen", {"textDocument": item})


def change(documents: Documents, path: Path, version: int, *changes: dict[str, Any]) -> None:
    document = {"uri": path.as_uri(), "version": version}
    documents.receive("textDocument/didChange", {"textDocument": document, "contentChanges": list(changes)})


def insertion(line: int, character: int, text: str) -> dict[str, Any]:
    position = {"line": line, "character": character}
    return {"range": {"start": position, "end": position}, "text": text}


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_changes_are_taken_over_in_order_whenever_somebody_asks(tmp_path: Path, encoding: str) -> None:
    documents = Documents({"capabilities": {"general": {"positionEncodings": [encoding]}}})
    path, other = tmp_path / "a b.txt", tmp_path / "other"
    units = {"utf-8": 4, "utf-16": 2, "utf-32": 1}[encoding]
    open_document(documents, path, "\U0001f600x\x0cy\u2028z\r\nsecond\n")
    open_document(documents, other, "other")
    change(documents, path, 2, insertion(0, units, "A"), insertion(1, 0, "B"))
    opened = await documents.open()
    assert opened[path].text == "\U0001f600Ax\x0cy\u2028z\r\nBsecond\n"
    change(documents, path, 3, {"text": "all of it"})
    documents.receive("textDocument/didClose", {"textDocument": {"uri": other.as_uri()}})
    opened = await documents.open()
    assert {name: (one.version, one.text) for name, one in opened.items()} == {path: (3, "all of it")}


async def test_messages_that_do_not_fit_disturb_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    documents = Documents({})
    path = tmp_path / "a"
    for params in (
        "canary",
        None,
        {},
        {"textDocument": {"uri": 1}},
        {"textDocument": {"uri": "file:///gone"}},
    ):
        for method in ("didOpen", "didChange", "didClose", "didSave"):
            documents.receive(f"textDocument/{method}", params)
    documents.receive("workspace/didChangeWorkspaceFolders", "canary")
    open_document(documents, path, "text")
    item = {"uri": "untitled:Untitled-1", "languageId": "x", "version": 1, "text": "no file"}
    documents.receive("textDocument/didOpen", {"textDocument": item})
    assert [(name, one.text) for name, one in (await documents.open()).items()] == [(path, "text")]
    assert "canary" not in caplog.text


async def test_typing_for_long_is_taken_over_without_anybody_asking(tmp_path: Path) -> None:
    documents = Documents({})
    open_document(documents, tmp_path / "a", "")
    for number in range(1_200):
        change(documents, tmp_path / "a", number + 2, insertion(0, 0, "x"))
        if number % 300 == 0:
            await asyncio.sleep(0)
    assert (await documents.open())[tmp_path / "a"].text == "x" * 1_200


async def test_folders_follow_the_client() -> None:
    documents = Documents({"workspaceFolders": [{"uri": "file:///a", "name": "a"}]})
    event = {"added": [{"uri": "file:///b", "name": "b"}, 3], "removed": [{"uri": "file:///a", "name": "a"}]}
    documents.receive("workspace/didChangeWorkspaceFolders", {"event": event})
    assert documents.folders == ("file:///b",)


class Asked:
    """A client that answers edits as it is told, and the edits."""

    def __init__(self, tmp_path: Path, capabilities: Any, answer: Any) -> None:
        self.sent: list[Any] = []
        client = Client(params={"capabilities": capabilities, "rootUri": tmp_path.as_uri()})
        self.documents = Documents(client.params)
        self._answer = answer
        self._questions = Questions(self._send)
        self.editor = ClientEditor(client, self.documents, self._questions)

    def _send(self, message: Any) -> None:
        self.sent.append(message["params"])
        reply = Reply(message["id"], self._answer, None)
        asyncio.get_running_loop().call_soon(self._questions.take, reply)


async def test_an_open_buffer_is_edited_by_lines_and_version(tmp_path: Path) -> None:
    asked = Asked(tmp_path, APPLIES, {"applied": True})
    path = tmp_path / "f"
    open_document(asked.documents, path, "a\nb\nc\n")
    assert asked.editor.applies_edits
    assert asked.editor.folders() == [tmp_path]
    await asked.editor.apply_edit("Edit f", path, "a\nb\nc\n", "a\nB\nc\n")
    document = {"uri": path.as_uri(), "version": 1}
    edit = {
        "range": {"start": {"line": 1, "character": 0}, "end": {"line": 2, "character": 0}},
        "newText": "B\n",
    }
    changes = {"documentChanges": [{"textDocument": document, "edits": [edit]}]}
    assert asked.sent == [{"label": "Edit f", "edit": changes}]


async def test_an_edit_counts_before_the_editor_tells_of_it(tmp_path: Path) -> None:
    """Neovim holds `didChange` back for 150 ms; a model may read again before that."""
    asked = Asked(tmp_path, APPLIES, {"applied": True})
    path = tmp_path / "f"
    open_document(asked.documents, path, "a\n")
    await asked.editor.apply_edit("Edit f", path, "a\n", "b\n")
    assert await asked.editor.open_texts() == {path: "b\n"}
    await asked.editor.apply_edit("Edit f", path, "b\n", "c\n")
    (second,) = asked.sent[1]["edit"]["documentChanges"]
    assert second["textDocument"]["version"] is None, "which one the editor has by now is not known"
    change(asked.documents, path, 3, {"text": "what the user made of it\n"})
    assert await asked.editor.open_texts() == {path: "what the user made of it\n"}


async def test_a_file_that_is_not_open_is_replaced_and_remembered_until_it_is_saved(tmp_path: Path) -> None:
    asked = Asked(tmp_path, APPLIES, {"applied": True})
    path = tmp_path / "f"
    path.write_text("a\r\nb")
    await asked.editor.apply_edit("Edit f", path, "a\r\nb", "new\n")
    (change,) = asked.sent[0]["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": path.as_uri(), "version": None}
    assert edited("a\r\nb", change["edits"], "utf-16") == "new\n"
    assert await asked.editor.open_texts() == {path: "new\n"}
    path.write_text("saved by the editor\n")
    assert await asked.editor.open_texts() == {}


@pytest.mark.parametrize(
    ("capabilities", "kinds"),
    [(CREATES, ["create", None]), (APPLIES, [None]), ({"workspace": {"applyEdit": True}}, None)],
)
async def test_a_new_file_as_the_client_can_make_it(tmp_path: Path, capabilities: Any, kinds: Any) -> None:
    asked = Asked(tmp_path, capabilities, {"applied": True})
    path = tmp_path / "new"
    await asked.editor.apply_edit("Edit new", path, None, "text")
    edit = asked.sent[0]["edit"]
    if kinds is None:
        assert edit["changes"][path.as_uri()][0]["newText"] == "text"
    else:
        assert [change.get("kind") for change in edit["documentChanges"]] == kinds
    assert not path.exists()


@pytest.mark.parametrize(
    "answer", [None, {"applied": False, "failureReason": "no"}, {}, "yes", {"applied": 1}]
)
async def test_whatever_is_no_yes_is_a_no(tmp_path: Path, answer: Any) -> None:
    asked = Asked(tmp_path, APPLIES, answer)
    with pytest.raises(TrunklineError, match="The editor did not make the change"):
        await asked.editor.apply_edit("Edit f", tmp_path / "f", None, "text")
    assert await asked.editor.open_texts() == {}


async def test_a_buffer_that_was_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    asked = Asked(tmp_path, APPLIES, {"applied": True})
    open_document(asked.documents, tmp_path / "f", "typed")
    with pytest.raises(TrunklineError, match="changed in the editor meanwhile"):
        await asked.editor.apply_edit("Edit f", tmp_path / "f", "as it was", "new")
    assert asked.sent == []


async def test_a_client_that_applies_nothing_is_not_asked(tmp_path: Path) -> None:
    asked = Asked(tmp_path, {}, {"applied": True})
    assert not asked.editor.applies_edits
    with pytest.raises(TrunklineError):
        await asked.editor.apply_edit("Edit f", tmp_path / "f", None, "new")
    assert asked.sent == []
