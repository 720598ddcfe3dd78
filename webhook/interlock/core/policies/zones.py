"""Time zones, and what a wall clock reading means in UTC.

Zones come from the tzdata package, never from the machine: guard, controller and command line must agree, and two nodes
may carry different system databases. Reading package data through importlib.resources counts as a table of ours; the
table is read anew where a process is told to look (`refresh`), since governments change clocks at short notice.

A wall clock reading happens once on most days, twice when clocks are set back (a fold) and never when they are set
forward (a gap). `instants` returns both ends of the doubt and leaves the choice to the caller.
"""

from datetime import UTC, datetime, timedelta
from importlib import resources
from zoneinfo import ZoneInfo


class _Database:
    """The shipped database, as of when it was last read."""

    def __init__(self) -> None:
        self.version = _shipped()
        self.names = _listed()
        self._zones: dict[str, ZoneInfo] = {}

    def zone(self, name: str) -> ZoneInfo:
        """The zone of this name.

        Raises:
            KeyError: no such zone.
        """
        if name not in self.names:
            raise KeyError(name)
        if name not in self._zones:
            self._zones[name] = _read(name)
        return self._zones[name]

    def refresh(self) -> bool:
        version = _shipped()
        if version == self.version:
            return False
        names = _listed() | self._zones.keys()  # a zone in use stays, whatever the new release lacks
        zones = {name: _read(name, zone) for name, zone in self._zones.items()}
        self.version, self.names, self._zones = version, names, zones
        return True


def _shipped() -> str:
    """The release that is there, from the first line of its source: ``# version 2026f``."""
    with resources.files("tzdata").joinpath("zoneinfo", "tzdata.zi").open("rb") as source:
        return source.readline().decode("ascii").split()[-1]


def _listed() -> frozenset[str]:
    return frozenset(resources.files("tzdata").joinpath("zones").read_text(encoding="ascii").split())


def _read(name: str, otherwise: ZoneInfo | None = None) -> ZoneInfo:
    try:
        with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
            return ZoneInfo.from_file(data, key=name)
    except FileNotFoundError:
        if otherwise is None:
            raise
        return otherwise


_DATABASE = _Database()


def version() -> str:
    """The release of the database that answers, such as ``2026f``."""
    return _DATABASE.version


def refresh() -> bool:
    """Read the database anew if the shipped one has been replaced; True if it was.

    Zones that were handed out before stay as they were: ask `zone` again.

    Raises:
        OSError: it cannot be read; the one before goes on answering.
        ValueError: likewise.
    """
    return _DATABASE.refresh()


def names() -> frozenset[str]:
    """Every IANA name that the shipped database knows."""
    return _DATABASE.names


def zone(name: str) -> ZoneInfo:
    """Load a zone; a name is looked up before it becomes a path.

    Raises:
        KeyError: no such zone.
    """
    return _DATABASE.zone(name)


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
