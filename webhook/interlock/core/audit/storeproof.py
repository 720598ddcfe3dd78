"""What was found when somebody tried to undo a store's locks: signed by who tried, and how long it is believed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from interlock.core import times, typedjson
from interlock.core.audit import dsse
from interlock.errors import BadInput

PAYLOAD_TYPE = "application/vnd.interlock.store-proof.v1+json"

KEYID = "interlock-prover"

FRESH = timedelta(hours=36)
"""How long a proof is believed: it is made every day, and may fail to be made once."""


class Proven(StrEnum):
    """Whether a store is known to lock what it holds, spelled as a condition's status."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One attempt to undo a lock.

    Attributes:
        name: what was tried.
        holds: whether the object is afterwards what it was.
        text: what the store said.
    """

    name: str
    holds: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreProof:
    """All attempts of one run.

    Attributes:
        store: the address that they were made on, as it is configured.
        time: when.
        tried: in order.
    """

    store: str
    time: datetime
    tried: Sequence[Tried]


class _Tried(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    holds: bool
    text: str


class _Wire(msgspec.Struct, frozen=True, kw_only=True):
    store: str
    time: str
    tried: tuple[_Tried, ...]


def seal(proof: StoreProof, *, sign: dsse.Sign) -> bytes:
    """Write and sign a proof.

    Args:
        proof: what was found.
        sign: Ed25519 signature by the prover's key.
    """
    return dsse.seal(PAYLOAD_TYPE, _write(proof), keyid=KEYID, sign=sign).encode()


def opened(data: bytes, public_key: bytes) -> StoreProof:
    """Read a proof that the holder of this raw Ed25519 key has signed.

    Raises:
        BadInput: no proof, or none by this key.
    """
    envelope = dsse.parse(data)
    if envelope.payload_type != PAYLOAD_TYPE or not envelope.signed_by(public_key):
        raise BadInput(field="store proof", got=envelope.keyid[:80], expected=f"a signature by {KEYID}")
    return _read(envelope.payload)


def _write(proof: StoreProof) -> bytes:
    tried = tuple(_Tried(name=each.name, holds=each.holds, text=each.text) for each in proof.tried)
    return msgspec.json.encode(_Wire(store=proof.store, time=times.write(proof.time), tried=tried), order="sorted")


def _read(data: bytes) -> StoreProof:
    wire = typedjson.read(data, _Wire, field="store proof", expected="store, time, and what was tried")
    tried = tuple(Tried(name=each.name, holds=each.holds, text=each.text) for each in wire.tried)
    if not tried:
        raise BadInput(field="store proof.tried", got="nothing", expected="at least one attempt")
    return StoreProof(store=wire.store, time=times.read(wire.time), tried=tried)


def judged(proof: StoreProof | None, *, store: str, now: datetime) -> tuple[Proven, str]:
    """Whether this store is known to lock, and why that is so.

    A store that was once seen to let something through stays refused until a run on it finds otherwise.

    Args:
        proof: the newest one; None if there is none.
        store: the address that is shipped to.
        now: the present.
    """
    if proof is None:
        return Proven.UNKNOWN, "nobody has tried to undo its locks"
    if proof.store != store:
        return Proven.UNKNOWN, "what was tried was tried on another store"
    failed = [each for each in proof.tried if not each.holds]
    if failed:
        first = failed[0]
        return Proven.FALSE, f"it lets through: {first.name} ({first.text})"
    if now - proof.time > FRESH:
        return Proven.UNKNOWN, f"it was last tried at {times.write(proof.time)}"
    return Proven.TRUE, f"nothing of {len(proof.tried)} attempts undid a lock at {times.write(proof.time)}"
