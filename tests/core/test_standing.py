"""How the ledger stands: the conditions that people and their tools read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from interlock.core.audit import standing
from interlock.core.audit.standing import Condition, Kind, Ledger
from interlock.core.audit.storeproof import Proven, StoreProof, Tried
from interlock.errors import BadInput

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
WELL = Ledger(store="s3://audit", unlocked=False, unmerged="", unshipped="", proof=None)


def _proof(*, holds: bool) -> StoreProof:
    return StoreProof(store="s3://audit", time=NOW, tried=(Tried(name="delete it", holds=holds, text="said"),))


def _told(ledger: Ledger) -> list[str]:
    return [
        f"{each.kind}={each.status} {each.reason}: {each.message}"
        for each in standing.conditions(ledger, before=(), now=NOW)
    ]


@pytest.mark.parametrize(
    ("ledger", "kind", "told"),
    [
        (WELL, 0, "Merged=True Signed: records get into the signed log within seconds"),
        (replace(WELL, unmerged="no answer"), 0, "Merged=False Failing: no answer"),
        (WELL, 1, "Shipped=True Shipping: the log goes to s3://audit"),
        (replace(WELL, store=""), 1, "Shipped=False NoStore: records stay in the cluster, where nothing locks them"),
        (replace(WELL, unshipped="403"), 1, "Shipped=False Failing: 403"),
        (WELL, 2, "WormProven=Unknown NotTried: nobody has tried to undo its locks"),
        (replace(WELL, store=""), 2, "WormProven=Unknown NoStore: there is no store"),
        (
            replace(WELL, unlocked=True, proof=_proof(holds=True)),
            2,
            "WormProven=False Unlocked: s3://audit is taken although it locks nothing: store.unsafeUnlocked",
        ),
        (
            replace(WELL, proof=_proof(holds=False)),
            2,
            "WormProven=False LetsThrough: it lets through: delete it (said)",
        ),
        (
            replace(WELL, proof=_proof(holds=True)),
            2,
            "WormProven=True Refused: nothing of 1 attempts undid a lock at 2026-11-25T12:00:00.000000Z",
        ),
    ],
)
def test_conditions(ledger: Ledger, kind: int, told: str) -> None:
    """Each says in one word and in one sentence how it is."""
    assert _told(ledger)[kind] == told


def test_time_of_a_condition_is_that_of_its_status() -> None:
    """Another message does not make it newer, another status does."""
    later = NOW + timedelta(hours=1)
    first = standing.conditions(WELL, before=(), now=NOW)
    then = standing.conditions(replace(WELL, unshipped="403", proof=None), before=first, now=later)
    again = standing.conditions(replace(WELL, unshipped="404"), before=then, now=later + timedelta(hours=1))

    assert [each.since for each in then] == [NOW, later, NOW]
    assert [each.since for each in again] == [NOW, later, NOW]


def test_written_and_read() -> None:
    """As meta/v1 spells conditions, and back."""
    found = standing.conditions(WELL, before=(), now=NOW)
    assert standing.read(standing.write(found)) == found
    assert standing.write(found[:1]) == (
        b'[{"type":"Merged","status":"True","reason":"Signed",'
        b'"message":"records get into the signed log within seconds",'
        b'"lastTransitionTime":"2026-11-25T12:00:00.000000Z"}]'
    )


def test_long_messages_are_cut() -> None:
    """A ConfigMap has room for what servers say, within reason."""
    long = Condition(kind=Kind.MERGED, status=Proven.FALSE, reason="Failing", message="x" * 5000, since=NOW)
    [found] = standing.read(standing.write((long,)))
    assert found.message == "x" * standing.MESSAGE_CHARACTERS


@pytest.mark.parametrize("data", [b"", b"{}", b'[{"type":"Other"}]', b"\xff"])
def test_what_is_none_is_refused(data: bytes) -> None:
    """Nothing else is taken for conditions."""
    with pytest.raises(BadInput):
        standing.read(data)
