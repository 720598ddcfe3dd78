"""Cosignatures: a witness's word that it saw a checkpoint, and that it continued all it had seen of that log before.

A cosignature is a line more in the checkpoint's signed note, C2SP tlog-cosignature v1:

    — <name> base64(key id || seconds since 1970 || Ed25519 signature)

signed over ``cosignature/v1``, ``time <seconds>``, and the text of the checkpoint. Who verifies a log against a
checkpoint that a witness has cosigned sees the log that the witness saw, or finds out that there are two.
"""

from datetime import UTC, datetime

from interlock.core.audit import checkpoint, dsse, signednote
from interlock.core.audit.checkpoint import Checkpoint
from interlock.core.audit.notekey import COSIGNATURE, VerifierKey
from interlock.errors import BadInput

TIME_BYTES = 8

LATEST = 2**37  # seconds since 1970: further on than anybody's clock, and every calendar here has it


def line(note: str, *, key: VerifierKey, sign: dsse.Sign, now: datetime) -> str:
    """The cosignature of a checkpoint, to be put at the end of its note.

    Args:
        note: the checkpoint, which the caller has verified, and of which it knows that it continues what it saw before.
        key: the witness's.
        sign: Ed25519 signature by the private half of `key`.
        now: the witness's clock.
    """
    seconds = int(now.timestamp())
    time, text = seconds.to_bytes(TIME_BYTES), signednote.text_of(note)
    return signednote.line(text, key=key, sign=lambda _text: time + sign(_message(seconds, text)))


def opened(note: str, key: VerifierKey) -> tuple[Checkpoint, datetime]:
    """Read a checkpoint that a witness has cosigned, and when it did; of several times the latest.

    Raises:
        BadInput: no checkpoint, or none that this witness has cosigned.
    """
    text, found = signednote.signatures(note, key)
    times = [int.from_bytes(each[:TIME_BYTES]) for each in found if _is_by(each, text, key)]
    if not times:
        raise BadInput(field="cosignature", got="none that verifies", expected=f"one of {key.keyid}")
    return checkpoint.read(text), datetime.fromtimestamp(max(times), UTC)


def witness(name: str, public_key: bytes) -> VerifierKey:
    """The key of a witness.

    Raises:
        BadInput: a name that no note could bear.
    """
    return VerifierKey.parse(str(VerifierKey(name=name, public_key=public_key, kind=COSIGNATURE)), kind=COSIGNATURE)


def _is_by(blob: bytes, text: str, key: VerifierKey) -> bool:
    seconds = int.from_bytes(blob[:TIME_BYTES])
    return seconds <= LATEST and signednote.verifies(blob[TIME_BYTES:], _message(seconds, text), key)


def _message(seconds: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()
