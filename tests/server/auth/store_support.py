"""The store's file as other programs and tests see it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from trunkline.auth.store import KeyStore
from trunkline.secrets import Secret

CANARY = "sk-canary-store-b7e04c19"
ORIGIN = "https://gw.example"

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX modes and links")


def put(store: KeyStore, provider_id: str, key_id: str, secret: str = CANARY, *, active: bool = True) -> None:
    store.set(provider_id, key_id, Secret(secret), origin=ORIGIN, make_active=active)


def active_of(store: KeyStore, provider_id: str) -> list[str]:
    return [key.key_id for key in store.list(provider_id) if key.active]


def document(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def write(path: Path, content: Any) -> bytes:
    """Put a store's file in place as another program would."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(data)
    return data


def mode(path: Path) -> int:
    return path.lstat().st_mode & 0o7777
