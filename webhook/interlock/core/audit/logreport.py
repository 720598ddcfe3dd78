"""What verification of the log came to: values for people and programs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from interlock.core.audit.cut import Cut, State
from interlock.core.audit.lanes import Status
from interlock.core.audit.logwalk import LogWalk

GAP = timedelta(minutes=2)
"""Between two cuts, from which on it is said that there was none: two heartbeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFault:
    """Something wrong with the log.

    Attributes:
        status: tampered or incomplete.
        object: where it shows: a key of the store.
        number: of the cut; -1 where none is at fault.
        lane: at fault; empty where none is.
        sequence: of the first bad record in it; -1 where none is.
        record_id: of that record, if it can be read.
        expected: what an untouched log would hold.
        got: what it holds.
        evidence: what shows it.
    """

    status: Status
    object: str
    number: int
    lane: str = ""
    sequence: int = -1
    record_id: str = ""
    expected: str
    got: str
    evidence: str


def tampered(key: str, number: int, *, expected: str, got: str, evidence: str) -> LogFault:
    """What is wrong with an object as a whole, as for `LogFault`."""
    return LogFault(status=Status.TAMPERED, object=key, number=number, expected=expected, got=got, evidence=evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A time without a cut.

    Attributes:
        number: of the cut that ended it.
        since: time of the cut before.
        until: time of the cut that ended it.
    """

    number: int
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReport:
    """What is known of the log.

    Attributes:
        status: the worst of all faults; incomplete if there is no log at all.
        store: where it was read.
        key: fingerprint of the notary key that was asked for.
        keys: of those that signed, up to the last good cut, oldest first.
        cluster: uid of namespace kube-system, as the log says.
        first, last: numbers of the first and the last good cut; -1 if there is none.
        complete: whether it begins with the first cut of all, or of a month.
        records: good records.
        lanes: lanes met; `open` of them have not ended.
        through: time of the last good cut: the log is proven through this instant, and says nothing of later ones.
        origin, size, root: of the last good checkpoint; the root in hex.
        locked_until: the earliest end of a lock among the objects; None where nothing is locked.
        faults: tampered ones first.
        silences: times without a cut; no fault, since a cluster may have been switched off.
    """

    status: Status
    store: str
    key: str
    keys: tuple[str, ...]
    cluster: str
    first: int
    last: int
    complete: bool
    records: int
    lanes: int
    open: int
    through: datetime | None
    origin: str
    size: int
    root: str
    locked_until: datetime | None
    faults: tuple[LogFault, ...]
    silences: tuple[Silence, ...]


def report(
    walk: LogWalk,
    faults: Iterable[LogFault],
    *,
    store: str,
    key: str,
    locked_until: datetime | None,
    silences: Iterable[Silence],
) -> LogReport:
    """Put together what is known.

    Args:
        walk: as far as it went.
        faults: found on the way.
        store: where the log was read.
        key: fingerprint of the notary's key.
        locked_until: the earliest end of a lock.
        silences: times without a cut.
    """
    found = sorted([*faults, *_of_lanes(walk)], key=lambda fault: fault.status is not Status.TAMPERED)
    newest, over = walk.newest, walk.checkpoint
    return LogReport(
        status=found[0].status if found else Status.PROVEN if newest else Status.INCOMPLETE,
        store=store,
        key=key,
        keys=tuple(each.fingerprint for each in newest.keys.keys) if newest else (),
        cluster=newest.cluster if newest else "",
        first=-1 if walk.first is None else walk.first,
        last=newest.number if newest else -1,
        complete=walk.begins_epoch,
        records=walk.records,
        lanes=len(walk.lanes),
        open=len(walk.open),
        through=newest.time if newest else None,
        origin=over.origin if over else "",
        size=over.size if over else 0,
        root=over.root.hex() if over else "",
        locked_until=locked_until,
        faults=tuple(found),
        silences=tuple(silences),
    )


def silence(before: Cut | None, cut: Cut) -> Silence | None:
    """The time without a cut in front of this one, if it is worth a word."""
    if before is None or cut.time - before.time <= GAP:
        return None
    return Silence(number=cut.number, since=before.time, until=cut.time)


def _of_lanes(walk: LogWalk) -> Iterable[LogFault]:
    """Faults that the log tells of itself."""
    for lane, fault in sorted(walk.broken.items()):
        yield LogFault(
            status=Status.TAMPERED,
            object="",
            number=-1,
            lane=lane,
            sequence=walk.lanes[lane].next,
            expected="a lane whose every record follows the one before",
            got=fault,
            evidence="the notary, which found it when it merged the lane",
        )
    for lane, known in sorted(walk.lanes.items()):
        if known.certificate is None and walk.ended.get(lane) is not State.BROKEN:
            yield LogFault(
                status=Status.INCOMPLETE,
                object="",
                number=-1,
                lane=lane,
                expected="a certificate by the notary",
                got="none that counts in this part of the log: nobody vouches for the guard that wrote it",
                evidence="the lane's records",
            )
