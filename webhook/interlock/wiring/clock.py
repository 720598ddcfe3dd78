"""The one place that reads the clock."""

from datetime import UTC, datetime


def now() -> datetime:
    """Implements `core.ports.Clock`."""
    return datetime.now(UTC)
