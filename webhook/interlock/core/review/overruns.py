"""Which requests go on with an operation that began inside a window, for as long as that window's grace lasts.

A single call is over at once; a rollout, a migration or an upgrade is many calls, and cutting it off half-way can be
worse than letting it end. So where a window gives a grace, a request goes on with what began before if, while the
window was open, a request was allowed

- that the same policy spoke of,
- of the same user with the same credential (a token or certificate, as the API server names it),
- in the same namespace.

What was allowed is remembered as *marks*, each with the latest instant: digests, so that they can be told to other
guards without naming anybody. Pure: what others remember is an argument.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import orjson

from interlock.core.types import Decision, PolicyOutcome, Request

MAX_MARKS = 256
"""Kept and told by one guard, the latest ones; some 10 KiB where they are told. Who is forgotten is stopped."""

MARK_HEX = 32
"""128 bits of a digest."""

MAX_TOLD_CHARACTERS = MAX_MARKS * 64

Marks = Mapping[str, datetime]


class Memory:
    """The latest marks of one guard."""

    def __init__(self) -> None:
        self._marks: dict[str, datetime] = {}

    @property
    def marks(self) -> Marks:
        """Each mark with the latest instant at which it was made."""
        return self._marks

    def note(self, request: Request, decision: Decision, now: datetime) -> bool:
        """Remember an allowed request; True if others should hear of it."""
        news = False
        for outcome in decision.outcomes:
            window = outcome.window
            if window is None or not window.open or window.overrun_since is None or outcome.excluded_by:
                continue
            mark = _mark(request, outcome)
            before = self._marks.pop(mark, None)
            news |= before is None or before < window.overrun_since
            self._marks[mark] = now  # at the end: the oldest stands first
        while len(self._marks) > MAX_MARKS:
            del self._marks[next(iter(self._marks))]
        return news


def overrunning(request: Request, decision: Decision, marks: Marks) -> frozenset[str]:
    """Uids of the policies whose windows were open when what this request goes on with began."""
    return frozenset(
        outcome.uid for outcome in may_go_on(decision) if _began(marks.get(_mark(request, outcome)), outcome)
    )


def may_go_on(decision: Decision) -> tuple[PolicyOutcome, ...]:
    """Outcomes that would be milder, were the request part of something that began before."""
    return tuple(
        outcome
        for outcome in decision.outcomes
        if outcome.window is not None
        and not outcome.window.open
        and outcome.window.overrun_since is not None
        and outcome.yields > outcome.while_open
        and not (outcome.excluded_by or outcome.error)
    )


def written(marks: Marks) -> str:
    """Marks as a text to tell, in whole seconds."""
    return orjson.dumps({mark: int(at.timestamp()) for mark, at in marks.items()}).decode()


def read(text: str) -> dict[str, datetime]:
    """Marks that another guard tells; what is no such text tells none."""
    if len(text) > MAX_TOLD_CHARACTERS:
        return {}
    try:
        told = orjson.loads(text)
        return {str(mark): datetime.fromtimestamp(int(at), UTC) for mark, at in told.items()}
    except (ValueError, TypeError, AttributeError, OverflowError, OSError):
        return {}


def united(told: Iterable[Marks]) -> dict[str, datetime]:
    """The latest instant of every mark."""
    latest: dict[str, datetime] = {}
    for marks in told:
        for mark, at in marks.items():
            latest[mark] = max(at, latest.get(mark, at))
    return latest


def _began(at: datetime | None, outcome: PolicyOutcome) -> bool:
    since = outcome.window.overrun_since if outcome.window else None
    return at is not None and since is not None and at >= since


def _mark(request: Request, outcome: PolicyOutcome) -> str:
    user = request.user
    parts = [outcome.uid, user.name, user.uid, user.credential_id, request.namespace]
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()[:MARK_HEX]
