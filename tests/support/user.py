"""An isolated user: their directories, their configuration, their environment."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trunkline.config.paths import Paths

CANARY = "sk-v1-canary-7f3a9c51e2d84b06"
"""The planted key: it may be in the store and in the Authorization header, and nowhere else."""

SERVER = [sys.executable, "-m", "trunkline", "--stdio"]


@dataclass(frozen=True)
class User:
    """A home directory of a test's own."""

    home: Path

    @property
    def paths(self) -> Paths:
        return Paths(
            config=self.home / "config" / "trunkline",
            data=self.home / "data" / "trunkline",
            cache=self.home / "cache" / "trunkline",
            state=self.home / "state" / "trunkline",
        )

    @property
    def env(self) -> dict[str, str]:
        """The environment of a process of this user, without any key of the machine the tests run on."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.upper().endswith(("_KEY", "_TOKEN", "_PAT", "_PROXY"))
        }
        return {
            **kept,
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_DATA_HOME": str(self.home / "data"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_STATE_HOME": str(self.home / "state"),
        }

    def configure(self, settings: dict[str, Any] | str) -> Path:
        """Write the configuration file, as JSON or as the text given."""
        path = self.paths.config / "trunkline.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(settings if isinstance(settings, str) else json.dumps(settings), encoding="utf-8")
        return path

    def route(self, base_url: str, provider_id: str = "fastrouter", **more: Any) -> Path:
        """Send a provider's requests to a loopback upstream."""
        return self.configure({"provider": {provider_id: {"options": {"baseURL": base_url}}}, **more})

    def files_with(self, text: str) -> list[Path]:
        """Every file under this home that contains `text`."""
        return [
            path
            for path in sorted(self.home.rglob("*"))
            if path.is_file() and text.encode() in path.read_bytes()
        ]
