"""The signing state of one lane: its key, and where its next record goes.

A chain has one writer and lives in memory only. Its key is made at the start and dies with the process, so that nobody
can sign for the lane later. `seal` gives a record sequence, previous leaf and signature in one step without waiting:
the order of calls is the order of the lane.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interlock.core.audit import dsse, record
from interlock.core.audit.certificate import lane_of
from interlock.core.audit.leaf import leaf_hash
from interlock.core.types import Receipt

SEED_BYTES = 32  # an Ed25519 private key (RFC 8032)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A record with its place and signature.

    Attributes:
        receipt: what may be handed out once the envelope is durable.
        envelope: the exact bytes to store.
    """

    receipt: Receipt
    envelope: bytes


class Chain:
    """One lane being written.

    Attributes:
        name: of the lane, after its key.
        public_key: raw Ed25519.
    """

    def __init__(self, seed: bytes) -> None:
        """Start a lane.

        Args:
            seed: `SEED_BYTES` unpredictable bytes, used once and kept nowhere else.
        """
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key = self._key.public_key().public_bytes_raw()
        self.name = lane_of(self.public_key)
        self._next = 0
        self._previous = ""

    @property
    def public_key_text(self) -> str:
        """The key as records hold it."""
        return base64.b64encode(self.public_key).decode()

    def seal(self, body: Mapping[str, object], record_id: str) -> Sealed:
        """Give a body the next place in the lane and sign it.

        Raises:
            ValueError: the body is no acceptable record; the lane is as before.
        """
        payload = record.place(body, record_id=record_id, lane=self.name, sequence=self._next, previous=self._previous)
        envelope = dsse.seal(record.PAYLOAD_TYPE, payload, keyid=self.name, sign=self._key.sign).encode()
        receipt = Receipt(record_id=record_id, lane=self.name, sequence=self._next, leaf=leaf_hash(envelope))
        self._next += 1
        self._previous = receipt.leaf
        return Sealed(receipt=receipt, envelope=envelope)
