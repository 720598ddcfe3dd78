"""Verification of lanes: what stored commits prove, given the notary's public key and nothing else.

The rules stand in `core.audit.lanewalk`. Whatever breaks one is *tampered*, and verification of that lane ends at the
first bad record. Two things need no enemy and are *incomplete*: a lane without certificate, and a lane whose first
commits are not there (any more). Otherwise a lane is *proven* through its last record.

What cannot be seen here, and is said: commits missing at the end of a lane, and lanes missing altogether.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from interlock.core.audit import commits
from interlock.core.audit.lanewalk import Bad, Walk
from interlock.core.audit.notekey import VerifierKey
from interlock.core.ports import StoredCommit
from interlock.errors import BadInput

TAILS = (
    "Records missing at the end of a lane, and whole lanes missing, cannot be seen from commits alone: "
    "that takes checkpoints, which this version does not have."
)


class Status(StrEnum):
    """What verification came to; the order of severity is tampered, incomplete, proven."""

    PROVEN = "proven"
    TAMPERED = "tampered"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The first thing wrong in a lane.

    Attributes:
        status: tampered or incomplete.
        lane: its name; empty for an object that belongs to no lane.
        commit: name of the object where it shows.
        sequence: of the first bad record, as it should be.
        record_id: of that record, if it can be read; else empty.
        expected: what an untouched lane would hold.
        got: what it holds.
    """

    status: Status
    lane: str
    commit: str
    sequence: int
    record_id: str
    expected: str
    got: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneReport:
    """What is known of one lane.

    Attributes:
        lane: its name.
        status: proven up to `last`, or what is wrong.
        pod: namespace/name of the guard that wrote it, by its certificate; without one, by its own word.
        records: how many good records, from sequence `first` to `last` (-1 if there is none).
        certified: whether the given key certified it; `certified_at` is the sequence of the record that holds this.
        closed: whether its last record is a LaneClose.
        through: time of its last good record if the lane is certified so far; None if nothing of it is proven.
        fault: the first thing wrong; None if proven.
    """

    lane: str
    status: Status
    pod: str
    records: int
    first: int
    last: int
    certified: bool
    certified_at: int
    closed: bool
    through: datetime | None
    fault: Fault | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is known of all lanes.

    Attributes:
        status: the worst of all; incomplete if there is no lane at all.
        key: fingerprint of the notary key that was asked for.
        lanes: sorted by name.
        faults: the first of each lane, tampered ones first, and those of objects that belong to no lane.
        through: time of the newest proven record; each lane is proven through its own last one only.
    """

    status: Status
    key: str
    lanes: tuple[LaneReport, ...]
    faults: tuple[Fault, ...]
    through: datetime | None


def verify(stored: Sequence[StoredCommit], key: VerifierKey) -> Report:
    """Verify every lane among these commits.

    Args:
        stored: all commits of the ledger, in any order.
        key: the notary's public key, from a place that whoever could change the commits could not change.
    """
    lanes, faults = _by_lane(stored)
    reports = tuple(_verify_lane(lane, lanes[lane], key) for lane in sorted(lanes))
    faults += [report.fault for report in reports if report.fault]
    return Report(
        status=_worst(reports, faults),
        key=key.fingerprint,
        lanes=reports,
        faults=tuple(sorted(faults, key=lambda fault: fault.status is not Status.TAMPERED)),
        through=max((report.through for report in reports if report.through), default=None),
    )


def _by_lane(stored: Iterable[StoredCommit]) -> tuple[dict[str, list[StoredCommit]], list[Fault]]:
    lanes: dict[str, list[StoredCommit]] = {}
    faults = []
    for commit in sorted(stored, key=lambda commit: commit.name):
        try:
            lane, _ = commits.parse_name(commit.name)
        except BadInput as error:
            faults.append(_stray(commit, error))
        else:
            lanes.setdefault(lane, []).append(commit)
    return lanes, faults


def _stray(commit: StoredCommit, error: BadInput) -> Fault:
    return Fault(
        status=Status.TAMPERED,
        lane="",
        commit=commit.name,
        sequence=-1,
        record_id="",
        expected=f"only objects named {error.expected} among the lanes' commits",
        got=error.got,
    )


def _verify_lane(lane: str, stored: Sequence[StoredCommit], key: VerifierKey) -> LaneReport:
    _, first = commits.parse_name(stored[0].name)
    walk = Walk(lane, first=first, key=key)
    fault = _first_fault(walk, stored) or _lack(walk, stored[0].name)
    return LaneReport(
        lane=lane,
        status=fault.status if fault else Status.PROVEN,
        pod=_pod(walk),
        records=walk.next - walk.first,
        first=walk.first,
        last=walk.next - 1 if walk.next > walk.first else -1,
        certified=walk.certificate is not None,
        certified_at=walk.certified_at,
        closed=walk.closed,
        through=walk.through if walk.certificate else None,
        fault=fault,
    )


def _first_fault(walk: Walk, stored: Iterable[StoredCommit]) -> Fault | None:
    for commit in stored:
        try:
            _take(walk, commit)
        except (Bad, BadInput) as bad:
            return Fault(
                status=Status.TAMPERED,
                lane=walk.lane,
                commit=commit.name,
                sequence=walk.next,
                record_id=walk.record_id,
                expected=bad.expected,
                got=bad.got,
            )
    return None


def _take(walk: Walk, commit: StoredCommit) -> None:
    _, sequence = commits.parse_name(commit.name)
    walk.begin(sequence)
    for envelope in commits.unpack(commit.body):
        walk.take(envelope)


def _lack(walk: Walk, commit: str) -> Fault | None:
    """What a lane may lack without anybody's doing."""
    if walk.first > 0:
        return _incomplete(
            walk, commit, "the lane's first commit, sequence 0", f"commits from sequence {walk.first} on"
        )
    if walk.certificate is None:
        return _incomplete(walk, commit, "a certificate by the notary", "none: no controller certified this lane")
    return None


def _incomplete(walk: Walk, commit: str, expected: str, got: str) -> Fault:
    return Fault(
        status=Status.INCOMPLETE,
        lane=walk.lane,
        commit=commit,
        sequence=0,
        record_id="",
        expected=expected,
        got=got,
    )


def _pod(walk: Walk) -> str:
    if walk.certificate is not None:
        return f"{walk.certificate.namespace}/{walk.certificate.pod_name}"
    return f"{walk.opened.namespace}/{walk.opened.pod}" if walk.opened else ""


def _worst(reports: Sequence[LaneReport], faults: Iterable[Fault]) -> Status:
    found = {fault.status for fault in faults}
    if Status.TAMPERED in found:
        return Status.TAMPERED
    return Status.PROVEN if reports and not found else Status.INCOMPLETE
