"""The time as sessions write it."""

from datetime import UTC, datetime, timedelta


def now() -> str:
    """RFC 3339, UTC, in milliseconds: text that sorts by time."""
    return _written(datetime.now(UTC))


def days_ago(days: int) -> str:
    """The time so many days before now."""
    return _written(datetime.now(UTC) - timedelta(days=days))


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
