"""Verification of lanes: what stored commits prove, given the notary's public key and nothing else.

The rules stand in `core.audit.lanewalk`. Whatever breaks one is *tampered*, and verification of that lane ends at the
first bad record. Two things need no enemy and are *incomplete*: a lane without certificate, and a lane of which records
are not there (any more). Otherwise a lane is *proven* through its last record.

The newest cut says where every open lane stood: so records missing at the end of a lane, and whole lanes missing, are
found out as far as it reaches. Records that came after it can go without a trace in the cluster; that is said.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from interlock.core.audit import commits
from interlock.core.audit.cut import Cut, LaneCut, State
from interlock.core.audit.keyring import Trust
from interlock.core.audit.lanewalk import Bad, Walk
from interlock.core.ports import StoredCommit
from interlock.errors import BadInput

TAILS = "What cannot be seen: records that came after the newest checkpoint and are missing at the end of a lane."


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
        missing: how many between those, or before them, are not there, and were merged into the log before.
        certified: whether the given key certified it; `certified_at` is the sequence of the record that holds this.
        closed: whether its last record is a LaneClose.
        through: time of its last good record if the lane is certified so far; None if nothing of it is proven.
        fault: the first thing wrong; None if proven.
    """

    lane: str
    status: Status
    pod: str
    records: int
    missing: int
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


def verify(
    stored: Sequence[StoredCommit],
    trust: Trust,
    *,
    newest: Cut | None = None,
    outside: Mapping[str, int] | None = None,
    taken: Callable[[Walk], None] = lambda _walk: None,
) -> Report:
    """Verify every lane among these commits.

    Args:
        stored: all commits of the ledger, in any order.
        trust: who the notary is, from a place that whoever could change the commits could not change.
        newest: the newest cut, its signature verified; None where there is none.
        outside: of each lane, the first sequence that a verified log does not have; what is before may be missing here.
            None where no log was verified: then nothing is taken for complete that is not here.
        taken: told of each good record, which its lane's walk has just taken.
    """
    lanes, faults = _by_lane(stored)
    heads = {lane.lane: lane for lane in newest.lanes} if newest else {}
    ended = set(newest.ended) if newest else set()
    reports = tuple(
        _Lane(
            lane,
            lanes[lane],
            trust,
            newest,
            head=heads.get(lane),
            ended=lane in ended,
            outside=outside,
            taken=taken,
        ).report
        for lane in sorted(lanes)
    )
    faults += [report.fault for report in reports if report.fault]
    gone = sorted(heads.keys() - lanes.keys())
    faults += [_lost(heads[lane]) for lane in gone if _is_missed(heads[lane], outside)]
    return Report(
        status=_worst(reports, faults),
        key=trust.fingerprint,
        lanes=reports,
        faults=tuple(sorted(faults, key=lambda fault: fault.status is not Status.TAMPERED)),
        through=max((report.through for report in reports if report.through), default=None),
    )


def with_fault(report: Report, fault: Fault) -> Report:
    """The same with one more fault."""
    faults = sorted([fault, *report.faults], key=lambda one: one.status is not Status.TAMPERED)
    return replace(report, status=_worst(report.lanes, faults), faults=tuple(faults))


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


class _Lane:
    """One lane, verified.

    Attributes:
        report: what is known of it.
    """

    def __init__(
        self,
        lane: str,
        stored: Sequence[StoredCommit],
        trust: Trust,
        newest: Cut | None,
        *,
        head: LaneCut | None,
        ended: bool,
        outside: Mapping[str, int] | None,
        taken: Callable[[Walk], None],
    ) -> None:
        _, first = commits.parse_name(stored[0].name)
        self._walk = Walk(lane, first=first, keys=newest.keys.keys if newest else trust.pinned)
        if newest is not None and head is None and not ended:  # the notary has not looked at it yet
            self._walk.outdated = newest.keys.outdated(newest.time)
        self._head = head
        self._ended = ended
        self._outside = outside
        self._taken = taken
        self._missing = first if self._merged(first) else 0
        self._records = 0
        fault = self._first_fault(stored) or self._short(stored[-1].name)
        self._missing += self._missing_end()
        fault = fault or self._lack(stored[0].name)
        self.report = self._reported(fault)

    def _reported(self, fault: Fault | None) -> LaneReport:
        walk = self._walk
        return LaneReport(
            lane=walk.lane,
            status=fault.status if fault else Status.PROVEN,
            pod=_pod(walk),
            records=self._records,
            missing=self._missing,
            first=walk.first,
            last=walk.next - 1 if walk.next > walk.first else -1,
            certified=walk.certificate is not None,
            certified_at=walk.certified_at,
            closed=walk.closed,
            through=walk.through if walk.certificate else None,
            fault=fault,
        )

    def _merged(self, sequence: int) -> bool:
        """Whether everything before this sequence is in the log, so that it may be missing here."""
        if self._outside is not None:
            return sequence <= self._outside.get(self._walk.lane, 0)
        return self._ended or (self._head is not None and sequence <= self._head.next)

    def _first_fault(self, stored: Iterable[StoredCommit]) -> Fault | None:
        for commit in stored:
            try:
                self._take(commit)
            except (Bad, BadInput) as bad:
                return self._fault(Status.TAMPERED, commit.name, bad.expected, bad.got)
        return None

    def _take(self, commit: StoredCommit) -> None:
        walk = self._walk
        _, sequence = commits.parse_name(commit.name)
        if sequence > walk.next and self._merged(sequence):
            self._missing += sequence - walk.next
            walk.jump(sequence)
        walk.begin(sequence)
        for envelope in commits.unpack(commit.body):
            walk.take(envelope)
            self._records += 1
            self._check_head()
            self._taken(walk)

    def _check_head(self) -> None:
        head, walk = self._head, self._walk
        if head is not None and walk.next == head.next and walk.leaf != head.leaf:
            raise Bad(expected=f"the record that the checkpoint covers, leaf {head.leaf}", got=f"leaf {walk.leaf}")

    def _short(self, commit: str) -> Fault | None:
        """Whether the lane ends before it did in the newest cut; the newest commit of an open lane is never retired."""
        head, walk = self._head, self._walk
        if head is None or head.state is not State.OPEN or walk.next >= head.next:
            return None
        expected = f"records to sequence {head.next - 1}, which the newest checkpoint covers"
        return self._fault(Status.TAMPERED, commit, expected, f"records to sequence {walk.next - 1}")

    def _missing_end(self) -> int:
        """How many records are missing at the end of a lane that has ended in the newest cut."""
        head, walk = self._head, self._walk
        return max(head.next - walk.next, 0) if head is not None and head.state is not State.OPEN else 0

    def _lack(self, commit: str) -> Fault | None:
        """What a lane may lack without anybody's doing."""
        walk, outside = self._walk, self._outside is not None
        if walk.first > 0 and not self._missing:
            expected, got = "the lane's first commit, sequence 0", f"commits from sequence {walk.first} on"
        elif self._missing and not outside:
            expected = "every record of the lane, or the store that has them as well"
            got = f"{self._missing} records that are in the log and not in the cluster (any more)"
        elif walk.certificate is None and not (self._missing and outside):
            expected, got = "a certificate by the notary", "none that counts: no controller has certified this lane"
        else:
            return None
        return self._fault(Status.INCOMPLETE, commit, expected, got, sequence=0)

    def _fault(self, status: Status, commit: str, expected: str, got: str, *, sequence: int | None = None) -> Fault:
        return Fault(
            status=status,
            lane=self._walk.lane,
            commit=commit,
            sequence=self._walk.next if sequence is None else sequence,
            record_id=self._walk.record_id if status is Status.TAMPERED else "",
            expected=expected,
            got=got,
        )


def _is_missed(head: LaneCut, outside: Mapping[str, int] | None) -> bool:
    """Whether something of a lane should be there of which nothing is."""
    return head.state is State.OPEN or (outside or {}).get(head.lane, 0) < head.next


def _lost(head: LaneCut) -> Fault:
    is_open = head.state is State.OPEN
    return Fault(
        status=Status.TAMPERED if is_open else Status.INCOMPLETE,
        lane=head.lane,
        commit="",
        sequence=0,
        record_id="",
        expected=f"lane {head.lane}, which {'is open' if is_open else 'has ended'} in the newest checkpoint",
        got="no commit of it",
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
