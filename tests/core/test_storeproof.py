"""What is concluded from attempts to undo a store's locks."""

from datetime import UTC, datetime, timedelta

import pytest

from interlock.core.audit import storeproof
from interlock.core.audit.storeproof import FRESH, Proven, StoreProof, Tried
from interlock.errors import BadInput

NOW = datetime(2026, 11, 25, 4, 17, tzinfo=UTC)
STORE = "s3://audit"
HELD = Tried(name="delete it", holds=True, text="refused")
LEAKED = Tried(name="shorten its lock", holds=False, text="allowed")


def _proof(*tried: Tried, age: timedelta = timedelta()) -> StoreProof:
    return StoreProof(store=STORE, time=NOW - age, tried=tried)


@pytest.mark.parametrize(
    ("proof", "proven"),
    [
        (None, Proven.UNKNOWN),
        (_proof(HELD), Proven.TRUE),
        (_proof(HELD, age=FRESH), Proven.TRUE),
        (_proof(HELD, age=FRESH + timedelta(seconds=1)), Proven.UNKNOWN),
        (_proof(HELD, LEAKED), Proven.FALSE),
        (_proof(LEAKED, age=timedelta(days=99)), Proven.FALSE),
        (StoreProof(store="s3://other", time=NOW, tried=(HELD,)), Proven.UNKNOWN),
    ],
    ids=["none", "held", "old", "too old", "leaked", "leaked long ago", "another store"],
)
def test_judged(proof: StoreProof | None, proven: Proven) -> None:
    """Held lately is True, ever leaked is False, and everything else is Unknown, never True."""
    assert storeproof.judged(proof, store=STORE, now=NOW)[0] is proven


def test_why_names_the_check() -> None:
    """Which attempt succeeded, and what the store said."""
    assert storeproof.judged(_proof(HELD, LEAKED), store=STORE, now=NOW)[1] == (
        "it lets through: shorten its lock (allowed)"
    )


def test_written_and_read() -> None:
    """What is kept is what was found."""
    assert storeproof.read(storeproof.write(_proof(HELD, LEAKED))) == _proof(HELD, LEAKED)


@pytest.mark.parametrize("data", [b"", b"{}", b'{"store":"s","time":"now","tried":[]}', b"\xff"])
def test_what_is_none_is_refused(data: bytes) -> None:
    """Nothing else is taken for a proof, least of all one in which nothing was tried."""
    with pytest.raises(BadInput):
        storeproof.read(data)
