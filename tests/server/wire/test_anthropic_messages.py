import base64
import json
from typing import Any

import pytest
from wire_support import body_of, chat_call, decode, model_info

from trunkline.errors import TrunklineError
from trunkline.wire.anthropic import AnthropicAdapter
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import ModelInfo

Json = dict[str, Any]
HELLO: Json = {"type": "text", "text": "Hello"}
USER: Json = {"role": "user", "content": "Hello"}
PNG: Json = {"type": "image", "mimeType": "image/png", "data": "iVBO"}


def body(*sent: Json, info: ModelInfo | None = None) -> Json:
    return body_of(chat_call(info=info, messages=list(sent)), "anthropic")


def turns(*sent: Json, info: ModelInfo | None = None) -> list[Json]:
    return body(*sent, info=info)["messages"]


def notices(*sent: Json, info: ModelInfo | None = None) -> list[tuple[str, str]]:
    request = AnthropicAdapter().build_request(chat_call(info=info, messages=list(sent)))
    return [(notice.kind, notice.message) for notice in request.notices]


def user(*parts: Json) -> Json:
    return {"role": "user", "content": list(parts)}


def assistant(*parts: Json) -> Json:
    return {"role": "assistant", "content": list(parts)}


def tool(call_id: str, *content: Json, is_error: bool = False) -> Json:
    result = {"type": "toolResult", "callId": call_id, "content": list(content), "isError": is_error}
    return {"role": "tool", "content": [result]}


def tool_call(call_id: str, name: str = "read", **arguments: Any) -> Json:
    return {"type": "toolCall", "callId": call_id, "name": name, "arguments": arguments}


def kept(data: Any, model: str = "gateway/vendor/model") -> Json:
    return {"providerId": model.partition("/")[0], "model": model, "data": data}


def text(value: str) -> Json:
    return {"type": "text", "text": value}


def encoded(value: str | bytes) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


# --- turns -----------------------------------------------------------------------------------------------


def test_the_first_system_messages_are_the_system_prompt() -> None:
    sent = body({"role": "system", "content": "Be brief."}, {"role": "system", "content": "Be kind."}, USER)
    assert sent["system"] == [text("Be brief."), text("Be kind.")]
    assert sent["messages"] == [{"role": "user", "content": [HELLO]}]
    assert "system" not in body(USER)


def test_a_later_system_message_is_marked_text_of_the_user_and_said_to_be() -> None:
    sent = (USER, assistant(text("Hi")), {"role": "system", "content": "Now in French."}, USER)
    assert turns(*sent)[2] == {
        "role": "user",
        "content": [text("<system>\nNow in French.\n</system>"), HELLO],
    }
    assert [kind for kind, _ in notices(*sent, *sent)] == ["inputReplaced"]


def test_neighbours_of_one_role_are_one_turn_and_blank_text_is_left_out() -> None:
    assert turns(
        USER,
        user(text(""), text(" \n"), text("There")),
        assistant(text("")),
        user(),
        assistant(text("One"), text("\n")),
        assistant(text("Two")),
        USER,
    ) == [
        {"role": "user", "content": [HELLO, text("There")]},
        {"role": "assistant", "content": [text("One"), text("Two")]},
        {"role": "user", "content": [HELLO]},
    ]


@pytest.mark.parametrize(
    "sent", [[{"role": "system", "content": "Be brief."}], [user(text(" "))], [assistant()]]
)
def test_nothing_to_answer_is_an_error(sent: list[Json]) -> None:
    with pytest.raises(TrunklineError) as caught:
        turns(*sent)
    assert caught.value.code is ErrorCode.UNSUPPORTED_INPUT
    assert caught.value.fields.get("hint")


def test_an_answer_to_be_continued_does_not_end_in_white_space() -> None:
    assert turns(USER, assistant(text("The answer is \n")))[-1]["content"] == [text("The answer is")]
    assert turns(USER, assistant(text("Kept. ")), USER)[1]["content"] == [text("Kept. ")]


@pytest.mark.parametrize(
    ("role", "part"),
    [
        ("system", PNG),
        ("user", tool_call("c")),
        ("user", {"type": "reasoning", "text": "x"}),
        ("tool", HELLO),
        ("assistant", {"type": "toolResult", "callId": "c", "content": []}),
    ],
)
def test_a_part_where_it_cannot_be(role: str, part: Json) -> None:
    with pytest.raises(TrunklineError) as caught:
        turns(USER, assistant(HELLO), {"role": role, "content": [part]})
    assert caught.value.code is ErrorCode.UNSUPPORTED_INPUT
    assert part["type"] in caught.value.message


# --- tools -----------------------------------------------------------------------------------------------


def test_calls_and_results() -> None:
    assert turns(
        USER, assistant(text("I look."), tool_call("toolu_1", path="a")), tool("toolu_1", text("A file"))
    ) == [
        {"role": "user", "content": [HELLO]},
        {
            "role": "assistant",
            "content": [
                text("I look."),
                {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"path": "a"}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [text("A file")]}],
        },
    ]


def test_ids_of_other_providers_become_ids_the_api_takes_and_stay_apart() -> None:
    _, asked, answered = turns(
        USER,
        assistant(tool_call("a.b"), tool_call("a_b"), tool_call("a:b"), tool_call("")),
        *(tool(call_id, text(call_id or "?")) for call_id in ("a:b", "", "a.b", "a_b")),
    )
    ids = [block["id"] for block in asked["content"]]
    assert ids == ["a_b", "a_b_2", "a_b_3", "call"]
    assert {block["tool_use_id"]: block["content"][0]["text"] for block in answered["content"]} == {
        "a_b": "a.b",
        "a_b_2": "a_b",
        "a_b_3": "a:b",
        "call": "?",
    }


def test_ids_that_begin_anew_in_every_answer() -> None:
    sent = turns(
        USER,
        assistant(tool_call("read:0")),
        tool("read:0", text("first")),
        assistant(tool_call("read:0")),
        tool("read:0", text("second")),
    )
    assert [sent[i]["content"][0]["id"] for i in (1, 3)] == ["read_0", "read_0_2"]
    assert [sent[i]["content"][0]["tool_use_id"] for i in (2, 4)] == ["read_0", "read_0_2"]


def test_a_call_without_a_result_was_interrupted() -> None:
    sent = turns(USER, assistant(tool_call("c1"), tool_call("c2")), tool("c2", text("ok")), USER)
    first, second, third = sent[2]["content"]
    assert first == {"type": "tool_result", "tool_use_id": "c2", "content": [text("ok")]}
    assert (second["tool_use_id"], second["is_error"]) == ("c1", True)
    assert "interrupted" in second["content"][0]["text"]
    assert third == HELLO
    (last,) = turns(USER, assistant(tool_call("c1")))[-1]["content"]
    assert (last["type"], last["is_error"]) == ("tool_result", True)


def test_results_come_first_and_calls_last_in_their_turns() -> None:
    sent = turns(
        USER,
        assistant(tool_call("c1"), text("Reading."), tool_call("c2")),
        tool("c1", text("No."), PNG, is_error=True),
        tool("c2", text("2")),
        USER,
    )
    assert [block["type"] for block in sent[1]["content"]] == ["text", "tool_use", "tool_use"]
    assert [block["type"] for block in sent[2]["content"]] == ["tool_result", "tool_result", "image", "text"]


def test_a_late_result_moves_up_behind_its_call() -> None:
    late = (USER, assistant(tool_call("c1")), USER, assistant(text("Wait.")), tool("c1", text("1")))
    assert [[block["type"] for block in turn["content"]] for turn in turns(*late)] == [
        ["text"],
        ["tool_use"],
        ["tool_result", "text"],
        ["text"],
    ]


def test_a_failed_tool_says_so_in_text_alone() -> None:
    sent = turns(USER, assistant(tool_call("c")), tool("c", text("No."), PNG, is_error=True))
    result, image = sent[2]["content"]
    assert result == {"type": "tool_result", "tool_use_id": "c", "content": [text("No.")], "is_error": True}
    assert image["type"] == "image"
    (silent,) = turns(USER, assistant(tool_call("c")), tool("c", is_error=True))[2]["content"]
    assert silent["content"][0]["text"].strip()


def test_media_and_nothing_in_results() -> None:
    pdf = {"type": "file", "mimeType": "application/pdf", "data": encoded("%PDF"), "name": "a.pdf"}
    sent = turns(USER, assistant(tool_call("c")), tool("c", text(" "), PNG, pdf))
    assert [block["type"] for block in sent[2]["content"][0]["content"]] == ["image", "document"]
    (empty,) = turns(USER, assistant(tool_call("c")), tool("c"))[2]["content"]
    assert empty == {"type": "tool_result", "tool_use_id": "c"}


def test_arguments_that_were_no_object_go_back_empty() -> None:
    part = {**tool_call("c"), "argumentsText": '{"pa'}
    assert turns(USER, assistant(part))[1]["content"][0]["input"] == {}


# --- what the model said before --------------------------------------------------------------------------

SIGNED: Json = {
    "type": "reasoning",
    "text": "Let me",
    "providerData": kept({"type": "thinking", "signature": "c2ln"}),
}
REDACTED: Json = {
    "type": "reasoning",
    "text": "",
    "providerData": kept({"type": "redacted_thinking", "data": "eA=="}),
}


def test_own_thinking_goes_back_complete_and_in_its_place() -> None:
    assert turns(USER, assistant(SIGNED, REDACTED, text("4")), USER)[1]["content"] == [
        {"type": "thinking", "thinking": "Let me", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "eA=="},
        text("4"),
    ]


@pytest.mark.parametrize("model", ["gateway/vendor/other", "other/vendor/model"])
def test_what_another_model_keeps_to_itself_is_left_out(model: str) -> None:
    thought = {**SIGNED, "providerData": kept({"type": "thinking", "signature": "c2ln"}, model)}
    search = {
        "type": "opaque",
        "name": "x",
        "providerData": kept({"type": "server_tool_use", "id": "s"}, model),
    }
    cited = {
        **text("4"),
        "citations": [{"raw": {"type": "page_location"}}],
        "providerData": kept({"type": "text"}, model),
    }
    call = {**tool_call("c"), "providerData": kept({"type": "tool_use", "caller": {"type": "direct"}}, model)}
    plain = {"type": "reasoning", "text": "Hm"}
    sent = turns(USER, assistant(thought, plain, search, cited, call), tool("c", text("ok")))
    assert sent[1]["content"] == [text("4"), {"type": "tool_use", "id": "c", "name": "read", "input": {}}]


def test_a_call_keeps_what_belongs_to_it() -> None:
    caller = {"type": "code_execution_20260120", "tool_id": "srvtoolu_1"}
    call = {**tool_call("c", a=1), "providerData": kept({"type": "tool_use", "caller": caller})}
    (block,) = turns(USER, assistant(call))[1]["content"]
    assert block == {"type": "tool_use", "id": "c", "name": "read", "input": {"a": 1}, "caller": caller}


def test_citations_go_back_as_the_api_takes_them() -> None:
    raw = {
        "type": "char_location",
        "cited_text": "c",
        "document_index": 0,
        "document_title": None,
        "file_id": None,
    }
    cited = {**text("4"), "citations": [{"raw": raw}], "providerData": kept({"type": "text"})}
    (block,) = turns(USER, assistant(cited), USER)[1]["content"]
    assert block == {**text("4"), "citations": [{name: raw[name] for name in raw if name != "file_id"}]}
    unmarked = {name: cited[name] for name in cited if name != "providerData"}
    assert turns(USER, assistant(unmarked), USER)[1]["content"] == [text("4")]


def opaque(**block: Any) -> Json:
    return {"type": "opaque", "name": block["type"], "providerData": kept(block)}


SEARCH = opaque(type="server_tool_use", id="s1", name="web_search", input={"query": "x"})
FOUND = opaque(type="web_search_tool_result", tool_use_id="s1", content=[])


def test_blocks_of_the_providers_tools_go_back_whole_and_in_place() -> None:
    sent = turns(USER, assistant(text("I look."), SEARCH, FOUND, text("Found.")), USER)
    assert sent[1]["content"] == [
        text("I look."),
        SEARCH["providerData"]["data"],
        FOUND["providerData"]["data"],
        text("Found."),
    ]


def test_what_was_broken_off_is_left_out_once_the_user_went_on() -> None:
    broken = assistant(text("I look."), SEARCH, SIGNED)
    assert turns(USER, broken, USER)[1]["content"] == [text("I look.")]
    assert turns(USER, assistant(SIGNED, REDACTED), USER) == [{"role": "user", "content": [HELLO, HELLO]}]
    # Sent back alone, or while it waits for a tool of ours, the provider goes on with it.
    assert [block["type"] for block in turns(USER, assistant(SEARCH))[1]["content"]] == ["server_tool_use"]
    waiting = turns(USER, assistant(SEARCH, tool_call("c")), tool("c", text("ok")))
    assert [block["type"] for block in waiting[1]["content"]] == ["server_tool_use", "tool_use"]


def test_members_of_other_types_in_provider_data_break_nothing() -> None:
    use = opaque(type="server_tool_use", id=["s1"], tool_use_id={})
    assert turns(USER, assistant(use, text("x")), USER)[1]["content"] == [text("x")]


def test_an_answer_goes_back_as_it_came() -> None:
    content: list[Json] = [
        {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "eA=="},
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
        {"type": "text", "text": "It is 4.", "citations": [{"type": "page_location", "cited_text": "4"}]},
        {"type": "brand_new", "data": {"a": [1]}},
        {
            "type": "tool_use",
            "id": "toolu_1",
            "name": "read",
            "input": {"a": 1},
            "caller": {"type": "direct"},
        },
    ]
    answer = {"type": "message", "id": "m", "model": "x", "content": content, "stop_reason": "tool_use"}
    said = decode([json.dumps(answer).encode()], "anthropic").decoder.message.to_wire()
    assert turns(USER, said, tool("toolu_1", text("ok")))[1]["content"] == content


@pytest.mark.parametrize("data", [None, "c2ln", [], {}, {"type": 1}, {"signature": "c2ln"}])
def test_provider_data_that_was_never_given_out(data: Any) -> None:
    with pytest.raises(TrunklineError) as caught:
        turns(USER, assistant({"type": "reasoning", "text": "x", "providerData": kept(data)}), USER)
    assert caught.value.code is ErrorCode.UNSUPPORTED_INPUT
    assert "c2ln" not in caught.value.message


# --- media -----------------------------------------------------------------------------------------------


def test_images() -> None:
    by_address = {"type": "image", "mimeType": "image/png", "url": "https://a.test/a.png"}
    jpg = {"type": "image", "mimeType": "image/JPG; x=y", "data": "/9j/"}
    assert turns(user(PNG, by_address, jpg)) == [
        {
            "role": "user",
            "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}},
                {"type": "image", "source": {"type": "url", "url": "https://a.test/a.png"}},
                {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "/9j/"}},
            ],
        }
    ]


def test_documents() -> None:
    pdf = {"type": "file", "mimeType": "application/pdf", "data": encoded("%PDF"), "name": "a.pdf"}
    by_address = {"type": "file", "mimeType": "application/pdf", "url": "https://a.test/a.pdf"}
    notes = {"type": "file", "mimeType": "text/markdown", "data": encoded("\ufeff# H\u00e9"), "name": "n.md"}
    config = {"type": "file", "mimeType": "application/ld+json", "data": encoded("{}")}
    assert turns(user(pdf, by_address, notes, config))[0]["content"] == [
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": encoded("%PDF")},
            "title": "a.pdf",
        },
        {"type": "document", "source": {"type": "url", "url": "https://a.test/a.pdf"}},
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "# H\u00e9"},
            "title": "n.md",
        },
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "{}"}},
    ]


def test_a_text_file_is_plain_text_for_a_model_without_documents() -> None:
    notes = {"type": "file", "mimeType": "text/plain", "data": encoded("one\ntwo"), "name": "n.txt"}
    assert turns(user(notes), info=model_info(("text", "image")))[0]["content"] == [
        text("n.txt:\n\none\ntwo")
    ]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "audio", "mimeType": "audio/wav", "data": "UklG"},
        {"type": "file", "mimeType": "video/mp4", "url": "https://a.test/v.mp4"},
        {"type": "image", "mimeType": "image/svg+xml", "data": encoded("<svg/>")},
        {"type": "image", "mimeType": "image/png", "data": ""},
        {"type": "file", "mimeType": "application/zip", "data": "UEsD", "name": "a.zip"},
        {"type": "file", "mimeType": "text/plain", "url": "https://a.test/a.txt"},
        {"type": "file", "mimeType": "text/plain", "data": encoded(b"\xff\xfeA")},
    ],
)
def test_what_cannot_be_sent_is_replaced_by_a_text_with_a_notice(part: Json) -> None:
    (block,) = turns(user(part))[0]["content"]
    assert block["type"] == "text"
    assert part["mimeType"] in block["text"]
    assert [kind for kind, _ in notices(user(part))] == ["inputReplaced"]


def test_a_model_that_sees_nothing_gets_texts_also_from_its_tools() -> None:
    sent = (USER, assistant(tool_call("c")), tool("c", PNG), user(PNG))
    _, _, answered = turns(*sent, info=model_info(("text",)))
    assert [block["type"] for block in answered["content"]] == ["tool_result", "text"]
    assert [block["type"] for block in answered["content"][0]["content"]] == ["text"]
    assert len(notices(*sent, info=model_info(("text",)))) == 2


def test_a_picture_that_another_model_made_is_not_sent_as_what_this_one_said() -> None:
    sent = (USER, assistant(text("Here:"), PNG), USER)
    assert [block["type"] for block in turns(*sent)[1]["content"]] == ["text", "text"]
    assert [kind for kind, _ in notices(*sent)] == ["inputReplaced"]
