"""The API server's audit log beside the ledger: requests without a record, and records without a request."""

from collections.abc import Sequence

import orjson
import pytest

from interlock.core.audit import auditjoin, commits, lanes
from interlock.core.audit.auditjoin import AuditLog, Join, JoinReport
from interlock.core.audit.lanes import Status
from interlock.core.ports import StoredCommit
from interlock.core.review.response import annotation_key
from interlock.core.types import JsonObject, Receipt
from tests.ledger.guards import Ledger, body, running

WEBHOOK = "enforce.interlock.dev"
BEFORE, AFTER = "2026-11-21T09:00:00.000000Z", "2026-11-21T11:00:00.000000Z"


async def _ledger(*names: str) -> tuple[Ledger, list[Receipt]]:
    async with running(Ledger()) as ledger:
        receipts = [await ledger.lane.append(body(ledger.clock, name=name)).stored(seconds=5) for name in names]
    return ledger, receipts


def _event(time: str, annotations: JsonObject) -> JsonObject:
    return {
        "kind": "Event",
        "auditID": "a1",
        "verb": "delete",
        "requestReceivedTimestamp": time,
        "user": {"username": "ada"},
        "objectRef": {"resource": "namespaces", "name": "shop"},
        "annotations": annotations,
    }


def _named(receipt: Receipt, *, leaf: str = "") -> JsonObject:
    key = f"{WEBHOOK}/{annotation_key(receipt.record_id)}"
    value = f"Deny {receipt.lane}/{receipt.sequence} {leaf or receipt.leaf}"
    return _event("2026-11-21T10:00:01.000000Z", {key: value})


def _around(*events: JsonObject) -> list[JsonObject]:
    """The same in a log of two hours."""
    return [_event(BEFORE, {}), *events, _event(AFTER, {})]


def _joined(ledger: Ledger, stored: Sequence[StoredCommit], events: Sequence[JsonObject]) -> JoinReport:
    log = AuditLog()
    auditjoin.read([orjson.dumps(event) + b"\n" for event in events], log)
    join = Join(log)
    lanes.verify(stored, ledger.notary.trust, taken=join.taken)
    return join.report()


async def test_every_request_has_its_record() -> None:
    """Nothing is missed, and nothing is without a request."""
    ledger, receipts = await _ledger("a", "b")
    report = _joined(ledger, ledger.store.stored(), _around(*map(_named, receipts)))

    assert (report.status, report.events, report.joined, report.missing, report.unclaimed) == (
        Status.PROVEN,
        4,
        2,
        (),
        (),
    )


async def test_record_that_was_removed_is_missed() -> None:
    """The newest record went, with everything behind it: no chain shows that, the API server does."""
    ledger, receipts = await _ledger("a", "b")
    left = [each for each in ledger.store.stored() if commits.parse_name(each.name)[1] < receipts[1].sequence]
    newer = _named(Receipt(record_id="0", lane=receipts[0].lane, sequence=99, leaf="0" * 64))
    other = _named(Receipt(record_id="1", lane="f" * 16, sequence=3, leaf="1" * 64))
    report = _joined(ledger, left, _around(*map(_named, receipts), newer, other))

    assert [(each.lane, each.sequence, each.got) for each in report.missing] == [("f" * 16, 3, "no such record")]
    assert report.status is Status.TAMPERED


async def test_record_in_the_middle_that_is_another_is_missed() -> None:
    """What the requester was told is not what is stored."""
    ledger, receipts = await _ledger("a", "b")
    report = _joined(ledger, ledger.store.stored(), _around(_named(receipts[0], leaf="e" * 64), _named(receipts[1])))
    [missing] = report.missing

    assert (missing.sequence, missing.got) == (receipts[0].sequence, f"leaf {receipts[0].leaf}")
    assert (missing.request.who, missing.request.what) == ("ada", "delete namespaces shop")


async def test_record_that_no_request_names_is_told() -> None:
    """A guard that lies, or an audit log that is not whole."""
    ledger, receipts = await _ledger("a", "b")
    report = _joined(ledger, ledger.store.stored(), _around(_named(receipts[0])))

    assert (report.status, report.unclaimed) == (Status.INCOMPLETE, (receipts[1].record_id,))


async def test_records_from_outside_the_time_of_the_audit_log_need_no_request() -> None:
    """An audit log is rotated; what it cannot know is no fault."""
    ledger, _ = await _ledger("a")
    report = _joined(ledger, ledger.store.stored(), [_event(AFTER, {})])

    assert (report.status, report.unclaimed) == (Status.PROVEN, ())


@pytest.mark.parametrize(
    ("annotations", "attribute"),
    [
        ({f"{WEBHOOK}/rec-0a": "Allow 01a2 not-known-to-be-stored"}, "unstored"),
        ({"failed-open.validating.webhook.admission.k8s.io/round_0_index_0": "observe.interlock.dev"}, "passed"),
    ],
    ids=["no record", "no guard"],
)
async def test_requests_without_a_record_are_told(annotations: JsonObject, attribute: str) -> None:
    """What the guard, or the API server, says itself."""
    ledger, _ = await _ledger()
    report = _joined(ledger, ledger.store.stored(), [_event(AFTER, annotations)])

    assert (report.status, [each.who for each in getattr(report, attribute)]) == (Status.INCOMPLETE, ["ada"])


async def test_lists_and_broken_lines_are_read() -> None:
    """As an audit webhook is sent events; and as a log ends that is still being written."""
    _, receipts = await _ledger("a")
    log = AuditLog()
    sent = {"kind": "EventList", "items": [_named(receipts[0])]}
    auditjoin.read([orjson.dumps(sent), b"\n", b'{"kind":"Ev', b"[]"], log)

    assert (log.events, log.unreadable, len(log.recorded)) == (1, 1, 1)


async def test_other_webhooks_are_none_of_our_business() -> None:
    """Whatever they call their annotations, and wherever they fail open."""
    ledger, _ = await _ledger()
    others = {
        "theirs.example.com/rec-0a": "Allow x",
        "failed-open.validating.webhook.admission.k8s.io/round_0_index_1": "theirs.example.com",
    }
    report = _joined(ledger, ledger.store.stored(), [_event(AFTER, others)])

    assert (report.status, report.passed, report.unstored) == (Status.PROVEN, (), ())
