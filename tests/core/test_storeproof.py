"""What is concluded from attempts to undo a store's locks."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interlock.core.audit import dsse, storeproof
from interlock.core.audit.storeproof import FRESH, Proven, StoreProof, Tried
from interlock.errors import BadInput

NOW = datetime(2026, 11, 25, 4, 17, tzinfo=UTC)
STORE = "s3://audit"
PROVER = Ed25519PrivateKey.from_private_bytes(b"p" * 32)
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
    sealed = storeproof.seal(_proof(HELD, LEAKED), sign=PROVER.sign)
    assert storeproof.opened(sealed, PROVER.public_key().public_bytes_raw()) == _proof(HELD, LEAKED)


def test_who_is_not_the_prover_proves_nothing() -> None:
    """A proof by another key is none, whatever it says."""
    sealed = storeproof.seal(_proof(HELD), sign=Ed25519PrivateKey.generate().sign)
    with pytest.raises(BadInput, match="expected a signature by interlock-prover"):
        storeproof.opened(sealed, PROVER.public_key().public_bytes_raw())


@pytest.mark.parametrize("data", [b"", b"{}", b'{"store":"s","time":"now","tried":[]}', b"\xff"])
def test_what_is_none_is_refused(data: bytes) -> None:
    """Nothing else is taken for a proof, least of all one in which nothing was tried."""
    with pytest.raises(BadInput):
        storeproof.opened(_sealed(data), PROVER.public_key().public_bytes_raw())


def _sealed(data: bytes) -> bytes:
    sealed = dsse.seal(storeproof.PAYLOAD_TYPE, data, keyid=storeproof.KEYID, sign=PROVER.sign)
    return sealed.encode()
