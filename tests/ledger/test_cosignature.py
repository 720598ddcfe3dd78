"""Witnesses: what one has cosigned has to be in the log, in that very place."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interlock.core.audit import checkpoint, cosignature
from interlock.core.audit.checkpoint import Checkpoint
from interlock.core.audit.notekey import COSIGNATURE, VerifierKey
from interlock.errors import BadInput
from interlock.ledger.sightings import Sighting, Sightings
from tests.ledger.logs import NotaryKey

# Made by filippo.io/torchwood v0.9.0 (NewCosignatureSigner), with the checkpoint of the C2SP page.
VKEY = "witness.example.com/w1+5f2febaf+BMhTrQ8M0rYZrqks7sT9VqJNZJnVhM55JX5Fz9gTm2Cn"
TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
NOTE = (
    f"{TEXT}\n\u2014 witness.example.com/w1 Xy/rrwAAAABrB1rGPXq7ciKGRfDP5WrTIxRkOXL+CSida9NDMzJZWtABEIJZETXm+bAjTeGP"
    "+SRIJY6X+XqML0moRzYSXhA85uVEAw==\n"
)
SEED = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
KEY = cosignature.witness("witness.example.com/w1", SEED.public_key().public_bytes_raw())
AT = datetime.fromtimestamp(0x6B075AC6, UTC)
SEEN = checkpoint.read(TEXT)


def test_key_of_another_implementation() -> None:
    """A witness's key is written and read as others do."""
    assert str(KEY) == VKEY
    assert VerifierKey.parse(VKEY, kind=COSIGNATURE) == KEY


def test_cosignature_of_another_implementation() -> None:
    """A cosignature made elsewhere is read, and the same one is made here."""
    assert cosignature.opened(NOTE, KEY) == (SEEN, AT)
    signed = checkpoint.signed(SEEN, key=NotaryKey().public, sign=NotaryKey().sign)
    line = cosignature.line(signed, key=KEY, sign=SEED.sign, now=AT + timedelta(milliseconds=900))
    assert line == NOTE.removeprefix(f"{TEXT}\n")
    assert cosignature.opened(signed + line, KEY) == (SEEN, AT)
    assert checkpoint.opened(signed + line, NotaryKey().public) == SEEN


def test_the_latest_of_several_counts() -> None:
    """A witness may say again that it sees a checkpoint."""
    later = cosignature.line(NOTE, key=KEY, sign=SEED.sign, now=AT + timedelta(hours=1))
    assert cosignature.opened(NOTE + later, KEY) == (SEEN, AT + timedelta(hours=1))


@pytest.mark.parametrize(
    "note",
    [
        pytest.param(NOTE.replace("20852163", "20852164"), id="another checkpoint"),
        pytest.param(NOTE.replace("AAAABrB1rG", "AAAABrB1rH"), id="another time"),
        pytest.param(NOTE.replace("w1 Xy", "w2 Xy"), id="another name"),
        pytest.param(
            cosignature.line(NOTE, key=KEY, sign=lambda _: b"s" * 64, now=AT).join([f"{TEXT}\n", ""]), id="no signature"
        ),
        pytest.param(checkpoint.signed(SEEN, key=NotaryKey().public, sign=NotaryKey().sign), id="the notary's own"),
    ],
)
def test_no_cosignature(note: str) -> None:
    """What the witness has not said, it has not said."""
    with pytest.raises(BadInput, match="cosignature: got none that verifies"):
        cosignature.opened(note, KEY)


def test_a_time_that_no_calendar_has_is_none() -> None:
    """A hostile time ends in a refusal, not in an error of ours."""
    with pytest.raises(BadInput):
        cosignature.opened(NOTE.replace("AAAABrB1rG", "H////rB1rG"), KEY)


# ------------------------------------------------------------------------------------------ held against a log

LOG = "interlock.dev/c"


def _over(month: str, size: int, root: bytes = b"r") -> Checkpoint:
    return Checkpoint(origin=f"{LOG}/{month}", size=size, root=root * 32)


def _fault(seen: Checkpoint, walked: list[Checkpoint], *, first: bool = True, begins_month: bool = True) -> str:
    """What is found first in a log that holds these checkpoints, and ends; empty for nothing."""
    sightings = Sightings([Sighting(checkpoint=seen, evidence="w")])
    if not first:
        sightings.skip(walked[0], begins_month=begins_month)
    faults = [sightings.fault("key", number, over) for number, over in enumerate(walked)]
    return next((each.got for each in [*faults, *sightings.beyond(len(walked) - 1)] if each), "")


TWO = [_over("2026-11", 5), _over("2026-11", 9)]


@pytest.mark.parametrize(
    ("seen", "got"),
    [
        pytest.param(TWO[0], "", id="in it"),
        pytest.param(TWO[1], "", id="the last"),
        pytest.param(_over("2026-11", 5, b"x"), f"size 5, root {'72' * 32}", id="another root"),
        pytest.param(_over("2026-11", 7), f"size 9, root {'72' * 32}", id="a size that it never had"),
        pytest.param(_over("2026-11", 10), "a log that ends with cut 1", id="further on"),
        pytest.param(_over("2026-12", 1), "a log that ends with cut 1", id="a month further on"),
        pytest.param(_over("2026-10", 1), "a log that ends with cut 1", id="a month before the very first"),
    ],
)
def test_what_was_seen_is_in_the_log(seen: Checkpoint, got: str) -> None:
    """A log that does not hold what was seen is another one, or has been cut off."""
    assert _fault(seen, TWO) == got


@pytest.mark.parametrize(
    ("seen", "begins_month", "got"),
    [
        pytest.param(_over("2026-10", 70), True, "", id="a month that has expired"),
        pytest.param(_over("2026-11", 3), False, "", id="a day in front of the first"),
        pytest.param(_over("2026-11", 3), True, f"size 5, root {'72' * 32}", id="within the month"),
        pytest.param(
            Checkpoint(origin="interlock.dev/d/2026-10", size=1, root=b"r" * 32),
            True,
            "a log that ends with cut 1",
            id="another cluster",
        ),
    ],
)
def test_what_is_in_front_is_passed_over(seen: Checkpoint, begins_month: bool, got: str) -> None:  # noqa: FBT001
    """Where a log begins later, what was seen before that proves nothing, and harms nothing."""
    assert _fault(seen, TWO, first=False, begins_month=begins_month) == got


def test_no_log_at_all() -> None:
    """Who has seen a log finds out that there is none."""
    assert _fault(TWO[0], []) == "no log"
