"""Instants as Interlock stores them: RFC 3339 in UTC with exactly six digits of a second, one spelling per instant."""

from datetime import UTC, datetime

from interlock.errors import BadInput

EXPECTED = "RFC 3339 in UTC with microseconds, as 2026-11-21T10:15:00.000000Z"


def write(instant: datetime) -> str:
    """Write an aware instant.

    Raises:
        ValueError: the instant is naive.
    """
    if instant.tzinfo is None:
        raise ValueError("a stored instant must be aware")
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def read(text: str) -> datetime:
    """Read what `write` wrote, in that spelling only.

    Raises:
        BadInput: anything else.
    """
    try:
        instant = datetime.fromisoformat(text)
        spelled = write(instant)
    except ValueError as error:
        raise BadInput(field="time", got=repr(text[:40]), expected=EXPECTED) from error
    if spelled != text:
        raise BadInput(field="time", got=repr(text[:40]), expected=EXPECTED)
    return instant
