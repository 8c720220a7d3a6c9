"""Plugins are found by importlib.metadata, which a process reads once: each test is a process of its own."""

import subprocess
import sys
from pathlib import Path

from support.user import User

ROWS = """
from trunkline.providers.spec import ProviderSpec

def row(name):
    return ProviderSpec(
        provider_id=name, name=name.title(), base_url=f"https://{name}.example/v1", env_vars=("ACME_API_KEY",)
    )

ONE = row("acme")

def many():
    return [row("bravo"), "not a row", row("charlie")]

def broken():
    raise RuntimeError("no")
"""

SHOW = """
import os, pathlib, sys
from trunkline.app import Application
from trunkline.config.paths import Paths

home = pathlib.Path(sys.argv[1])
registry = Application(Paths(home, home, home, home)).registry
for provider in registry.all():
    if provider.spec.source == "plugin":
        print(provider.provider_id, provider.base_url)
print("others", len(registry.all()) > 100)
"""


def shown(user: User, packages: Path, **entries: str) -> tuple[list[str], str]:
    info = packages / "acme_plugin-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: acme-plugin\nVersion: 1.0\n", encoding="utf-8"
    )
    lines = "".join(f"{name} = {target}\n" for name, target in entries.items())
    (info / "entry_points.txt").write_text(f"[trunkline.providers]\n{lines}", encoding="utf-8")
    (packages / "acme_plugin.py").write_text(ROWS, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SHOW, str(user.home)],
        env={**user.env, "PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    return done.stdout.splitlines(), done.stderr


def test_installed_packages_add_rows(user: User, tmp_path: Path) -> None:
    lines, _ = shown(user, tmp_path / "packages", acme="acme_plugin:ONE", more="acme_plugin:many")

    assert lines == [
        "acme https://acme.example/v1",
        "bravo https://bravo.example/v1",
        "charlie https://charlie.example/v1",
        "others True",
    ]


def test_a_broken_plugin_stops_nobody_and_is_logged(user: User, tmp_path: Path) -> None:
    lines, stderr = shown(
        user,
        tmp_path / "packages",
        bad="acme_plugin:broken",
        none="acme_plugin:nothing",
        acme="acme_plugin:ONE",
    )

    assert lines == ["acme https://acme.example/v1", "others True"]
    assert "bad" in stderr
    assert "none" in stderr
