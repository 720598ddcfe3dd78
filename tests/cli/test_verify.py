"""What `interlock verify` says: the report as text, and exit codes where nothing can be read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from interlock.cli import verifytext
from interlock.cli.main import app
from interlock.core.audit.lanes import TAILS, Fault, LaneReport, Report, Status
from interlock.core.audit.logreport import LogFault, LogReport, Silence

THROUGH = datetime(2026, 11, 25, 3, 0, 0, 5, tzinfo=UTC)
INSTANT = "2026-11-25T03:00:00.000005Z"


def _lane(**changes: object) -> LaneReport:
    fields: dict[str, object] = {
        "lane": "aa",
        "status": Status.PROVEN,
        "pod": "ns/guard-0",
        "records": 3,
        "missing": 0,
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

    assert list(verifytext.of_cluster(report)) == [
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

    assert list(verifytext.of_cluster(report))[1:-1] == [
        "tampered: interlock-lane-aa-0000000002, sequence 2, record r2",
        "    expected a signature by the lane's key",
        "    got      another",
        "tampered: 1 lane, 2 good records, by notary key SHA256:k",
    ]


def test_nothing_stored_is_incomplete() -> None:
    """A ledger without a record is never called proven."""
    report = Report(status=Status.INCOMPLETE, key="SHA256:k", lanes=(), faults=(), through=None)

    assert list(verifytext.of_cluster(report)) == ["incomplete: no records were found", TAILS]


@pytest.mark.parametrize("content", [None, b"nonsense", b"\xff\xfe"], ids=["no file", "no key", "no text"])
def test_unreadable_key_proves_nothing(tmp_path: Path, content: bytes | None) -> None:
    """A key that cannot be read ends with exit code 2 and one line that says why."""
    key = tmp_path / "notary.pub"
    if content is not None:
        key.write_bytes(content)

    done = CliRunner().invoke(app, ["verify", "--from-cluster", "--key", str(key)])

    assert (done.exit_code, done.stderr.startswith("nothing verified: "), done.stderr.count("\n")) == (2, True, 1)


LOG = LogReport(
    status=Status.PROVEN,
    store="s3://audit",
    key="SHA256:k",
    keys=("SHA256:k",),
    cluster="c",
    first=0,
    last=7,
    complete=True,
    records=30,
    lanes=2,
    open=1,
    through=THROUGH,
    origin="interlock.dev/c/2026-11",
    size=38,
    root="ab",
    locked_until=THROUGH,
    faults=(),
    silences=(),
)


def test_proven_log() -> None:
    """Which log, from where to where, its checkpoint, through when, and how long nobody can change it."""
    assert list(verifytext.of_log(LOG)) == [
        "log of cluster c in s3://audit",
        "cuts 0 to 7, from the very beginning",
        "checkpoint interlock.dev/c/2026-11, size 38, root ab",
        " ".join(
            (
                f"proven through {INSTANT}: 30 records of 2 lanes, by notary key SHA256:k;",
                f"locked until {INSTANT} at least. {verifytext.NOTHING_LATER}",
            )
        ),
    ]


def test_tampered_log() -> None:
    """What is wrong, where, and what shows it; then how far all is well; and when nothing was signed."""
    fault = LogFault(
        status=Status.TAMPERED,
        object="log/2026-11/000000000008",
        number=8,
        lane="aa",
        sequence=5,
        record_id="r5\x1b[2J",
        expected="a signature by the lane's key",
        got="another",
        evidence="the chain and the signatures of the lane",
    )
    silence = Silence(number=3, since=THROUGH, until=THROUGH + timedelta(hours=1))
    report = replace(LOG, status=Status.TAMPERED, faults=(fault,), silences=(silence,))

    assert list(verifytext.of_log(report))[3:] == [
        "tampered: cut 8, log/2026-11/000000000008, lane aa, sequence 5, record r5\\x1b[2J",
        "    expected a signature by the lane's key",
        "    got      another",
        "    shown by the chain and the signatures of the lane",
        f"no checkpoint was signed between {INSTANT} and 2026-11-25T04:00:00.000005Z (cut 3)",
        f"tampered: good are 30 records of 2 lanes, by notary key SHA256:k, through {INSTANT}",
    ]


def test_store_without_a_log() -> None:
    """Nothing found is never proven."""
    report = replace(LOG, status=Status.INCOMPLETE, first=-1, last=-1, through=None)

    assert list(verifytext.of_log(report)) == ["incomplete: s3://audit holds no log that this key has signed"]


def test_nothing_to_verify(tmp_path: Path) -> None:
    """Neither a store nor the cluster: one line that says what is missing."""
    done = CliRunner().invoke(app, ["verify", "--key", str(tmp_path)])

    assert (done.exit_code, done.stderr) == (
        2,
        "nothing verified: nothing to verify: name a store, or --from-cluster, or both\n",
    )
