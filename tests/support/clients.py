"""Client software that nobody here wrote: used where it is installed, skipped with a reason where not."""

import os
from typing import NoReturn

import pytest

_PROMISED = frozenset(filter(None, os.environ.get("TRUNKLINE_TEST_CLIENTS", "").split(",")))
"""Clients whose absence is a failure: CI installs them and must not skip them unnoticed."""


def missing_client(name: str, reason: str) -> NoReturn:
    """Skip a test whose client is not there, or fail it where that client was promised."""
    if name in _PROMISED:
        pytest.fail(f"{name} was promised but is missing: {reason}")
    pytest.skip(f"{name} is missing: {reason}")
