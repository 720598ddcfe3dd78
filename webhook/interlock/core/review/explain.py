"""What a decision says to the person who asked: the text of a denial and the warnings of an allow.

A denial has one line for each thing, always in this order: verdict and severity; policy; what was attempted; window
and next opening; how to get on; record. Lines that have nothing to say are left out. Names, argv and other people's
text are shown with control characters escaped, and everything has a bound.

Observe never disturbs: what an observing policy would have done is told in a dry run only.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from interlock.core.policies import zones
from interlock.core.text import printable, shortened
from interlock.core.types import Decision, Mode, PolicyOutcome, Receipt, Request, Verdict, WindowState

MAX_LISTED = 3
"""Policies that a text explains; the rest is counted."""

MAX_EVIDENCE_RUNES = 600
"""Two names of full length and what stands around them."""

MAX_ADVICE_RUNES = 1024
"""Of one policy author's message."""

MAX_FAULT_RUNES = 200
"""Of an error's text."""

MAX_WARNING_RUNES = 256
"""The API server cuts longer ones once their sum is over 4 096."""

_SHORT_NAME_RUNES = 63
_SHORT_EVIDENCE_RUNES = 80


def denial(
    request: Request, decision: Decision, *, receipt: Receipt | None, record_id: str, fault: str, now: datetime
) -> str:
    """The text of a denial."""
    deciding = deciders(decision)
    lines = (
        f"Denied ({decision.severity.title})",
        _named(deciding),
        *_errors(deciding),
        f"attempted: {_attempted(decision, deciding)}",
        *_windows(deciding, now),
        f"next: {_advice(deciding)}",
        _record(request, receipt, record_id, fault),
    )
    return "\n".join(lines)


def withheld(decision: Decision, *, record_id: str, fault: str) -> str:
    """The text of an allow that is not given, since its record is not known to be stored."""
    deciding = deciders(decision)
    lines = (
        f"Refused ({decision.severity.title}): nothing is allowed here unless its record is stored",
        _named(deciding),
        f"attempted: {_attempted(decision, deciding)}",
        "next: try again; if that does not help, the operators of Interlock see why in `kubectl get dangerpolicies`",
        _unstored(record_id, fault),
    )
    return "\n".join(lines)


def warnings(request: Request, decision: Decision, *, record_id: str) -> Iterator[str]:
    """A line for each policy that warns; in a dry run also for each that only observes and would have spoken."""
    where = f" [record {record_id}]" if record_id else ""
    for outcome in decision.outcomes:
        if outcome.counts and outcome.yields is Verdict.WARN:
            yield _warning(outcome, decision, outcome.message, where)
        elif request.dry_run and outcome.mode is Mode.OBSERVE and outcome.yields > Verdict.ALLOW:
            yield _warning(outcome, decision, f"mode Observe, enforced it would be {outcome.yields.title}", where)


def deciders(decision: Decision) -> tuple[PolicyOutcome, ...]:
    """The outcomes that gave the verdict."""
    return tuple(outcome for outcome in decision.outcomes if outcome.counts and outcome.yields is decision.verdict)


def opens_at(deciding: Sequence[PolicyOutcome]) -> datetime | None:
    """When the last of the closed windows opens; None if one never does, or a policy decided without a window."""
    openings = [_opening(outcome.window) for outcome in deciding]
    known = [opening for opening in openings if opening is not None]
    return max(known) if known and len(known) == len(openings) else None


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC, in whole seconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def when(moment: datetime, zone: ZoneInfo) -> str:
    """An instant on a zone's clock and in UTC."""
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M} {zone.key} ({instant(moment)})"


def span(distance: timedelta) -> str:
    """A time to wait in its two largest units, rounded up to minutes."""
    minutes = max(math.ceil(distance.total_seconds() / 60), 0)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _opening(window: WindowState | None) -> datetime | None:
    return window.next_open if window and not window.open else None


def _named(deciding: Sequence[PolicyOutcome]) -> str:
    noun = "policy" if len(deciding) == 1 else "policies"
    return f"{noun} {_listed(outcome.policy for outcome in deciding)}"


def _listed(texts: Iterable[str], limit: int = 253) -> str:
    different = list(dict.fromkeys(printable(text, limit) for text in texts))
    shown = ", ".join(different[:MAX_LISTED])
    return shown if len(different) <= MAX_LISTED else f"{shown} and {len(different) - MAX_LISTED} more"


def _errors(deciding: Sequence[PolicyOutcome]) -> Iterator[str]:
    for outcome in deciding[:MAX_LISTED]:
        if outcome.error:
            why = printable(outcome.error, MAX_FAULT_RUNES)
            yield f"policy {printable(outcome.policy)} cannot be evaluated and counts as its strictest verdict: {why}"


def _attempted(decision: Decision, deciding: Sequence[PolicyOutcome]) -> str:
    return "; ".join(dict.fromkeys(_seen(decision, outcome.finding) for outcome in deciding[:MAX_LISTED]))


def _seen(decision: Decision, action: str, limit: int = MAX_EVIDENCE_RUNES) -> str:
    evidence = next((finding.evidence for finding in decision.findings if finding.action == action), "")
    return f"{printable(evidence, limit)} ({printable(action)})".lstrip()


def _windows(deciding: Sequence[PolicyOutcome], now: datetime) -> Iterator[str]:
    for outcome in deciding[:MAX_LISTED]:
        if outcome.window is not None:
            whose = f" of {printable(outcome.policy)}" if len(deciding) > 1 else ""
            yield f"window{whose}: {_state(outcome.window, now)}"


def _state(window: WindowState, now: datetime) -> str:
    by = f" by {_listed(window.active)}" if window.active else ""
    if window.open:
        return f"open{by}" + (f" until {_when(window.next_transition, window, now)}" if window.next_transition else "")
    return f"closed{by}; " + (
        f"opens {_when(window.next_open, window, now)}" if window.next_open else "no opening in sight"
    )


def _when(moment: datetime, window: WindowState, now: datetime) -> str:
    """The instant on the policy's clock, in UTC, and how far away it is."""
    local = moment.astimezone(zones.zone(window.time_zone))
    return f"{local:%a %Y-%m-%d %H:%M} {window.time_zone} ({instant(moment)}, in {span(moment - now)})"


def _advice(deciding: Sequence[PolicyOutcome]) -> str:
    messages = dict.fromkeys(_paragraph(outcome.message) for outcome in deciding[:MAX_LISTED] if outcome.message)
    if messages:
        return "\n".join(messages)
    wait = "wait until the window opens, or " if opens_at(deciding) else ""
    return f"{wait}ask those who keep the policy (`kubectl get dangerpolicy {printable(deciding[0].policy)} -o yaml`)"


def _paragraph(message: str) -> str:
    """An author's text keeps its line breaks, and nothing else that is not printable."""
    return shortened("\n".join(printable(line, MAX_ADVICE_RUNES) for line in message.splitlines()), MAX_ADVICE_RUNES)


def _record(request: Request, receipt: Receipt | None, record_id: str, fault: str) -> str:
    if request.dry_run:
        return "(dry run: nothing was recorded)"
    if receipt is not None:
        return f"record {receipt.record_id}"
    return _unstored(record_id, fault) if fault or not record_id else f"record {record_id} (being stored)"


def _unstored(record_id: str, fault: str) -> str:
    why = printable(fault, MAX_FAULT_RUNES) or "no answer in time"
    return f"record {record_id} is not known to be stored: {why}" if record_id else f"no record could be made: {why}"


def _warning(outcome: PolicyOutcome, decision: Decision, message: str, where: str) -> str:
    """One line in which the author's message gets the room that is left, so that the record's name is never cut."""
    seen = _seen(decision, outcome.finding, _SHORT_EVIDENCE_RUNES)
    policy = printable(outcome.policy, _SHORT_NAME_RUNES)
    head = f"Interlock ({outcome.severity.title}): policy {policy}: {seen}"
    room = MAX_WARNING_RUNES - len(head) - len(where) - 2
    said = f": {printable(' '.join(message.split()), room)}" if message and room > 0 else ""
    return shortened(head + said + where, MAX_WARNING_RUNES)
