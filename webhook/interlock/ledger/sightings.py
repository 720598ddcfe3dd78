"""Checkpoints that somebody has seen: whoever verifies holds the log against them, so that two logs are found out."""

from collections.abc import Iterable
from dataclasses import dataclass

from interlock.core.audit import logreport
from interlock.core.audit.checkpoint import Checkpoint
from interlock.core.audit.logreport import LogFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A checkpoint that was there at one time, so that it has to be in the log.

    Attributes:
        checkpoint: which.
        evidence: who has seen it, as for `LogFault.evidence`.
    """

    checkpoint: Checkpoint
    evidence: str


class Sightings:
    """All of them, while a log is walked."""

    def __init__(self, seen: Iterable[Sighting]) -> None:
        self._left = list(seen)

    def skip(self, over: Checkpoint, *, begins_month: bool) -> None:
        """Leave out what was seen in front of the part of the log that begins with this checkpoint.

        Args:
            over: that checkpoint.
            begins_month: whether nothing of its month is in front of it.
        """
        least = 0 if begins_month else over.size
        self._left = [each for each in self._left if not _is_before(each.checkpoint, over.origin, least)]

    def fault(self, key: str, number: int, over: Checkpoint) -> LogFault | None:
        """What somebody has seen in the place of a checkpoint of the log; None if nothing else.

        Args:
            key: of its object.
            number: of its cut.
            over: the checkpoint.
        """
        same = [each for each in self._left if each.checkpoint.origin == over.origin]
        for each in (each for each in same if each.checkpoint.size <= over.size):
            if each.checkpoint != over:
                return _tampered(each, key, number, f"size {over.size}, root {over.root.hex()}")
            self._left.remove(each)
        return None

    def beyond(self, last: int) -> list[LogFault]:
        """What was seen behind the end of the log, which its cut of this number is; -1 for none at all."""
        got = f"a log that ends with cut {last}" if last >= 0 else "no log"
        return [_tampered(each, "", -1, got) for each in self._left]


def _is_before(seen: Checkpoint, origin: str, size: int) -> bool:
    """Origins of one cluster's log sort as its months do."""
    [seen_log, seen_month], [log, month] = seen.origin.rsplit("/", 1), origin.rsplit("/", 1)
    return seen_log == log and (seen_month, seen.size) < (month, size)


def _tampered(each: Sighting, key: str, number: int, got: str) -> LogFault:
    seen = each.checkpoint
    expected = f"{seen.origin}, size {seen.size}, root {seen.root.hex()}"
    return logreport.tampered(key, number, expected=expected, got=got, evidence=each.evidence)
