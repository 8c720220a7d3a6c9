import json
from typing import Any

import pytest
from wire_support import model_info

from trunkline.wire.substitutes import inlined, modality_of, substitute, usable_parts
from trunkline_protocol.chat import Notice
from trunkline_protocol.messages import MediaPart, Part, TextPart, ToolResultPart
from trunkline_protocol.models import ModelInfo

TEXT_ONLY = model_info(("text",))
IMAGE = MediaPart(type="image", mime_type="image/png", data="iVBO", name="cat.png")


def usable(part: Part, info: ModelInfo = TEXT_ONLY) -> tuple[Part, list[Notice]]:
    notices: list[Notice] = []
    (kept,) = usable_parts([part], info, notices)
    return kept, notices


@pytest.mark.parametrize(
    ("mime_type", "modality"),
    [
        ("image/png", "image"),
        ("IMAGE/PNG; q=1", "image"),
        ("audio/wav", "audio"),
        ("video/mp4", "video"),
        ("application/pdf", "pdf"),
        ("application/zip", None),
        ("", None),
    ],
)
def test_the_modality_of_a_type(mime_type: str, modality: str | None) -> None:
    assert modality_of(mime_type) == modality


def test_media_that_the_model_cannot_read_become_a_text_for_it_and_a_notice_for_the_user() -> None:
    kept, notices = usable(IMAGE)
    assert isinstance(kept, TextPart)
    assert "cat.png" in kept.text
    assert "cannot read images" in kept.text
    assert [notice.kind for notice in notices] == ["inputReplaced"]
    assert "cat.png" in notices[0].message


@pytest.mark.parametrize("mime_type", ["application/zip", "text/csv", "what"])
def test_types_of_no_modality_pass(mime_type: str) -> None:
    part = MediaPart(type="file", mime_type=mime_type, data="AAAA")
    assert usable(part) == (part, [])


@pytest.mark.parametrize("data", ["", "   ", "iVB", "iVB*", "data:image/png;base64,iVBO", "iVBO=", "\u00e9"])
def test_empty_and_damaged_data_are_replaced(data: str) -> None:
    kept, notices = usable(IMAGE.model_copy(update={"data": data}), model_info())
    assert isinstance(kept, TextPart)
    assert "empty or damaged" in kept.text
    assert len(notices) == 1


def test_wrapped_lines_and_data_addresses_become_plain_data() -> None:
    wrapped = IMAGE.model_copy(update={"data": "iV\r\nBO\n"})
    assert usable(wrapped, model_info()) == (IMAGE, [])
    address = IMAGE.model_copy(update={"data": None, "url": "data:image/png;base64,iVBO"})
    assert usable(address, model_info()) == (IMAGE, [])
    plain = IMAGE.model_copy(update={"data": None, "url": "data:image/svg+xml,<svg/>"})
    assert isinstance(usable(plain, model_info())[0], TextPart)
    remote = IMAGE.model_copy(update={"data": None, "url": "https://x.test/a.png"})
    assert usable(remote, model_info()) == (remote, [])


def test_the_results_of_tools_are_looked_into() -> None:
    result = ToolResultPart(call_id="c", content=(TextPart(text="a"), IMAGE))
    kept, notices = usable(result)
    assert isinstance(kept, ToolResultPart)
    assert [part.type for part in kept.content] == ["text", "text"]
    assert len(notices) == 1
    assert usable(result, model_info())[0] == result


def test_everything_else_stays_as_it_is() -> None:
    result: dict[str, Any] = ToolResultPart(call_id="c", content=(TextPart(text="a"),)).to_wire()
    part = ToolResultPart.model_validate(json.loads(json.dumps(result)))
    assert usable(part)[0] is part
    assert usable(TextPart(text=""))[0] == TextPart(text="")


def test_a_format_can_replace_what_it_has_no_place_for() -> None:
    notices: list[Notice] = []
    part = substitute(IMAGE, "this provider takes no drawings", notices)
    assert "takes no drawings" in part.text
    assert "takes no drawings" in notices[0].message


def test_text_files_inline() -> None:
    file = MediaPart(type="file", mime_type="Text/Plain", data="w6Q=", name="a.txt")
    assert inlined(file) == TextPart(text="a.txt:\n\u00e4")
    assert inlined(file.model_copy(update={"name": None})) == TextPart(text="\u00e4")
    schema = file.model_copy(update={"mime_type": "application/schema+json"})
    assert inlined(schema) == inlined(file)
    assert inlined(file.model_copy(update={"data": "/w=="})) is None
    assert inlined(IMAGE) is None
    assert inlined(file.model_copy(update={"data": None, "url": "https://x.test"})) is None
