"""Fixtures of the chat room."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from support.user import CANARY


def _descriptors() -> dict[str, str]:
    """Open files and sockets, and what they are."""
    found: dict[str, str] = {}
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            found[descriptor.name] = str(descriptor.readlink())
        except FileNotFoundError:  # the one that lists them
            continue
    return found


@pytest.fixture(autouse=True)
async def _nothing_is_left() -> AsyncGenerator[None]:
    """No task, socket or file outlives a test; comes first, so that it looks when all others have gone."""
    tasks, descriptors = asyncio.all_tasks(), _descriptors()
    yield
    tasks |= {task for task in asyncio.all_tasks() if task is asyncio.current_task()}

    def left() -> list[object]:
        return [*(asyncio.all_tasks() - tasks), *(_descriptors().items() - descriptors.items())]

    for _ in range(200):
        if not left():
            return
        await asyncio.sleep(0.01)  # transports close a little later than they are told to
    assert left() == []


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch, _no_keys_of_this_machine: None) -> None:
    monkeypatch.setenv("FASTROUTER_API_KEY", CANARY)
