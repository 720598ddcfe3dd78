"""The API server's own audit log beside ours: it knows of every request, and names the record of each that has one.

The guard's answer to a review carries an audit annotation, which the API server writes into its log, for a denial as
well (KEP: `auditAnnotations` of admission.k8s.io/v1):

    WEBHOOK/rec-DIGITS    VERDICT LANE/SEQUENCE LEAF               the record, and where it is stored
                          VERDICT ID in batch LANE/SEQUENCE LEAF   a member, whose record follows within a second
                          VERDICT ID not-known-to-be-stored        the answer was given without

So a record that was removed before any checkpoint, which nothing else shows, is missed here. And the API server says
itself where a webhook of ours did not answer and a request passed all the same.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import orjson

from interlock.core import unstructured
from interlock.core.audit import record
from interlock.core.audit.lanes import Status
from interlock.core.audit.lanewalk import Walk
from interlock.core.review import response
from interlock.core.types import JsonObject

WEBHOOKS = ".interlock.dev"

MOST_UNCLAIMED = 100
"""Records without a request that are named; one is as bad as a thousand."""

FAILED_OPEN = re.compile(r"failed-open\.validating\.webhook\.admission\.k8s\.io/.*")

_RECORD = re.compile(r"[a-z]+\.interlock\.dev/rec-[0-9a-f]+")
_STORED = re.compile(r"\S+ (?:\S+ in batch )?([0-9a-f]{16})/([0-9]{1,10}) ([0-9a-f]{64})")

Place = tuple[str, int]
"""Lane and sequence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the API server says of a request, for people.

    Attributes:
        audit_id: its own id of it.
        time: when it came, as the API server writes it.
        what: verb, resource and name.
        who: user name.
    """

    audit_id: str
    time: str
    what: str
    who: str


@dataclass(slots=True)
class AuditLog:
    """What an audit log says that concerns us.

    Attributes:
        recorded: leaf hash by place, with the request that it was given out for.
        claimed: the digits by which requests name their records.
        unstored: requests that were answered without a stored record.
        passed: requests that passed because a webhook of ours did not answer.
        first, last: when the earliest and the latest request came; empty where there is none.
        events: read.
        unreadable: lines that are no event.
    """

    recorded: dict[Place, tuple[str, Request]] = field(default_factory=dict)
    claimed: set[str] = field(default_factory=set)
    unstored: list[Request] = field(default_factory=list)
    passed: list[Request] = field(default_factory=list)
    first: str = ""
    last: str = ""
    events: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A request whose record is not there, or is another one.

    Attributes:
        request: as the API server saw it.
        lane, sequence: where its record should be.
        got: what is there: nothing, or another leaf.
    """

    request: Request
    lane: str
    sequence: int
    got: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinReport:
    """Both logs side by side.

    Attributes:
        status: tampered if a record is missing or another; incomplete if a request has none, or a record no request.
        events: of the API server.
        joined: records that a request names, and that are there.
        missing: requests whose record is not there, oldest first.
        unstored: requests that were answered without a stored record.
        passed: requests that passed because a webhook of ours did not answer.
        unclaimed: ids of records of decisions, from the time of the audit log, that no request names; the first ones.
        unreadable: lines that are no event.
    """

    status: Status
    events: int
    joined: int
    missing: tuple[Missing, ...]
    unstored: tuple[Request, ...]
    passed: tuple[Request, ...]
    unclaimed: tuple[str, ...]
    unreadable: int


class Join:
    """Takes the records that are verified, one by one, and then says what does not fit."""

    def __init__(self, log: AuditLog) -> None:
        """Begin.

        Args:
            log: what the API server says.
        """
        self._log = log
        self._leaves: dict[Place, str] = {}
        self._next: dict[str, int] = {}
        self._unclaimed: list[str] = []

    def taken(self, walk: Walk) -> None:
        """Take the record that this walk has just found good."""
        sequence = walk.next - 1
        self._next[walk.lane] = max(walk.next, self._next.get(walk.lane, 0))
        if (walk.lane, sequence) in self._log.recorded:
            self._leaves[walk.lane, sequence] = walk.leaf
        if walk.head is not None and self._lacks_request(walk.head):
            self._unclaimed.append(walk.head.id)

    def report(self) -> JoinReport:
        """What does not fit; of a lane's records from behind the last verified one on nothing is missed yet."""
        log = self._log
        missing = sorted(self._missing(), key=lambda each: each.request.time)
        odd = log.unstored or log.passed or self._unclaimed
        return JoinReport(
            status=Status.TAMPERED if missing else Status.INCOMPLETE if odd else Status.PROVEN,
            events=log.events,
            joined=sum(self._leaves.get(place) == leaf for place, (leaf, _) in log.recorded.items()),
            missing=tuple(missing),
            unstored=tuple(log.unstored),
            passed=tuple(log.passed),
            unclaimed=tuple(self._unclaimed[:MOST_UNCLAIMED]),
            unreadable=log.unreadable,
        )

    def _missing(self) -> Iterator[Missing]:
        for (lane, sequence), (leaf, request) in self._log.recorded.items():
            held = self._leaves.get((lane, sequence), "")
            if held == leaf or (not held and sequence >= self._next.get(lane, sequence + 1)):
                continue
            got = f"leaf {held}" if held else "no such record"
            yield Missing(request=request, lane=lane, sequence=sequence, got=got)

    def _lacks_request(self, head: record.Head) -> bool:
        about = head.kind in {record.Kind.DECISION, record.Kind.POLICY_CHANGE}
        within = self._log.first <= head.time <= self._log.last
        return about and within and response.annotation_key(head.id) not in self._log.claimed


def read(lines: Iterable[bytes], found: AuditLog) -> None:
    """Read an audit log, one event a line, as the API server writes it, or one EventList a line, as it sends it.

    Args:
        lines: of a file.
        found: what is added to.
    """
    for line in lines:
        if not line.strip():
            continue
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError:  # the last line of a log that is being written, for example
            found.unreadable += 1
            continue
        for event in _events(document):
            found.events += 1
            _note(event, found)


def _events(document: object) -> Iterator[JsonObject]:
    if not isinstance(document, dict):
        return
    if document.get("kind") == "EventList":
        yield from unstructured.items(document, "items")
    else:
        yield document


def _note(event: JsonObject, found: AuditLog) -> None:
    time = unstructured.text(event, "requestReceivedTimestamp")
    found.first, found.last = min(time, found.first or time), max(time, found.last)
    annotations = unstructured.mapping(event, "annotations")
    for key, value in annotations.items():
        if _RECORD.fullmatch(key):
            found.claimed.add(key.partition("/")[2])
            _note_record(str(value), event, found)
        elif FAILED_OPEN.fullmatch(key) and str(value).endswith(WEBHOOKS):
            found.passed.append(_request(event))


def _note_record(value: str, event: JsonObject, found: AuditLog) -> None:
    stored = _STORED.fullmatch(value)
    if stored is None:
        found.unstored.append(_request(event))
    else:
        found.recorded.setdefault((stored[1], int(stored[2])), (stored[3], _request(event)))


def _request(event: JsonObject) -> Request:
    about = unstructured.mapping(event, "objectRef")
    named = [unstructured.text(about, part) for part in ("resource", "namespace", "name")]
    what = " ".join([unstructured.text(event, "verb"), *filter(None, named)])
    return Request(
        audit_id=unstructured.text(event, "auditID"),
        time=unstructured.text(event, "requestReceivedTimestamp"),
        what=what,
        who=unstructured.text(event, "user", "username"),
    )
