"""What `interlock verify` says: the report as text, and exit codes where nothing can be read."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from interlock.cli import verify
from interlock.cli.main import app
from interlock.core.audit.lanes import TAILS, Fault, LaneReport, Report, Status

THROUGH = datetime(2026, 11, 25, 3, 0, 0, 5, tzinfo=UTC)
INSTANT = "2026-11-25T03:00:00.000005Z"


def _lane(**changes: object) -> LaneReport:
    fields: dict[str, object] = {
        "lane": "aa",
        "status": Status.PROVEN,
        "pod": "ns/guard-0",
        "records": 3,
        "first": 0,
        "last": 2,
        "certified": True,
        "certified_at": 0,
        "closed": False,
        "through": THROUGH,
        "fault": None,
    }
    return LaneReport(**(fields | changes))  # type: ignore[arg-type]


def test_proven() -> None:
    """A proven report names each lane, the key, the instant, and what it cannot see."""
    report = Report(status=Status.PROVEN, key="SHA256:k", lanes=(_lane(),), faults=(), through=THROUGH)

    assert list(verify.text(report)) == [
        f"lane aa: proven, ns/guard-0, records 0 to 2, certified, open, proven through {INSTANT}",
        f"proven: 1 lane, 3 good records, by notary key SHA256:k; the newest proven record is of {INSTANT}",
        TAILS,
    ]


def test_tampered() -> None:
    """A tampered report names the first bad record, what was expected and what was found."""
    fault = Fault(
        status=Status.TAMPERED,
        lane="aa",
        commit="interlock-lane-aa-0000000002",
        sequence=2,
        record_id="r2",
        expected="a signature by the lane's key",
        got="another",
    )
    lane = _lane(status=Status.TAMPERED, records=2, last=1, fault=fault)
    report = Report(status=Status.TAMPERED, key="SHA256:k", lanes=(lane,), faults=(fault,), through=None)

    assert list(verify.text(report))[1:-1] == [
        "tampered: interlock-lane-aa-0000000002, sequence 2, record r2",
        "    expected a signature by the lane's key",
        "    got      another",
        "tampered: 1 lane, 2 good records, by notary key SHA256:k",
    ]


def test_nothing_stored_is_incomplete() -> None:
    """A ledger without a record is never called proven."""
    report = Report(status=Status.INCOMPLETE, key="SHA256:k", lanes=(), faults=(), through=None)

    assert list(verify.text(report)) == ["incomplete: no records were found", TAILS]


@pytest.mark.parametrize("content", [None, b"nonsense", b"\xff\xfe"], ids=["no file", "no key", "no text"])
def test_unreadable_key_proves_nothing(tmp_path: Path, content: bytes | None) -> None:
    """A key that cannot be read ends with exit code 2 and one line that says why."""
    key = tmp_path / "notary.pub"
    if content is not None:
        key.write_bytes(content)

    done = CliRunner().invoke(app, ["verify", "--from-cluster", "--key", str(key)])

    assert (done.exit_code, done.stderr.startswith("nothing verified: "), done.stderr.count("\n")) == (2, True, 1)
