"""A guard's ledger as tests run it: a clock to be turned by hand, reproducible randomness, no waiting."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from interlock.core import times
from interlock.core.audit import lanes, record
from interlock.core.audit.commits import records
from interlock.core.types import (
    CallerProof,
    Decision,
    Durability,
    Finding,
    JsonObject,
    Mode,
    Operation,
    PolicyOutcome,
    Reach,
    Request,
    Severity,
    User,
    Verdict,
)
from interlock.ledger.lane import Lane
from tests.fakes.lane_store import FakeLaneStore
from tests.fakes.notary import FakeNotary

CLUSTER = "0b8e1f4a-6d0c-4c6e-9a51-3f2b7c1d9e00"

WRITER = record.Writer(
    version="0.1.0",
    cluster=CLUSTER,
    namespace="interlock-system",
    pod="interlock-guard-0",
    pod_uid="5b1e6f2c-0000-4000-8000-000000000001",
)

ENGINE = record.Engine(version="0.1.0", snapshot_generation=4711, snapshot_age_millis=120)


class HandClock:
    """A clock that goes on by a millisecond a look, and otherwise where it is turned."""

    def __init__(self, begins: datetime = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)) -> None:
        self._now = begins

    def __call__(self) -> datetime:
        """The present."""
        self._now += timedelta(milliseconds=1)
        return self._now

    def turn(self, by: timedelta) -> None:
        """Set it on or back."""
        self._now += by


class Entropy:
    """Bytes that are different each time and the same in each run."""

    def __init__(self, seed: str = "") -> None:
        self._seed = seed
        self._drawn = 0

    def __call__(self, count: int) -> bytes:
        """The next bytes."""
        self._drawn += 1
        return hashlib.shake_256(f"{self._seed}{self._drawn}".encode()).digest(count)


async def at_once(_: float) -> None:
    """A pause that only lets others run."""
    await asyncio.sleep(0)


async def settled() -> None:
    """Let every task run until it waits for something that is not a turn of the loop."""
    for _ in range(50):
        await asyncio.sleep(0)


def keyed(data: bytes) -> str:
    """A keyed digest for tests."""
    return hashlib.blake2b(data, key=b"digest-key", digest_size=32).hexdigest()


def body(clock: HandClock, *, name: str = "shop") -> JsonObject:
    """The body of a denied deletion of a namespace."""
    return record.body(
        deletion(name),
        denial(),
        caller=CallerProof.PATH,
        cluster=CLUSTER,
        engine=ENGINE,
        now=clock(),
        digest=keyed,
    )


def small(clock: HandClock) -> JsonObject:
    """The smallest body that a lane takes."""
    return {"schema": record.SCHEMA, "kind": "Decision", "time": times.write(clock())}


def deletion(name: str) -> Request:
    """Ada deletes a namespace."""
    return Request(
        uid=f"0d3f1c52-0000-4000-8000-{name:0>12.12}",
        operation=Operation.DELETE,
        group="",
        version="v1",
        resource="namespaces",
        subresource="",
        kind="Namespace",
        name=name,
        namespace=name,
        user=User(name="ada", groups=("dev", "system:authenticated")),
        old_object={"metadata": {"name": name, "uid": "8f0e6d1a-0000-4000-8000-000000000007"}},
        options={"kind": "DeleteOptions", "propagationPolicy": "Background"},
    )


def denial() -> Decision:
    """A policy denies it."""
    finding = Finding(
        action="delete-namespace",
        family="namespaces",
        severity=Severity.CRITICAL,
        evidence="deletes a namespace and everything in it",
        reach=Reach.of("shop"),
    )
    outcome = PolicyOutcome(
        policy="protect-production",
        uid="11111111-0000-4000-8000-000000000001",
        generation=3,
        digest="ab" * 32,
        mode=Mode.ENFORCE,
        severity=Severity.CRITICAL,
        finding=finding.action,
        yields=Verdict.DENY,
    )
    return Decision(
        verdict=Verdict.DENY,
        severity=Severity.CRITICAL,
        findings=(finding,),
        outcomes=(outcome,),
        recorded=True,
        durability=Durability.BLOCKING_STRICT,
    )


class Ledger:
    """A guard's ledger with its surroundings.

    Attributes:
        clock: to be turned.
        store: to be looked at, or tampered with.
        notary: whose key verifies.
        lane: what is tested.
        changes: how often `changed` was called.
    """

    def __init__(
        self,
        store: FakeLaneStore | None = None,
        notary: FakeNotary | None = None,
        *,
        clock: HandClock | None = None,
        seed: str = "",
    ) -> None:
        self.clock = clock or HandClock()
        self.store = store or FakeLaneStore()
        self.notary = notary or FakeNotary(self.clock)
        self.changes = 0
        self.lane = Lane(
            writer=WRITER,
            store=self.store,
            notary=self.notary,
            clock=self.clock,
            entropy=Entropy(seed),
            pause=at_once,
            changed=self._changed,
        )

    def verify(self) -> lanes.Report:
        """What `interlock verify` would say of the store."""
        return lanes.verify(self.store.stored(), self.notary.trust)

    def records(self) -> list[JsonObject]:
        """Every stored record, lane by lane."""
        return [found for commit in self.store.stored() for found in records(commit.body)]

    def kinds(self) -> list[str]:
        """Their kinds."""
        return [str(found["kind"]) for found in self.records()]

    def _changed(self) -> None:
        self.changes += 1


@asynccontextmanager
async def running(ledger: Ledger) -> AsyncIterator[Ledger]:
    """Start it, and at the end close it."""
    await ledger.lane.start()
    try:
        yield ledger
    finally:
        await ledger.lane.close(seconds=5)


async def written(names: Sequence[str], ledger: Ledger | None = None) -> Ledger:
    """A ledger closed after one record for each of these names, each in its own commit."""
    ledger = ledger or Ledger()
    async with running(ledger):
        await settled()  # the LaneOpen has a commit of its own
        for name in names:
            await ledger.lane.append(body(ledger.clock, name=name)).stored(seconds=5)
    return ledger
