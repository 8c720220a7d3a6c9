"""`permission` and `mcp`, with the keys that users of Kilo and opencode know."""

from pathlib import Path
from typing import Any

import pytest

from trunkline.config.documents import Fault, check, settings_of
from trunkline.config.load import ConfigFile
from trunkline.config.settings import Settings
from trunkline.config.substitution import Substitution
from trunkline.secrets import Secret, scrub

CANARY = "canary-mcp-77d1"


def checked(document: dict[str, Any], **environ: str) -> tuple[Settings, tuple[Fault, ...]]:
    result = check(document, Path("/"), Substitution(environ))
    return settings_of(result.document), result.faults


def test_a_program_and_an_address() -> None:
    settings, faults = checked(
        {
            "mcp": {
                "time": {
                    "type": "local",
                    "command": ["uvx", "mcp-server-time"],
                    "environment": {"TOKEN": "{env:CANARY}", "NONE": None},
                    "cwd": "/srv",
                    "timeout": 5000,
                },
                "docs": {
                    "type": "remote",
                    "url": "https://docs.invalid/mcp",
                    "headers": {"Authorization": CANARY},
                },
                "off": {"enabled": False},
                "gone": None,
            }
        },
        CANARY=CANARY,
    )
    assert faults == ()
    time, docs = settings.mcp["time"], settings.mcp["docs"]
    assert (time.command, time.cwd, time.timeout) == (("uvx", "mcp-server-time"), Path("/srv"), 5000)
    assert time.environment == {"TOKEN": Secret(CANARY)}
    assert (docs.url, docs.headers) == ("https://docs.invalid/mcp", {"Authorization": Secret(CANARY)})
    assert [name for name, server in settings.mcp.items() if server.enabled] == ["time", "docs"]
    assert CANARY not in repr(settings)
    assert CANARY not in scrub(f"stderr: {CANARY}")


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ({}, "`mcp.x` must have either `command` or `url`"),
        ({"command": ["a"], "url": "https://a.invalid"}, "`mcp.x` must have either `command` or `url`"),
        ({"command": "rm -rf"}, "`mcp.x.command` must be a list of the program and its arguments"),
        (
            {"url": "http://a.invalid/mcp"},
            "`mcp.x.url` must start with https://; only localhost, 127.0.0.1 and",
        ),
        (
            {"command": ["a"], "environment": {"A=B": "c"}},
            "`mcp.x.environment` has a name that no variable has",
        ),
        ({"command": ["a"], "environment": {"A": 1}}, "`mcp.x.environment` must have text in quotes for A"),
        (
            {"command": ["a"], "environment": {"A": "{env:NOT_SET}"}},
            "`mcp.x.environment.A` needs the environment",
        ),
        ({"command": ["a"], "cwd": "relative"}, "`mcp.x.cwd` must be an absolute path"),
        ({"command": ["a"], "timeout": 0}, "`mcp.x.timeout` must be more than 0"),
        ("a", "`mcp.x` must be an object in braces { }"),
    ],
)
def test_a_wrong_server_is_left_out_alone(server: Any, reason: str) -> None:
    settings, (fault,) = checked({"mcp": {"x": server, "y": {"command": ["b"]}}, "model": "p/m"})
    assert (fault.mcp_server, fault.provider_id) == ("x", None)
    assert fault.reason.startswith(reason)
    assert (list(settings.mcp), settings.model) == (["y"], "p/m")


def test_it_stops_no_provider_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "trunkline.jsonc").write_text('{"mcp": {"x": {}}}')
    loaded = ConfigFile(tmp_path, {}).current()
    assert loaded.error_for("openai") is None
    (notice,) = loaded.notices()
    assert notice.endswith("The MCP server x is not used until this is corrected.")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("deny", {"*": "deny"}),
        ({"edit_file": "ask", "x": None}, {"edit_file": "ask"}),
        ({"edit_file": {"src/*": "allow", "x": None}}, {"edit_file": {"src/*": "allow"}}),
    ],
)
def test_permission(written: Any, expected: Any) -> None:
    settings, faults = checked({"permission": written})
    assert (settings.permission, faults) == (expected, ())


@pytest.mark.parametrize("written", ["maybe", {"a": "maybe"}, {"a": {"b": 1}}, ["allow"], {"a": {"b": {}}}])
def test_a_permission_that_is_none_is_never_guessed(written: Any) -> None:
    _, (fault,) = checked({"permission": written, "model": "p/m"})
    assert (fault.provider_id, fault.mcp_server) == (None, None)
    assert fault.reason.startswith("`permission` must ")
