"""What a check has found: one sentence, and where something is wrong, what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    BAD = "bad"
    UNKNOWN = "unknown"  # could not be looked at, which is no reason to call it good


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The end of one check.

    Attributes:
        status: how it ended.
        text: one sentence without a final stop.
        details: one line each, what the sentence speaks of.
        remedy: a command or a few words; empty if nothing is wrong.
    """

    status: Status
    text: str
    details: Sequence[str] = ()
    remedy: str = ""


def good(text: str, *, details: Sequence[str] = ()) -> Finding:
    """All is as it should be."""
    return Finding(status=Status.OK, text=text, details=tuple(details))


def bad(text: str, *, remedy: str, details: Sequence[str] = ()) -> Finding:
    """Something is wrong."""
    return Finding(status=Status.BAD, text=text, details=tuple(details), remedy=remedy)


def unknown(why: str, *, remedy: str = "") -> Finding:
    """It could not be looked at."""
    return Finding(status=Status.UNKNOWN, text=why, remedy=remedy)
