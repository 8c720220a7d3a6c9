import sys
from pathlib import Path

import pytest

from trunkline.config.paths import Paths


@pytest.mark.skipif(sys.platform != "linux", reason="XDG directories are Linux's")
def test_directories_follow_xdg_and_are_not_created(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CONFIG", "DATA", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))

    paths = Paths.for_user()

    assert paths == Paths(
        config=tmp_path / "config" / "trunkline",
        data=tmp_path / "data" / "trunkline",
        cache=tmp_path / "cache" / "trunkline",
        state=tmp_path / "state" / "trunkline",
    )
    assert list(tmp_path.iterdir()) == []
