"""The estimate against counts of real tokenizers, and what of a conversation it counts."""

import base64
from typing import Any

import pytest

from trunkline.chat.token_estimate import estimate
from trunkline_protocol.tokens import ModelCountTokensParams

COUNTED = [
    pytest.param(
        "The library opens at nine in the morning. Please bring back every book that you borrowed last month, because several readers are waiting for them, and there is a small fine for each day after the agreed date.",
        (42, 42, 42, 42, 42),
        id="english",
    ),
    pytest.param(
        "Die Bibliothek öffnet um neun Uhr morgens. Bitte bringen Sie alle Bücher zurück, die Sie im letzten Monat ausgeliehen haben, denn mehrere Leserinnen warten darauf, und für jeden Tag danach wird eine kleine Gebühr fällig.",
        (46, 59, 47, 60, 44),
        id="german",
    ),
    pytest.param(
        "图书馆早上九点开门。请归还您上个月借的所有书。有几位读者正在等待。超过约定日期后每天都要交少量罚款。",
        (42, 46, 35, 31, 29),
        id="chinese",
    ),
    pytest.param(
        "図書館は午前九時に開きます。先月借りた本はすべて返してください。何人かの読者が待っていますし、期限を過ぎると一日ごとに少額の料金がかかります。",
        (57, 55, 40, 47, 38),
        id="japanese",
    ),
    pytest.param(
        "Библиотека открывается в девять часов утра. Пожалуйста, верните все книги, которые вы взяли в прошлом месяце, потому что их ждут другие читатели, и за каждый день после срока берут небольшой штраф.",
        (50, 60, 48, 57, 42),
        id="russian",
    ),
    pytest.param(
        "도서관은 아침 아홉 시에 문을 엽니다. 지난달에 빌린 책을 모두 돌려주세요. 여러 독자가 기다리고 있으며 약속한 날이 지나면 하루마다 적은 벌금이 있습니다.",
        (52, 49, 50, 59, 41),
        id="korean",
    ),
    pytest.param(
        'def overdue(books: list[Book], today: date) -> dict[str, int]:\n    """Days that each book is late."""\n    late: dict[str, int] = {}\n    for book in books:\n        days = (today - book.due_date).days\n        if days > 0 and not book.is_returned:\n            late[book.title] = days\n    return late\n',
        (83, 83, 93, 83, 88),
        id="python",
    ),
    pytest.param(
        '{"books":[{"id":17,"title":"The Garden","dueDate":"2026-05-04","returned":false,"reader":{"name":"Ada","email":"ada@example.org"}},{"id":18,"title":"Two Rivers","dueDate":"2026-05-09","returned":true,"reader":null}],"total":2}',
        (72, 71, 82, 76, 81),
        id="json",
    ),
]
"""Texts, and their tokens with o200k, Llama 3, Gemma 3, DeepSeek and Qwen 3.6 as their own tokenizers count."""


def of_text(text: str) -> int:
    return estimate(ModelCountTokensParams(model="acme/m", text=text))


def of_messages(*messages: Any, tools: Any = ()) -> int:
    params = {"model": "acme/m", "messages": messages, "tools": tools}
    return estimate(ModelCountTokensParams.model_validate(params))


def of_parts(*parts: Any, role: str = "user") -> int:
    """What the parts add to a message without any."""
    return of_messages({"role": role, "content": parts}) - of_messages({"role": role, "content": ()})


def media(mime_type: str, size: int, kind: str = "file") -> dict[str, Any]:
    return {"type": kind, "mimeType": mime_type, "data": base64.b64encode(bytes(size)).decode()}


@pytest.mark.parametrize(("text", "counts"), COUNTED)
def test_a_text_is_about_what_real_tokenizers_count(text: str, counts: tuple[int, ...]) -> None:
    assert 0.9 * min(counts) <= of_text(text) <= 1.1 * max(counts)


@pytest.mark.parametrize(("text", "counts"), COUNTED)
def test_a_long_text_is_as_long_as_its_parts(text: str, counts: tuple[int, ...]) -> None:
    assert 0.9 * min(counts) * 50 <= of_text(text * 50) <= 1.1 * max(counts) * 50


def test_nothing_is_nothing_and_anything_is_something() -> None:
    assert of_text("") == 0
    for text in ("a", " ", "\n", "\t", "7", ".", "é", "я", "字", "🙂", "\x00", "\u200b", "ß", "\U0010ffff"):
        assert of_text(text) >= 1, repr(text)


def test_half_a_character_is_no_reason_to_fail() -> None:
    assert of_text("half \ud83d of it") >= of_text("half  of it")


@pytest.mark.parametrize("text", ["a" * 5000, "é" * 5000, "字" * 5000, "1" * 5000, "-" * 5000, "\n" * 5000])
def test_no_text_is_absurd(text: str) -> None:
    assert 1 <= of_text(text) <= 4 * len(text)


def test_more_text_is_more_tokens() -> None:
    text = COUNTED[0].values[0]
    assert isinstance(text, str)
    sizes = [of_text(text[:length]) for length in range(0, len(text), 10)]
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0]


def test_every_message_has_its_marks() -> None:
    one = of_messages({"role": "user", "content": "Good morning"})
    two = of_messages(*[{"role": "user", "content": "Good morning"}] * 2)
    assert of_text("Good morning") < one < two < 2 * one


def test_tools_count_with_their_schemas() -> None:
    message = {"role": "user", "content": "Good morning"}
    plain: dict[str, Any] = {"name": "lookup", "inputSchema": {"type": "object", "properties": {}}}
    wide: dict[str, Any] = {
        "name": "lookup",
        "description": "Finds a book in the catalogue by its title or its author.",
        "inputSchema": {"type": "object", "properties": {f"field{n}": {"type": "string"} for n in range(9)}},
    }
    none, one, other = (of_messages(message, tools=tools) for tools in ((), (plain,), (wide,)))
    assert none < one < other
    assert other - none > 9 * 5


def test_a_text_may_have_tools_too() -> None:
    tool: dict[str, Any] = {"name": "lookup", "inputSchema": {"type": "object", "properties": {}}}
    params: dict[str, Any] = {"model": "acme/m", "text": "Good morning", "tools": [tool]}
    assert estimate(ModelCountTokensParams.model_validate(params)) > of_text("Good morning")


def test_every_kind_of_part_counts() -> None:
    text = "The garden is behind the house, and the gate is open."
    tokens = of_text(text)
    about = pytest.approx(tokens, abs=3)
    assert of_parts({"type": "text", "text": text}) == about
    assert of_parts({"type": "reasoning", "text": text}, role="assistant") == about
    call = {"type": "toolCall", "callId": "c", "name": "open", "arguments": {"what": text}}
    assert tokens < of_parts(call, role="assistant") < tokens + 30
    broken = {**call, "arguments": {}, "argumentsText": text * 10}
    assert of_parts(broken, role="assistant") > 8 * tokens
    result = {"type": "toolResult", "callId": "c", "content": [{"type": "text", "text": text}]}
    assert tokens < of_parts(result, role="tool") < tokens + 15
    opaque = {
        "type": "opaque",
        "name": "web_search_tool_result",
        "providerData": {"providerId": "acme", "model": "acme/m", "data": {"encrypted": "x" * 4000}},
    }
    assert 900 < of_parts(opaque, role="assistant") < 1300


def test_an_image_is_a_typical_image_whatever_its_bytes() -> None:
    small, large = (of_parts(media("image/png", size, "image")) for size in (100, 1_000_000))
    by_address = {"type": "image", "mimeType": "image/jpeg", "url": "https://example.org/a.jpg"}
    assert small == large == of_parts(by_address)
    assert 700 < small < 1600


def test_sound_counts_by_its_length() -> None:
    """Gemini's 32 tokens a second: ten seconds of samples, and of MP3 at 128 kbit/s."""
    assert of_parts(media("audio/wav", 320_000, "audio")) == pytest.approx(320, abs=2)
    assert of_parts(media("audio/mpeg", 160_000, "audio")) == pytest.approx(320, abs=2)
    assert of_parts(media("audio/wav", 10, "audio")) >= 32


def test_documents_count_by_page_and_files_of_text_by_their_text() -> None:
    one, ten = (of_parts(media("application/pdf", size)) for size in (1000, 500_000))
    assert 1500 <= one <= 3000
    assert ten == pytest.approx(10 * one, rel=0.01)
    text = "The garden is behind the house. " * 100
    as_file = {"type": "file", "mimeType": "text/plain", "data": base64.b64encode(text.encode()).decode()}
    assert of_parts(as_file) == pytest.approx(of_text(text), abs=3)
    assert of_parts({**as_file, "data": "not base64!"}) > 0
    assert of_parts({"type": "file", "mimeType": "text/plain", "url": "https://example.org/a.txt"}) > 0
