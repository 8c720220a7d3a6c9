"""Keys in files laid out as Kilo, opencode, `llm` and people's `.env` files are."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from trunkline.auth.importing.files import key_files, read_keys
from trunkline.auth.importing.found import Found, KnownProviders

KEY = "sk-canary-import-00a1"
OTHER = "sk-canary-import-00a2"

KNOWN = KnownProviders(
    ids=frozenset({"anthropic", "google", "openai", "openrouter", "xai", "zai", "zhipuai"}),
    by_variable={
        "ANTHROPIC_API_KEY": ("anthropic",),
        "GEMINI_API_KEY": ("google",),
        "GOOGLE_API_KEY": ("google",),
        "OPENAI_API_KEY": ("openai",),
        "OPENROUTER_API_KEY": ("openrouter",),
        "ZHIPU_API_KEY": ("zai", "zhipuai"),
        "_ODD": ("xai",),
    },
)


def read(file: Path, content: Any, **environ: str) -> dict[str, Found]:
    """What is found in a file with this content, by its place in it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, str | bytes) else json.dumps(content)
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    before = file.read_bytes(), file.stat().st_mtime_ns
    found = read_keys(file, KNOWN, {"XDG_CONFIG_HOME": str(file.parent.parent / "no-config"), **environ})
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert all((item.secret is None) == (item.reason is not None) for item in found)
    assert KEY not in repr(found)
    return {item.place: item for item in found}


def taken(found: dict[str, Found]) -> dict[str, tuple[str, str, str]]:
    """Provider, name and key of what can be used."""
    return {
        place: (item.provider_id, item.key_id, item.secret.reveal())
        for place, item in found.items()
        if item.secret is not None
    }


# --- Kilo and opencode --------------------------------------------------------------------------------------


@pytest.mark.parametrize("program", ["kilo", "opencode"])
def test_keys_of_kilo_and_opencode_are_found_and_sign_ins_are_not_taken(tmp_path: Path, program: str) -> None:
    found = read(
        tmp_path / program / "auth.json",
        {
            "openai": {"type": "api", "key": KEY, "metadata": {"organization": "acme"}},
            "openrouter": {"type": "api", "key": f" {OTHER}\n"},
            "anthropic": {"type": "oauth", "refresh": "r" * 20, "access": "a" * 20, "expires": 0},
            "https://llm.company.example": {"type": "wellknown", "key": "COMPANY_TOKEN", "token": "t" * 20},
            "mystery": {"type": "api", "key": KEY},
        },
    )
    assert taken(found) == {"openai": ("openai", program, KEY), "openrouter": ("openrouter", program, OTHER)}
    assert "trunkline auth login anthropic" in str(found["anthropic"].reason)
    assert "runs nothing" in str(found["https://llm.company.example"].reason)
    assert "no provider here" in str(found["mystery"].reason)
    assert found["openai"].last4 == "00a1"
    assert found["anthropic"].last4 is None


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"type": "api"}, "not text"),
        ({"type": "api", "key": 7}, "not text"),
        ({"type": "api", "key": ["x"]}, "not text"),
        ({"type": "api", "key": " "}, "empty"),
        ({"type": "api", "key": "sk-\u201cquoted\u201d"}, "characters that no key has"),
        ({"type": "api", "key": "two\nlines"}, "characters that no key has"),
        ({"type": "device", "key": KEY}, "shape"),
        ({}, "shape"),
        ({"type": ["api"], "key": KEY}, "shape"),
    ],
)
def test_an_entry_that_is_not_as_it_should_be_is_said_to_be(tmp_path: Path, entry: Any, reason: str) -> None:
    found = read(tmp_path / "opencode" / "auth.json", {"openai": entry, "xai": {"type": "api", "key": OTHER}})
    assert reason in str(found["openai"].reason)
    assert taken(found) == {"xai": ("xai", "opencode", OTHER)}


def test_a_key_for_an_address_in_the_programs_settings_says_so(tmp_path: Path) -> None:
    config = tmp_path / "config" / "opencode"
    config.mkdir(parents=True)
    proxied = {"provider": {"openai": {"options": {"baseURL": "https://proxy.example/v1"}}, "xai": None}}
    (config / "opencode.json").write_text(json.dumps(proxied), encoding="utf-8")
    entries = {name: {"type": "api", "key": KEY} for name in ("openai", "xai")}
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    found = read(tmp_path / "opencode" / "auth.json", entries, **environ)
    assert found["openai"].address == "https://proxy.example/v1"
    assert found["xai"].address is None
    assert read(tmp_path / "kilo" / "auth.json", entries, **environ)["openai"].address is None


# --- llm ----------------------------------------------------------------------------------------------------


def test_keys_of_llm_are_matched_by_the_names_of_its_plugins(tmp_path: Path) -> None:
    found = read(
        tmp_path / "keys.json",
        {
            "// Note": "This file stores secret API credentials. Do not share!",
            "openai": KEY,
            "gemini": OTHER,
            "personal": KEY,
            "azure.endpoint": "https://x.example",
            "grok": "",
        },
    )
    assert taken(found) == {"openai": ("openai", "llm", KEY), "gemini": ("google", "llm", OTHER)}
    assert set(found) == {"openai", "gemini", "personal", "azure.endpoint", "grok"}
    assert "no provider here has this name" in str(found["personal"].reason)
    assert found["grok"].reason == "empty"


def test_of_an_older_and_the_present_name_the_present_one_counts(tmp_path: Path) -> None:
    both = read(tmp_path / "keys.json", {"claude": OTHER, "anthropic": KEY})
    assert taken(both) == {"anthropic": ("anthropic", "llm", KEY)}
    assert "older name" in str(both["claude"].reason)
    assert taken(read(tmp_path / "keys.json", {"claude": OTHER})) == {"claude": ("anthropic", "llm", OTHER)}


# --- .env ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        f"OPENAI_API_KEY={KEY}",
        f"export OPENAI_API_KEY={KEY}",
        f"  export   OPENAI_API_KEY = {KEY}  ",
        f"OPENAI_API_KEY='{KEY}'",
        f'OPENAI_API_KEY="{KEY}" # the good one',
        f"OPENAI_API_KEY={KEY} # the good one",
        f"OPENAI_API_KEY=old\nOPENAI_API_KEY={KEY}",
        f"# OPENAI_API_KEY=old\r\n\r\nOPENAI_API_KEY={KEY}\r\n",
        f"\ufeffOPENAI_API_KEY={KEY}",
    ],
)
def test_a_variable_is_read_as_a_shell_would(tmp_path: Path, line: str) -> None:
    found = read(tmp_path / ".env", f"{line}\nDEBUG=1\nDATABASE_URL=postgres://u:p@h/d\n")
    assert taken(found) == {"OPENAI_API_KEY": ("openai", "OPENAI_API_KEY", KEY)}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "empty"),
        ("''", "empty"),
        ("# nothing", "empty"),
        ("'sk-open", "does not end"),
        ('"sk-open', "does not end"),
        ("'sk' tail", "does not end"),
        ("$OTHER_KEY", "refers to something else"),
        ("${OTHER_KEY}", "refers to something else"),
        ('"prefix-$(cat key)"', "refers to something else"),
        ("`cat key`", "refers to something else"),
        ('"line\\nbreak"', "characters that no key has"),
        ("schlüssel", "characters that no key has"),
    ],
)
def test_a_value_that_is_no_key_is_not_taken(tmp_path: Path, value: str, reason: str) -> None:
    found = read(tmp_path / ".env", f"OPENAI_API_KEY={value}\nANTHROPIC_API_KEY={KEY}\n")
    assert reason in str(found["OPENAI_API_KEY"].reason)
    assert taken(found) == {"ANTHROPIC_API_KEY": ("anthropic", "ANTHROPIC_API_KEY", KEY)}


def test_a_dollar_in_single_quotes_is_a_dollar(tmp_path: Path) -> None:
    found = read(tmp_path / ".env", "OPENAI_API_KEY='pa$WORD-7f3a'\nXAI='x'\n")
    assert taken(found)["OPENAI_API_KEY"] == ("openai", "OPENAI_API_KEY", "pa$WORD-7f3a")


def test_escapes_count_in_double_quotes_only(tmp_path: Path) -> None:
    found = read(
        tmp_path / ".env", 'OPENAI_API_KEY="a\\"b\\\\c\\$d"\nANTHROPIC_API_KEY=\'a\\"b\'\nGEMINI_API_KEY=a\\b'
    )
    assert [item[2] for item in taken(found).values()] == ['a"b\\c$d', 'a\\"b', "a\\b"]


def test_variables_that_nobody_or_several_read_are_said_and_lines_are_not_quoted(tmp_path: Path) -> None:
    found = read(
        tmp_path / ".env",
        f"COMPANY_API_KEY={KEY}\nZHIPU_API_KEY={KEY}\n_ODD={OTHER}\n{KEY}\nPORT=80\n=x\n9A=b\n",
    )
    assert "no provider here reads" in str(found["COMPANY_API_KEY"].reason)
    assert "zai, zhipuai" in str(found["ZHIPU_API_KEY"].reason)
    assert taken(found) == {"_ODD": ("xai", "env", OTHER)}
    assert [place for place in found if place.startswith("line")] == ["line 4", "line 6", "line 7"]


@pytest.mark.parametrize("variable", ["OPENAI_BASE_URL", "OPENAI_API_BASE"])
def test_an_address_beside_the_key_belongs_to_it(tmp_path: Path, variable: str) -> None:
    found = read(tmp_path / ".env", f"OPENAI_API_KEY={KEY}\n{variable}=https://proxy.example/v1\n")
    assert found["OPENAI_API_KEY"].address == "https://proxy.example/v1"


# --- files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "does not end"),
        (b'{"openai": "sk\xff"}', "not UTF-8"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"{} trailing", "after the last closing brace"),
        (b"A=" + b"x" * 1024 * 1024, "larger than"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_to_be(tmp_path: Path, content: bytes, reason: str) -> None:
    (item,) = read(tmp_path / "keys.json", content).values()
    assert reason in str(item.reason)


@pytest.mark.parametrize("content", ["", "{}", '{"// Note": "x"}', "[]", "# nothing\n\n", "DEBUG=1"])
def test_a_file_without_keys_has_none(tmp_path: Path, content: str) -> None:
    assert taken(read(tmp_path / "keys.json", content)) == {}


@pytest.mark.skipif(os.name == "nt", reason="named pipes are POSIX")
def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, reason in ((tmp_path / "pipe", "not a regular file"), (tmp_path / "none", "no such file")):
        (item,) = read_keys(path, KNOWN, {})
        assert reason in str(item.reason)


def test_terminals_are_safe_from_names(tmp_path: Path) -> None:
    found = read(tmp_path / "keys.json", {"\x1b[2Jopenai\n": KEY, "n" * 5000: KEY})
    assert all(place.isprintable() and len(place) < 200 for place in found)


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        (
            "linux",
            {},
            [
                ".local/share/kilo/auth.json",
                ".local/share/opencode/auth.json",
                ".config/io.datasette.llm/keys.json",
            ],
        ),
        (
            "linux",
            {"XDG_DATA_HOME": "{home}/d", "XDG_CONFIG_HOME": "{home}/c"},
            ["d/kilo/auth.json", "d/opencode/auth.json", "c/io.datasette.llm/keys.json"],
        ),
        (
            "linux",
            {"LLM_USER_PATH": "{home}/llm", "XDG_DATA_HOME": "{home}/nothing"},
            ["llm/keys.json"],
        ),
        (
            "darwin",
            {},
            [
                ".local/share/kilo/auth.json",
                "Library/Application Support/kilo/auth.json",
                ".local/share/opencode/auth.json",
                "Library/Application Support/io.datasette.llm/keys.json",
            ],
        ),
        (
            "win32",
            {"APPDATA": "{home}/Roaming"},
            [
                ".local/share/kilo/auth.json",
                ".local/share/opencode/auth.json",
                "Roaming/io.datasette.llm/keys.json",
            ],
        ),
    ],
)
def test_files_are_looked_for_where_their_programs_keep_them(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
    environ: dict[str, str],
    expected: list[str],
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for place in (
        *(f"{data}/{name}/auth.json" for data in (".local/share", "d") for name in ("kilo", "opencode")),
        "Library/Application Support/kilo/auth.json",
        *(
            f"{settings}/io.datasette.llm/keys.json"
            for settings in (".config", "c", "Roaming", "Library/Application Support")
        ),
        "llm/keys.json",
    ):
        file = tmp_path / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    filled = {name: value.replace("{home}", str(tmp_path)) for name, value in environ.items()}
    assert key_files(filled, platform) == tuple(tmp_path / place for place in expected)
