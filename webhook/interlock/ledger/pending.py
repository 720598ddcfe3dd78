"""A record on its way: it has its place, and one day perhaps its receipt."""

import asyncio
from collections.abc import Mapping

from interlock.core import times
from interlock.core.audit import dsse, record
from interlock.core.types import Receipt
from interlock.errors import SinkFault
from interlock.ledger.chain import Chain, Sealed


class PendingRecord:
    """Implements `core.ports.Pending`.

    It may move: when its lane has to be given up before it was stored, it gets a place in the next one, under the same
    id. What a lane says about itself (`about_lane`) has no meaning elsewhere and does not move. For one that lingers
    (`linger`) nobody waits.
    """

    def __init__(
        self, body: Mapping[str, object], *, record_id: str, chain: Chain, about_lane: bool, linger: bool = False
    ) -> None:
        """Give the record its first place.

        Raises:
            BadInput: the body's time is none.
            ValueError: the body is no acceptable record.
        """
        self.time = times.read(str(body["time"]))
        self.about_lane = about_lane
        self.linger = linger
        self._record_id = record_id
        self._outcome: asyncio.Future[Receipt | None] = asyncio.get_running_loop().create_future()
        self.sealed: Sealed = chain.seal(body, record_id)

    @property
    def record_id(self) -> str:
        """The record's name, known at once."""
        return self._record_id

    @property
    def lane(self) -> str:
        """Where its place is now."""
        return self.sealed.receipt.lane

    @property
    def sequence(self) -> int:
        """Its place in the lane."""
        return self.sealed.receipt.sequence

    @property
    def size(self) -> int:
        """Bytes that it takes in a commit."""
        return len(self.sealed.envelope) + 1

    def move(self, chain: Chain) -> None:
        """Take the next place in another lane; the old place must never be stored."""
        body = record.decode(dsse.parse(self.sealed.envelope).payload)  # read back, since it hardly ever happens
        self.sealed = chain.seal(body, self._record_id)

    def is_stored(self) -> None:
        """Hand the receipt to whoever waits."""
        self._outcome.set_result(self.sealed.receipt)

    def is_lost(self) -> None:
        """Tell whoever waits that nobody works on it any more."""
        self._outcome.set_result(None)

    async def stored(self, *, seconds: float) -> Receipt:
        """Wait until the record is durable.

        Raises:
            SinkFault: not known to be durable within `seconds`; it may still become so.
        """
        if not self._outcome.done():
            await asyncio.wait([self._outcome], timeout=seconds)
        receipt = self._outcome.result() if self._outcome.done() else None
        if receipt is None:
            raise SinkFault(f"record {self._record_id} is not known to be stored within {seconds} s")
        return receipt
