"""`hack/bench admission`: every scenario, against crowds of policies of every size, on one connection and on many.

    no-op server ─▶ policies that must be evaluated, growing ─▶ (removed) ─▶ policies that cannot match, growing

Every request is accounted for: after each run the guard has decided exactly the requests that were sent, with the
verdict that the scenario asks for, and stored as many records; at the end the cluster holds all of them.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

from devtools import console, toolchain
from devtools.bench import kubernetes, load, metrics, noop, policies, process
from devtools.bench.guarded import Guarded, guarded
from devtools.bench.load import Load, Target
from devtools.bench.reviews import SCENARIOS, Scenario
from devtools.errors import ToolError

CONNECTIONS = (1, 16)
SIZES = {"evaluated": (1, 100, 1_000), "cannot match": (1, 100, 1_000, 10_000)}  # the larger crowd last: never removed
NOOP = "no-op"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one run showed.

    Attributes:
        scenario: name of the kind of review.
        crowd: which policies stood around; `no-op` for the server without any.
        policies: how many of them.
        connections: on which the reviews came.
        requests: that were answered, and recorded unless by the no-op server.
        p50_micros: half of the answers took no longer.
        p99_micros: 99 of 100 took no longer.
        per_second: answers.
        cpu_micros: of the server per review, everything that it does meanwhile included.
        records_per_commit: how many records one write to the API server held; 0 for the no-op server.
        resident_mib: memory of the server after the run.
    """

    scenario: str
    crowd: str
    policies: int
    connections: int
    requests: int
    p50_micros: float
    p99_micros: float
    per_second: float
    cpu_micros: float
    records_per_commit: float
    resident_mib: float


def measure(seconds: float) -> list[Result]:
    """Measure everything.

    Args:
        seconds: that each run lasts.

    Raises:
        ToolError: something failed, or a request is not accounted for.
    """
    toolchain.binaries(["fortio"])
    shares = process.cores()
    process.pin_self(shares.rest)  # and with us, whatever we start
    with guarded(shares.measured) as guard:
        before = _Stored.of(guard)
        results = list(_of_noop(guard, shares.measured, seconds))
        for crowd, sizes in SIZES.items():
            results += _of_crowd(guard, crowd, sizes, seconds)
            if crowd != list(SIZES)[-1]:
                guard.clear()
        _require_stored(before, _Stored.of(guard))
    return results


def _of_noop(guard: Guarded, core: int, seconds: float) -> Iterator[Result]:
    with noop.serving(guard.target(0), guard.identity) as target, console.step("no-op server"):
        process.pin(target.pid, frozenset({core}))
        for scenario, connections in itertools.product(SCENARIOS, CONNECTIONS):
            yield _run(_Run(target, scenario, NOOP, 0, connections), seconds, lambda _: 0.0)


def _of_crowd(guard: Guarded, crowd: str, sizes: tuple[int, ...], seconds: float) -> Iterator[Result]:
    guard.add(policies.deciding())
    for before, size in itertools.pairwise((0, *sizes)):
        with console.step(f"{size - before:,} more policies: {crowd}"):
            generation = guard.add(map(policies.CROWDS[crowd], range(before, size)))
        with console.step(f"{size:,} policies: {crowd}", len(SCENARIOS) * len(CONNECTIONS) * seconds):
            for scenario, connections in itertools.product(SCENARIOS, CONNECTIONS):
                run = _Run(guard.target(generation), scenario, crowd, size, connections)
                yield _run(run, seconds, _Account(guard, scenario).settle)


@dataclass(frozen=True, slots=True)
class _Run:
    """What is about to be measured."""

    target: Target
    scenario: Scenario
    crowd: str
    policies: int
    connections: int


def _run(run: _Run, seconds: float, settled: Callable[[Load], float]) -> Result:
    """Load the server, wait until it has settled everything, and see what that took."""
    before = process.cpu_seconds(run.target.pid)
    seen = load.run(run.target, run.scenario.body, connections=run.connections, seconds=seconds)
    group = settled(seen)
    used = process.cpu_seconds(run.target.pid) - before
    return Result(
        scenario=run.scenario.name,
        crowd=run.crowd,
        policies=run.policies,
        connections=run.connections,
        requests=seen.sent,
        p50_micros=seen.p50 * 1e6,
        p99_micros=seen.p99 * 1e6,
        per_second=seen.per_second,
        cpu_micros=used / seen.sent * 1e6,
        records_per_commit=group,
        resident_mib=process.resident_bytes(run.target.pid) / 2**20,
    )


class _Account:
    """What the guard had counted before a run, to compare with afterwards."""

    def __init__(self, guard: Guarded, scenario: Scenario) -> None:
        self._url = guard.metrics
        self._reviews = metrics.reviews(scenario.verdict, scenario.operation)
        self._before = metrics.wait(self._url, lambda found: not found[metrics.PENDING], "nothing pending")

    def settle(self, seen: Load) -> float:
        """Demand one decision of the right kind and one stored record per request; returns records per commit.

        Raises:
            ToolError: they are not equal.
        """
        after = metrics.wait(self._url, lambda found: not found[metrics.PENDING], "nothing pending")
        decided, records, commits = (
            after[name] - self._before.get(name, 0.0) for name in (self._reviews, metrics.RECORDS, metrics.COMMITS)
        )
        if not decided == records == seen.sent:
            raise ToolError(f"{seen.sent} requests, {decided:.0f} decided as {self._reviews}, {records:.0f} recorded")
        return records / commits


@dataclass(frozen=True, slots=True)
class _Stored:
    """How many records there are, by the cluster's account (all lanes) and by the guard's (its own)."""

    in_cluster: int
    by_guard: int

    @classmethod
    def of(cls, guard: Guarded) -> Self:
        """Count."""
        with console.step("counting the records in the cluster"):
            found = asyncio.run(kubernetes.stored_records(guard.plane))
        return cls(found, int(metrics.scrape(guard.metrics)[metrics.RECORDS]))


def _require_stored(before: _Stored, after: _Stored) -> None:
    stored, counted = after.in_cluster - before.in_cluster, after.by_guard - before.by_guard
    if stored != counted:
        raise ToolError(f"the cluster holds {stored:,} records more than before, the guard says {counted:,}")
    console.say(f"    {stored:,} records more than before the first review, as the guard says")
