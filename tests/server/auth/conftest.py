from pathlib import Path

import pytest

from trunkline.auth.store import KeyStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store's file is going to be."""
    return tmp_path / "data" / "auth.json"


@pytest.fixture
def store(path: Path) -> KeyStore:
    return KeyStore(path)
