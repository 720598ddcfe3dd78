"""What windows say that is probably not meant: a freeze that leaves no opening, an entry that never comes.

Legal, so it is said as a warning, to whoever writes the policy and in its status.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from interlock.core.policies.entries import Span
from interlock.core.policies.windows import LOOK_AHEAD, Windows

FREEZE_LOOK = timedelta(days=32)
"""Within which a freeze should leave an opening: any month with a day on either side, as GKE asks it of exclusions."""


def doubts(windows: Windows, now: datetime) -> tuple[str, ...]:
    """Each doubt as one sentence that begins with the field.

    Args:
        windows: as compiled.
        now: from when on they are looked at, as far as any look goes.
    """
    now = now.astimezone(UTC)
    return (*_openings(windows, now), *_entries(windows, Span(now, now + LOOK_AHEAD)))


def _openings(windows: Windows, now: datetime) -> Iterator[str]:
    unfrozen = replace(windows, freeze=())
    always = f"within the next {LOOK_AHEAD.days} days, so the policy always yields `outside`"
    if not _opens(unfrozen, now, LOOK_AHEAD):
        yield f"spec.windows.allow: none of them opens {always}"
    elif not _opens(windows, now, LOOK_AHEAD):
        yield f"spec.windows.freeze: leaves no opening {always}"
    elif _opens(unfrozen, now, FREEZE_LOOK) and not _opens(windows, now, FREEZE_LOOK):
        opening = next(windows.openings(Span(now, now + LOOK_AHEAD))).start.astimezone(windows.zone)
        when = f"{opening:%a %Y-%m-%d %H:%M} {windows.time_zone}"
        yield f"spec.windows.freeze: leaves no opening within the next {FREEZE_LOOK.days} days; the next is {when}"


def _opens(windows: Windows, now: datetime, within: timedelta) -> bool:
    return any(windows.openings(Span(now, now + within)))


def _entries(windows: Windows, period: Span) -> Iterator[str]:
    """Single entries that do nothing, where others of their list do something."""
    for name, entries, narrow, so in (
        ("allow", windows.allow, True, "it opens nothing"),
        ("freeze", windows.freeze, False, "it closes nothing"),
    ):
        idle = [not any(entry.spans(period, windows.zone, narrow=narrow)) for entry in entries]
        if all(idle) and name == "allow":
            continue  # said already, of the whole list
        for index in (index for index, never in enumerate(idle) if never):
            entry = f"spec.windows.{name}[{index}]: {entries[index].name}"
            yield f"{entry} does not come within the next {LOOK_AHEAD.days} days: {so}"
