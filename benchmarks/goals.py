"""What was promised, and whether this run kept it."""

from collections.abc import Sequence
from dataclasses import dataclass

from measure import Row


@dataclass(frozen=True)
class Goal:
    """A limit for a figure of ours, or for its ratio to a reference."""

    what: str
    """Of the row."""
    limit: float
    unit: str
    reference: str = ""
    """The limit is for the ratio to this one's figure."""


GOALS = (
    Goal("spawn to initialize answered", 1.0, "x", "codex app-server (native)"),
    Goal("spawn to first list answered", 400, "ms"),
    Goal("spawn to initialize answered, attach PATH", 30, "ms"),
    Goal("chat, over the bare exchange", 500, "ms"),
    Goal("chat, most memory", 80, "MiB"),
    Goal("models, whole time", 400, "ms"),
    Goal("models, most memory", 80, "MiB"),
    *(
        Goal(f"{pace}, CPU a delta", limit, "x", reference)
        for pace in ("1 x 100/s", "1 x 1000/s", "20 x 50/s", "200 x 50/s", "flood")
        for limit, reference in ((1.5, "asyncio by hand"), (1 / 3, "litellm behind pygls"))
    ),
    Goal("1 x 1000/s, late p99", 2000, "us"),
    # The interval of a stream's deltas: whoever falls behind is more than one behind at the end.
    Goal("200 x 50/s, last tenth late", 20_000, "us"),
    Goal("a session each, 200 x 50/s, last tenth late", 20_000, "us"),
    # "Does not grow" allows for the spread of the figures.
    Goal("CPU of a turn, the last 20 of 200", 1.1, "x", "the first 20 after as many bytes"),
    Goal("idle, providers listed", 70, "MiB"),
    Goal("growth for each of them", 100, "KiB"),
    # In a short soak memory has not quite got to its level in the middle.
    Goal("a session each, after the soak", 1.1, "x", "in the middle of it"),
)


def section(rows: Sequence[Row]) -> str:
    """A Markdown section of the goals whose figures were measured; empty where there is none."""
    lines: list[str] = []
    for goal in GOALS:
        row = next((row for row in rows if row.what == goal.what and goal.reference in row.reference), None)
        if row is None:
            continue
        figure = row.ratio if goal.reference else row.ours.median
        against = f" over {goal.reference}" if goal.reference else ""
        kept = "yes" if figure <= goal.limit else "**no**"
        lines.append(f"| {goal.what}{against} | {goal.limit:.3g} {goal.unit} | {figure:.3g} | {kept} |")
    head = ("## Goals", "", "| goal | at most | measured | kept |", "| --- | --- | --- | --- |")
    return "\n".join((*head, *lines, "")) if lines else ""
