"""A record sink that stores at once, never, or refuses, as the test says."""

import asyncio
from enum import StrEnum

from interlock.core.types import JsonObject, Receipt
from interlock.errors import SinkFault


class Outcome(StrEnum):
    """What becomes of records."""

    STORES = "stores"
    HANGS = "is not known to store in time"
    REFUSES = "accepts nothing"
    BREAKS = "meets an error of its own"


class FakeSink:
    """Implements `core.ports.RecordSink`.

    Attributes:
        outcome: what becomes of records.
        bodies: what was appended.
        lingering: names of the targets of records that nobody would wait for.
        waited: deadlines with which somebody waited.
    """

    def __init__(self, outcome: Outcome = Outcome.STORES) -> None:
        self.outcome = outcome
        self.bodies: list[JsonObject] = []
        self.lingering: list[str] = []
        self.waited: list[float] = []

    def append(self, body: JsonObject, *, linger: bool = False) -> "FakePending":
        """Take a record, or not."""
        if self.outcome is Outcome.REFUSES:
            raise SinkFault("the ledger is not open")
        if self.outcome is Outcome.BREAKS:
            raise ZeroDivisionError
        self.bodies.append(body)
        if linger:
            self.lingering.append(body["target"]["name"])
        return FakePending(self, f"01a21082-7530-7469-b992-{len(self.bodies):012x}")


class FakePending:
    """Implements `core.ports.Pending`."""

    def __init__(self, sink: FakeSink, record_id: str) -> None:
        self._sink = sink
        self._record_id = record_id

    @property
    def record_id(self) -> str:
        """Its name."""
        return self._record_id

    async def stored(self, *, seconds: float) -> Receipt:
        """Give the receipt, or say that the time is over, without letting it pass."""
        self._sink.waited.append(seconds)
        await asyncio.sleep(0)
        if self._sink.outcome is Outcome.HANGS:
            raise SinkFault(f"record {self._record_id} is not known to be stored within {seconds} s")
        return Receipt(
            record_id=self._record_id, lane="0123456789abcdef", sequence=len(self._sink.bodies), leaf="ab" * 32
        )
