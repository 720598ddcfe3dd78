"""How the ledger stands, as conditions in the sense of meta/v1: what people and their tools read first.

    Merged       every record gets into the signed log soon after it was made
    Shipped      the log leaves the cluster
    WormProven   the store is known to lock what it holds

Nothing that changes by itself is in them, so that they are written only when something happened.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import msgspec

from interlock.core import times, typedjson
from interlock.core.audit import storeproof
from interlock.core.audit.storeproof import Proven, StoreProof

MESSAGE_CHARACTERS = 1024
"""Of a condition's message: a fault names an object and what a server said."""


class Kind(StrEnum):
    """Types of conditions."""

    MERGED = "Merged"
    SHIPPED = "Shipped"
    WORM_PROVEN = "WormProven"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition.

    Attributes:
        kind: its type.
        status: True, False or Unknown.
        reason: one word, for programs.
        message: for people.
        since: since when the status is what it is.
    """

    kind: Kind
    status: Proven
    reason: str
    message: str
    since: datetime


class _Wire(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    type: Kind
    status: Proven
    reason: str
    message: str
    last_transition_time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What there is to know.

    Attributes:
        store: the address that is shipped to; empty for none.
        unlocked: whether the store is taken although it locks nothing.
        unmerged: why records do not get into the log; empty if they do.
        unshipped: why the log does not leave the cluster; empty if it does.
        proof: what was found out about the store; None for nothing.
    """

    store: str
    unlocked: bool
    unmerged: str
    unshipped: str
    proof: StoreProof | None


def conditions(ledger: Ledger, *, before: tuple[Condition, ...], now: datetime) -> tuple[Condition, ...]:
    """The conditions of a ledger; one whose status has not changed keeps its time.

    Args:
        ledger: what is known.
        before: the conditions so far.
        now: the present.
    """
    since = {each.kind: each for each in before}
    found = (_merged(ledger, now), _shipped(ledger, now), _worm_proven(ledger, now))
    return tuple(
        replace(each, since=since[each.kind].since)
        if each.kind in since and since[each.kind].status is each.status
        else each
        for each in found
    )


def write(found: tuple[Condition, ...]) -> bytes:
    """Write conditions as a JSON list, as meta/v1 spells them."""
    wire = [
        _Wire(
            type=each.kind,
            status=each.status,
            reason=each.reason,
            message=each.message[:MESSAGE_CHARACTERS],
            last_transition_time=times.write(each.since),
        )
        for each in found
    ]
    return msgspec.json.encode(wire)


def read(data: bytes) -> tuple[Condition, ...]:
    """Read what `write` wrote.

    Raises:
        BadInput: anything else.
    """
    found = typedjson.read(data, list[_Wire], field="conditions", expected="a list of conditions")
    return tuple(
        Condition(
            kind=each.type,
            status=each.status,
            reason=each.reason,
            message=each.message,
            since=times.read(each.last_transition_time),
        )
        for each in found
    )


def _merged(ledger: Ledger, now: datetime) -> Condition:
    if ledger.unmerged:
        return _condition(Kind.MERGED, Proven.FALSE, "Failing", ledger.unmerged, now)
    return _condition(Kind.MERGED, Proven.TRUE, "Signed", "records get into the signed log within seconds", now)


def _shipped(ledger: Ledger, now: datetime) -> Condition:
    kind = Kind.SHIPPED
    if not ledger.store:
        return _condition(kind, Proven.FALSE, "NoStore", "records stay in the cluster, where nothing locks them", now)
    if ledger.unshipped:
        return _condition(kind, Proven.FALSE, "Failing", ledger.unshipped, now)
    return _condition(kind, Proven.TRUE, "Shipping", f"the log goes to {ledger.store}", now)


def _worm_proven(ledger: Ledger, now: datetime) -> Condition:
    kind = Kind.WORM_PROVEN
    if not ledger.store:
        return _condition(kind, Proven.UNKNOWN, "NoStore", "there is no store", now)
    if ledger.unlocked:
        message = f"{ledger.store} is taken although it locks nothing: store.unsafeUnlocked"
        return _condition(kind, Proven.FALSE, "Unlocked", message, now)
    proven, why = storeproof.judged(ledger.proof, store=ledger.store, now=now)
    reasons = {Proven.TRUE: "Refused", Proven.FALSE: "LetsThrough", Proven.UNKNOWN: "NotTried"}
    return _condition(kind, proven, reasons[proven], why, now)


def _condition(kind: Kind, status: Proven, reason: str, message: str, now: datetime) -> Condition:
    return Condition(kind=kind, status=status, reason=reason, message=message, since=now)
