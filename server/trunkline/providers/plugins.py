"""Rows that other installed packages add, by entry points in the group `trunkline.providers`."""

import logging
from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from trunkline.providers.spec import ProviderSpec

logger = logging.getLogger(__name__)

GROUP = "trunkline.providers"


@cache
def plugin_rows() -> tuple[ProviderSpec, ...]:
    """The rows of every plugin. One that cannot be loaded is logged and left out; it stops nobody else."""
    return tuple(row for entry in entry_points(group=GROUP) for row in _rows(entry))


def _rows(entry: EntryPoint) -> Iterator[ProviderSpec]:
    from dataclasses import replace

    try:
        value: Any = entry.load()
        given: Any = value() if callable(value) else value
    except Exception:
        logger.exception("the plugin %s cannot be loaded", entry.name)
        return
    many = cast("list[object]", given) if isinstance(given, list | tuple) else [given]
    for row in many:
        if isinstance(row, ProviderSpec):
            yield replace(row, source="plugin")
        else:
            logger.error("the plugin %s gives a %s instead of a ProviderSpec", entry.name, type(row).__name__)
