"""Time zones, and what a wall clock reading means in UTC.

Zones come from the tzdata package, never from the machine: guard, controller and command line must agree, and two nodes
may carry different system databases. Reading package data through importlib.resources counts as a table of ours.

A wall clock reading happens once on most days, twice when clocks are set back (a fold) and never when they are set
forward (a gap). `instants` returns both ends of the doubt and leaves the choice to the caller.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo


@cache
def names() -> frozenset[str]:
    """Every IANA name that the shipped database knows."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text(encoding="ascii").split())


@cache
def zone(name: str) -> ZoneInfo:
    """Load a zone; a name is looked up before it becomes a path.

    Raises:
        KeyError: no such zone.
    """
    if name not in names():
        raise KeyError(name)
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


def instants(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Find the earliest and the latest instant that a wall clock reading can stand for; mostly they are the same.

    In a fold they are the two times that the clock shows it. In a gap they are the reading shifted back and shifted
    forward by the gap (PEP 495: fold picks the offset that applies), as RFC 5545 shifts it forward.
    """
    one, other = (_offset(wall.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    utc = wall.replace(tzinfo=UTC)
    return utc - max(one, other), utc - min(one, other)


def _offset(local: datetime) -> timedelta:
    return local.utcoffset() or timedelta(0)
