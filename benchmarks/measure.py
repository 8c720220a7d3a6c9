"""Samples of one figure, their median and spread, and the table they end up in."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Samples:
    """The same thing measured several times."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def __str__(self) -> str:
        """The median, and in brackets the quartiles."""
        if len(self.values) == 1:
            return _short(self.median)
        low, _, high = statistics.quantiles(self.values, n=4, method="inclusive")
        return f"{_short(self.median)} [{_short(low)}-{_short(high)}]"


@dataclass(frozen=True)
class Row:
    """One comparison of the same figure in the same run."""

    what: str
    unit: str
    ours: Samples
    reference: str
    theirs: Samples
    higher_is_better: bool = False

    @property
    def ratio(self) -> float:
        """Ours over theirs, of the medians."""
        return self.ours.median / self.theirs.median

    def cells(self) -> tuple[str, ...]:
        better = (self.ratio > 1) == self.higher_is_better
        ratio = f"{self.ratio:.2f}"
        return (
            self.what,
            self.unit,
            str(self.ours),
            self.reference,
            str(self.theirs),
            f"**{ratio}**" if better else ratio,
        )


def table(rows: Sequence[Row]) -> str:
    """A Markdown table; a ratio in bold is in our favour."""
    head = ("what", "unit", "Trunkline", "reference", "its figure", "ratio")
    cells = [head, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    lines = [
        " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells
    ]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


def _short(value: float) -> str:
    """Three digits that mean something, thousands apart."""
    if value >= 100:  # noqa: PLR2004 - where a decimal says nothing any more
        return f"{value:,.0f}"
    return f"{value:.3g}"
