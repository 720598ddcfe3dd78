"""`hack/bench ledger`: what a durable record costs beside a bare write, and how fast a log is verified.

    bare CREATEs at 200/s ─┐ five times each, in turn, on an etcd that syncs
    records at 200/s      ─┘
    records at 1,000/s; one record a second
    a log of some thousand records, made in memory: hashing, signatures, all of verification

The records are those of denied deletions, each of another object, written by the guard's own ledger code into a real
API server. Every one is waited for and counted in the end.
"""

import asyncio
import base64
import os
import re
import resource
import secrets
import ssl
import time
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median, quantiles

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from devtools import cluster, console
from devtools.bench import records
from devtools.cluster import state
from devtools.cluster.controlplane import ControlPlane
from devtools.errors import ToolError
from interlock.core.audit import certificate, checkpoint, commits, cut, dsse, segment
from interlock.core.audit.keyring import Keyring, Trust
from interlock.core.audit.leaf import leaf_hash
from interlock.core.audit.logwalk import LogWalk
from interlock.core.audit.merging import Log
from interlock.core.audit.notekey import VerifierKey
from interlock.core.audit.segment import Segment
from interlock.core.audit.tree import Frontier
from interlock.core.ports import StoredCommit
from interlock.core.types import JsonObject
from interlock.kube import paths
from interlock.kube.client import ApiClient, ApiTarget
from interlock.kube.configmaps import ConfigMapLaneStore
from interlock.ledger.chain import SEED_BYTES, Chain
from interlock.ledger.lane import Lane
from interlock.wiring import clock

RUNS = 5
RATE = 200
FLOOD = 1_000
VERIFIED = 20_000
PER_COMMIT = 32  # records of such a log; more would exceed the bound of a commit in bytes
NAMESPACE = "bench"
BARE_BYTES = 1_024  # of a bare write: what one compressed record has
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was measured; every figure has its unit in its name.

    Attributes:
        bare_p50_millis, bare_p99_millis: a CREATE of a ConfigMap, medians of the runs.
        record_p50_millis, record_p99_millis: from a decision to its receipt, likewise.
        p99_ratio: median of the runs' ratios, each to the run before it.
        bytes_per_record: that etcd grows by at the rate.
        bytes_per_lone_record: at one record a second.
        flood_per_second: records stored while 1,000 a second were asked for.
        flood_growth_mib: of this process's memory meanwhile.
        hashes_per_second: leaves hashed and put into a tree, on one core.
        signatures_per_second: envelopes read and their signatures verified, on one core.
        verified_per_second: records of a log verified by all rules, on one core.
    """

    bare_p50_millis: float
    bare_p99_millis: float
    record_p50_millis: float
    record_p99_millis: float
    p99_ratio: float
    bytes_per_record: float
    bytes_per_lone_record: float
    flood_per_second: float
    flood_growth_mib: float
    hashes_per_second: float
    signatures_per_second: float
    verified_per_second: float


def measure(seconds: float) -> Result:
    """Measure everything.

    Args:
        seconds: that each run lasts.

    Raises:
        ToolError: something failed, or a record is not there in the end.
    """
    name = f"bench-{os.getpid()}"
    try:
        up = cluster.up(name, "local", bare=True, durable=True)
        found = state.of(name).read()
        if not (found.network and found.ports and up.etcd):
            raise ToolError("a local cluster has no addresses")
        plane = ControlPlane(
            state=state.of(name), network=found.network, ports=found.ports, tools=found.tools, durable=found.durable
        )
        stored = asyncio.run(_stored(plane, up.etcd, seconds))
    finally:
        cluster.down(name)
    with console.step(f"verifying {VERIFIED:,} records"):
        return Result(**stored, **_verified())


async def _stored(plane: ControlPlane, etcd: str, seconds: float) -> dict[str, float]:
    pair = plane.identity("admin")
    context = ssl.create_default_context(cafile=str(plane.authority))
    context.load_cert_chain(pair.certificate, pair.key)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, limit=0)) as session:
        api = ApiClient(ApiTarget(server=plane.server, ca_file="", token_file=""), session)
        await api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        bench = _Bench(api, etcd)
        await bench.open()
        try:
            return await bench.run(seconds)
        finally:
            await bench.close()


class _Notary:
    """Certifies whatever lane asks."""

    def __init__(self) -> None:
        self._private = Ed25519PrivateKey.generate()
        self.public = VerifierKey(name="interlock.dev/bench", public_key=self._private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)

    async def certify(self, *, lane: str, public_key: bytes) -> JsonObject:
        stated = certificate.Certificate(
            lane=lane,
            public_key=public_key,
            namespace=NAMESPACE,
            service_account="bench",
            pod_name="bench",
            pod_uid="bench",
            not_before=clock.now(),
        )
        return certificate.issue(stated, key=self.public, sign=self.sign)


class _Bench:
    """Writers against one API server."""

    def __init__(self, api: ApiClient, etcd: str) -> None:
        self._api = api
        self._etcd = etcd
        self._store = ConfigMapLaneStore(api, namespace=NAMESPACE)
        self._lane = Lane(
            writer=records.WRITER, store=self._store, notary=_Notary(), clock=clock.now, entropy=secrets.token_bytes
        )
        self._receipts = 0

    async def open(self) -> None:
        await self._lane.start()

    async def close(self) -> None:
        await self._lane.close(seconds=PATIENCE_SECONDS)

    async def run(self, seconds: float) -> dict[str, float]:
        bare, durable = [], []
        await _paced(RATE, 1.0, self._create)  # connections, and everything that is made once
        await _paced(RATE, 1.0, self._record)
        known, growth = self._receipts, 0
        for number in range(RUNS):
            with console.step(f"run {number + 1} of {RUNS}", 2 * seconds):
                bare.append(await _paced(RATE, seconds, self._create))
                grown = self._size()
                durable.append(await _paced(RATE, seconds, self._record))
                growth += self._size() - grown
        per_record = growth / (self._receipts - known)
        with console.step("one record a second", 5):
            grown, known = self._size(), self._receipts
            await _paced(1, 5, self._record)
            lone = (self._size() - grown) / (self._receipts - known)
        with console.step(f"{FLOOD:,} records a second", seconds):
            resident, known, begun = _resident_mib(), self._receipts, time.monotonic()
            await _paced(FLOOD, seconds, self._record)
            flood = (self._receipts - known) / (time.monotonic() - begun)
        await self._demand_all()
        p99 = [(_percentile(one, 99), _percentile(two, 99)) for one, two in zip(bare, durable, strict=True)]
        return {
            "bare_p50_millis": median(_percentile(run, 50) for run in bare),
            "bare_p99_millis": median(one for one, _ in p99),
            "record_p50_millis": median(_percentile(run, 50) for run in durable),
            "record_p99_millis": median(two for _, two in p99),
            "p99_ratio": median(two / one for one, two in p99),
            "bytes_per_record": per_record,
            "bytes_per_lone_record": lone,
            "flood_per_second": flood,
            "flood_growth_mib": _resident_mib() - resident,
        }

    async def _create(self) -> None:
        name = f"bare-{secrets.token_hex(8)}"
        body = {
            "metadata": {"name": name},
            "immutable": True,
            "binaryData": {"r": base64.b64encode(secrets.token_bytes(BARE_BYTES)).decode()},
        }
        await self._api.create(paths.collection("", "v1", "configmaps", namespace=NAMESPACE), body)

    async def _record(self) -> None:
        await self._lane.append(records.denial(secrets.token_hex(8), clock.now())).stored(seconds=PATIENCE_SECONDS)
        self._receipts += 1

    def _size(self) -> int:
        """Bytes that etcd has in use."""
        with urllib.request.urlopen(f"{self._etcd}/metrics", timeout=PATIENCE_SECONDS) as answer:  # noqa: S310  ours
            text = answer.read().decode()
        found = re.search(r"^etcd_mvcc_db_total_size_in_use_in_bytes (\S+)$", text, re.MULTILINE)
        if found is None:
            raise ToolError("etcd does not say how large it is")
        return int(float(found[1]))

    async def _demand_all(self) -> None:
        """See that every receipt has its record.

        Raises:
            ToolError: one has not.
        """
        kinds = [found["kind"] for each in await self._store.commits() for found in commits.records(each.body)]
        if kinds.count("Decision") != self._receipts:
            raise ToolError(f"{self._receipts} receipts, {kinds.count('Decision')} records")


async def _paced(rate: int, seconds: float, one: Callable[[], Awaitable[None]]) -> list[float]:
    """Begin so many a second, whether earlier ones are done or not; how long each took, in milliseconds."""
    loop = asyncio.get_running_loop()

    async def _timed(at: float) -> float:
        await asyncio.sleep(max(at - loop.time(), 0))
        begun = loop.time()
        await one()
        return (loop.time() - begun) * 1e3

    start = loop.time()
    return list(await asyncio.gather(*(_timed(start + number / rate) for number in range(int(rate * seconds)))))


def _percentile(found: list[float], percent: int) -> float:
    return quantiles(found, n=100, method="inclusive")[percent - 1]


def _resident_mib() -> float:
    """The most that this process has ever had, which grows if anything does."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _verified() -> dict[str, float]:
    """How fast a log is verified, by its parts and as a whole."""
    notary = _Notary()
    segments, envelopes = _log(notary)
    public = dsse.parse(envelopes[0])  # a LaneOpen, whose lane's key signs all of them
    key = base64.b64decode(records.public_key_of(public.payload))
    return {
        "hashes_per_second": _rate(len(envelopes), lambda: _hashed(envelopes)),
        "signatures_per_second": _rate(len(envelopes), lambda: _checked(envelopes, key)),
        "verified_per_second": _rate(len(envelopes), lambda: _walked(segments, Trust.of(notary.public))),
    }


def _log(notary: _Notary) -> tuple[list[Segment], list[bytes]]:
    chain = Chain(secrets.token_bytes(SEED_BYTES))
    issued = asyncio.run(notary.certify(lane=chain.name, public_key=chain.public_key))
    bodies = [records.opening(chain, issued, clock.now())]
    bodies += [records.denial(str(number), clock.now()) for number in range(VERIFIED)]
    envelopes = [chain.seal(body, secrets.token_hex(16)).envelope for body in bodies]
    stored = [
        StoredCommit(
            name=commits.name(chain.name, first),
            uid="",
            body=commits.pack(envelopes[first : first + PER_COMMIT]),
        )
        for first in range(0, len(envelopes), PER_COMMIT)
    ]
    log, segments = Log(cluster="bench", keys=Keyring.of(notary.public)), []
    while log.lags(stored):
        draft = log.draft(stored, now=clock.now())
        sealed = cut.seal(draft.cut, sign=notary.sign)
        note = checkpoint.signed(log.checkpoint(draft, sealed), key=notary.public, sign=notary.sign)
        log.accept(draft, sealed)
        segments.append(segment.unpack(Segment(records=draft.records, cut=sealed, checkpoint=note).pack()))
    return segments, envelopes


def _rate(count: int, work: Callable[[], None]) -> float:
    begun = time.process_time()
    work()
    return count / (time.process_time() - begun)


def _hashed(envelopes: list[bytes]) -> None:
    _ = Frontier().append(bytes.fromhex(leaf_hash(each)) for each in envelopes).root


def _checked(envelopes: list[bytes], key: bytes) -> None:
    if not all(dsse.parse(each).signed_by(key) for each in envelopes):
        raise ToolError("a signature does not verify")


def _walked(segments: list[Segment], trust: Trust) -> None:
    walk = LogWalk(trust)
    for each in segments:
        walk.take(each)
    if walk.records <= VERIFIED or walk.broken:
        raise ToolError(f"{walk.records} of {VERIFIED} records were verified: {walk.broken}")
