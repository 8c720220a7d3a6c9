import json
import re
from typing import Any, cast

import pyjson5
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trunkline.config.jsonc_edit import WRITTEN_NULL, merge_patch, patched

FILE = """// mine
{
  "model": "a/b", // the good one
  /* providers */
  "provider": {
    // the fast one
    "fastrouter": {
      "options": {"apiKey": "k", 'baseURL': 'https://x'}, // do not touch
      name: "F",
    },
    "empty": {},
    "noted": {
      // nothing yet
    },
  },
  "disabled_providers": ["a"] // last
}
"""


def test_new_members_look_like_their_neighbours_and_everything_else_stays() -> None:
    change = {
        "provider": {
            "fastrouter": {
                "options": {"baseURL": "https://y", "timeout": 5},
                "name": None,
                "env": ["A", "B"],
            },
            "empty": {"name": "E"},
            "noted": {"name": "N"},
            "new": {"options": {"headers": {"X": "1"}}},
        },
        "disabled_providers": ["a", "b"],
        "offline": True,
    }
    assert (
        patched(FILE, change)
        == """// mine
{
  "model": "a/b", // the good one
  /* providers */
  "provider": {
    // the fast one
    "fastrouter": {
      "options": {"apiKey": "k", 'baseURL': "https://y", "timeout": 5}, // do not touch
      "env": ["A", "B"],
    },
    "empty": {
      "name": "E"
    },
    "noted": {
      // nothing yet
      "name": "N"
    },
    "new": {
      "options": {
        "headers": {
          "X": "1"
        }
      }
    },
  },
  "disabled_providers": ["a", "b"], // last
  "offline": true
}
"""
    )


def test_what_is_taken_out_leaves_no_hole_and_comments_stay() -> None:
    change = {
        "provider": {"fastrouter": {"options": {"apiKey": None}}, "empty": None},
        "disabled_providers": None,
    }
    assert (
        patched(FILE, change)
        == """// mine
{
  "model": "a/b", // the good one
  /* providers */
  "provider": {
    // the fast one
    "fastrouter": {
      "options": {'baseURL': 'https://x'}, // do not touch
      name: "F",
    },
    "noted": {
      // nothing yet
    },
  }
  // last
}
"""
    )


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        ("{}", {"a": {"b": 1}}, '{\n  "a": {\n    "b": 1\n  }\n}'),
        ("{\n\n}\n", {"a": 1}, '{\n  "a": 1\n}\n'),
        ("{\n  // c\n}", {"a": 1}, '{\n  // c\n  "a": 1\n}'),
        ('{"a":1}', {"b": {"c": [1]}}, '{"a":1, "b": {"c": [1]}}'),
        ('{ "a": 1, }', {"b": 2}, '{ "a": 1, "b": 2, }'),
        ('{"a":1 // c\n}', {"b": 2}, '{"a":1, "b": 2 // c\n}'),
        ('{"a": {}}', {"a": {"b": 1}}, '{"a": {"b": 1}}'),
        ('{"a": {/* c */}}', {"a": {"b": 1}}, '{"a": {/* c */"b": 1}}'),
        ('{"a": 1}', {"a": None}, "{}"),
        ('{"a": 1, "b": 2}', {"a": None}, '{"b": 2}'),
        ('{"a": 1, "b": 2 }', {"b": None}, '{"a": 1 }'),
        ('{"a": 1, "b": 2, "c": 3}', {"a": None, "c": None}, '{"b": 2}'),
        ('{\n  "a": 1, // x\n  "b": 2\n}', {"b": None}, '{\n  "a": 1 // x\n}'),
        ('{\n  "a": 1 /* over\n  lines */\n}', {"b": 2}, '{\n  "a": 1, /* over\n  lines */\n  "b": 2\n}'),
        ('{\r\n\t"a": 1\r\n}', {"b": {"c": 2}}, '{\r\n\t"a": 1,\r\n\t"b": {\r\n\t\t"c": 2\r\n\t}\r\n}'),
        ('\ufeff{"a": 1}', {"a": 2}, '\ufeff{"a": 2}'),
        ('{"a": 1, "a": 2}', {"a": 3}, '{"a": 1, "a": 3}'),
        ('{"a": 1, "b": 0, "a": 2}', {"a": None}, '{"b": 0}'),
        ('{"a": {"x": 1}}', {"a": [1]}, '{"a": [1]}'),
        ('{"a": [1, {"a": 2}]}', {"a": {"x": {"y": None}}}, '{"a": {"x": {}}}'),
        ('{"a": "}, // {", b: \'"a":\'}', {"b": 1}, '{"a": "}, // {", b: 1}'),
        ('{"\\u0061": 1}', {"a": 2}, '{"\\u0061": 2}'),
        ('{"a/b.c": {"é": 1}}', {"a/b.c": {"é": "ü"}}, '{"a/b.c": {"é": "ü"}}'),
        ('{"a": 1}', {"a": WRITTEN_NULL}, '{"a": null}'),
        ("{a: 1, b: 0x10, c: +.5, d: Infinity}", {"a": True}, "{a: true, b: 0x10, c: +.5, d: Infinity}"),
    ],
)
def test_every_style_is_kept(before: str, change: dict[str, Any], after: str) -> None:
    assert patched(before, change) == after


@pytest.mark.parametrize("change", [{}, {"a": {"b": 1}}, {"absent": None}, {"a": {"absent": None}}])
def test_a_change_that_changes_nothing_leaves_the_text_as_it_is(change: dict[str, Any]) -> None:
    text = "{ 'a' :{ b: 1.0 , }, }"
    assert patched(text, change) == text


def test_true_is_not_one() -> None:
    assert patched('{"a": 1}', {"a": True}) == '{"a": true}'


@pytest.mark.parametrize("text", ["", "[]", '{"a": ', '{"a": 1} x'])
def test_a_text_without_an_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"empty|not an object|does not end|after the last"):
        patched(text, {"a": 1})


@pytest.mark.parametrize("value", [float("nan"), "\ud800"])
def test_a_value_that_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"surrogates|JSON compliant"):
        patched("{}", {"a": value})


# --- whatever the file looks like ------------------------------------------------------------------------

_KEYS = st.sampled_from(["a", "b", "c", "a/b", 'q"uo', "//", "é"])
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "x", "/* no */", "// no", "}", "\\", "\n"])
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)
_OBJECTS = st.dictionaries(_KEYS, _VALUES, max_size=4)
_BLANKS = st.sampled_from(["", "", " ", "\n", "\n  ", "\r\n\t", " // c%d\n", "/* c%d */", "\n  /* c%d\n */ "])


def written(draw: st.DrawFn, value: Any) -> str:
    """`value` as somebody may write it, with comments numbered by `%d`."""
    if isinstance(value, dict | list):
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        text = opening + draw(_BLANKS)
        items: list[tuple[str | None, Any]] = [(None, item) for item in cast("list[Any]", value)]
        if isinstance(value, dict):
            items = list(cast("dict[str, Any]", value).items())
        for index, (key, item) in enumerate(items):
            if key is not None:
                text += json.dumps(key) + draw(_BLANKS) + ":" + draw(_BLANKS)
            is_last = index == len(items) - 1
            comma = "," if not is_last or draw(st.booleans()) else ""
            text += written(draw, item) + draw(_BLANKS) + comma + draw(_BLANKS)
        return text + closing
    return json.dumps(value)


@st.composite
def files(draw: st.DrawFn) -> str:
    text = draw(_BLANKS) + written(draw, draw(_OBJECTS)) + draw(_BLANKS)
    number = iter(range(1000))
    return re.sub("c%d", lambda _: f"c{next(number)}", text)


@settings(deadline=None, max_examples=300)
@given(files(), _OBJECTS)
def test_any_change_of_any_file_says_what_it_must(text: str, change: dict[str, Any]) -> None:
    before = pyjson5.decode(text)
    after = patched(text, change)
    assert pyjson5.decode(after) == merge_patch(before, change)
    assert patched(after, change) == after


@settings(deadline=None, max_examples=200)
@given(files(), _KEYS, st.integers(-5, 5))
def test_adding_a_member_loses_no_comment(text: str, key: str, value: int) -> None:
    before = pyjson5.decode(text)
    new = f"{key} new"
    after = patched(text, {new: value})
    assert re.findall(r"c\d+", after) == re.findall(r"c\d+", text)
    assert {name: item for name, item in pyjson5.decode(after).items() if name != new} == before
