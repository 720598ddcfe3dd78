"""A notary with a key of its own, in memory; it is away, refuses or errs when told to."""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interlock.core.audit import certificate
from interlock.core.audit.keyring import Trust
from interlock.core.audit.notekey import VerifierKey
from interlock.core.ports import Clock
from interlock.core.types import JsonObject
from interlock.errors import Forbidden, Unavailable

NAME = "interlock.dev/0b8e1f4a-6d0c-4c6e-9a51-3f2b7c1d9e00"


class Answer(StrEnum):
    """What the notary does with one request."""

    CERTIFIES = "certifies"
    IS_AWAY = "no answer"
    REFUSES = "refuses"
    HANGS = "never answers"
    NAMES_ANOTHER_LANE = "certifies another key"
    IS_LATE = "certifies with a clock that is an hour ahead"
    IS_GARBLED = "answers with something else"


class FakeNotary:
    """Implements `core.ports.NotaryClient`, and holds the private key that a controller would hold.

    Attributes:
        key: its public key, and `trust` in it.
        asked: how often it was asked.
        away: while set, nobody answers.
    """

    def __init__(self, clock: Clock, *, seed: bytes = b"n" * 32, answers: Sequence[Answer] = ()) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._clock = clock
        self._answers = deque(answers)
        self.key = VerifierKey(name=NAME, public_key=self._private.public_key().public_bytes_raw())
        self.trust = Trust.of(self.key)
        self.asked = 0
        self.away = False

    async def certify(self, *, lane: str, public_key: bytes) -> JsonObject:
        """Answer as planned; when the plan is used up, certify."""
        self.asked += 1
        await asyncio.sleep(0)
        match self._next():
            case Answer.IS_AWAY:
                raise Unavailable("no controller answers")
            case Answer.REFUSES:
                raise Forbidden("not a guard's token")
            case Answer.HANGS:
                await asyncio.Event().wait()
            case Answer.IS_GARBLED:
                return {"certificate": lane}
            case Answer.IS_LATE:
                return self.issue(public_key, ahead=timedelta(hours=1))
            case Answer.NAMES_ANOTHER_LANE:
                return self.issue(b"x" * 32)
            case Answer.CERTIFIES:
                pass
        return self.issue(public_key)

    def _next(self) -> Answer:
        if self.away:
            return Answer.IS_AWAY
        return self._answers.popleft() if self._answers else Answer.CERTIFIES

    def issue(self, public_key: bytes, *, ahead: timedelta = timedelta()) -> JsonObject:
        """Sign a certificate."""
        stated = certificate.Certificate(
            lane=certificate.lane_of(public_key),
            public_key=public_key,
            namespace="interlock-system",
            service_account="interlock-guard",
            pod_name="interlock-guard-0",
            pod_uid="5b1e6f2c-0000-4000-8000-000000000001",
            not_before=self._clock() + ahead,
        )
        return certificate.issue(stated, key=self.key, sign=self._private.sign)
