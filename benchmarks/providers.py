"""The paced upstream as a provider, in the words of each program that asks it."""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NAME = "paced"


def for_trunkline(home: Path, port: int, models: Sequence[str], *, discover: bool = False) -> None:
    """Without `discover` it has the models that are named, and asks for no others."""
    entry = section(port, models)
    if not discover:
        entry["options"]["discoverModels"] = False
    write(home, "trunkline", {"provider": {NAME: entry}})


def for_agent(home: Path, program: str, port: int, models: Sequence[str]) -> None:
    """Of `opencode` or `kilo`; titles of sessions are asked from the first model."""
    first = f"{NAME}/{models[0]}"
    chosen = {"model": first, "small_model": first, "share": "disabled"}
    write(home, program, {"provider": {NAME: section(port, models)}, **chosen})


def for_codex(home: Path, port: int, models: Sequence[str]) -> None:
    """By the Responses wire, the only one that it speaks; it takes names of models that it does not know."""
    values = {
        "model": models[0],
        "model_provider": NAME,
        f"model_providers.{NAME}.name": "Paced",
        f"model_providers.{NAME}.base_url": f"http://127.0.0.1:{port}/v1",
        f"model_providers.{NAME}.wire_api": "responses",
    }
    lines = (f"{name} = {json.dumps(value)}\n" for name, value in values.items())
    (home / "config.toml").write_text("".join(lines), encoding="utf-8")


def section(port: int, models: Sequence[str]) -> dict[str, Any]:
    """An entry of `provider`, which Trunkline, opencode and kilo read alike."""
    return {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Paced",
        "options": {"baseURL": f"http://127.0.0.1:{port}/v1", "apiKey": "k"},
        "models": {name: {} for name in models},
    }


def write(home: Path, program: str, document: dict[str, Any]) -> None:
    """Its configuration file, like one that nobody is writing: what has just changed may be read again."""
    path = home / program / f"{program}.json"
    path.parent.mkdir()
    path.write_text(json.dumps(document), encoding="utf-8")
    hour_ago = time.time() - 3600
    os.utime(path, (hour_ago, hour_ago))
