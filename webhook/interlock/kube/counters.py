"""How often each policy applied, counted from stored records: what no record proves is not counted.

Lanes are append-only and every commit is read once: a list, then a watch from that list's resourceVersion. Each lane's
next sequence is remembered, so that a record seen again (a list after a broken watch) counts once. Signatures are not
verified here, `interlock verify` does; a status is no proof.

Only the leader counts; a new leader begins with the whole ledger.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from interlock.core import unstructured
from interlock.core.audit import commits
from interlock.core.audit.record import Kind
from interlock.core.types import JsonObject, Mode, Verdict
from interlock.errors import BadInput, ClusterError
from interlock.kube import paths
from interlock.kube.client import ApiClient
from interlock.kube.configmaps import LANE_SELECTOR, body_of

LOG = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0
"""After a list or watch that failed."""

COUNTED = {Kind.DECISION.value, Kind.SERIES_COUNT.value}
"""Of a series, the first denial is a Decision, and each SeriesCount adds those that came after."""

STOPPED = {Verdict.DENY.title, Verdict.WARN.title}


@dataclass(slots=True)
class Counts:
    """What a policy did; `last_match` is a record's time as stored, empty for never."""

    matches: int = 0
    denials: int = 0
    warnings: int = 0
    would_have: int = 0
    last_match: str = ""

    def add(self, outcome: JsonObject, record: JsonObject, times: int) -> None:
        """Count one policy's outcome in one record, which speaks of this many requests."""
        yields = outcome.get("yields")
        enforced = outcome.get("mode") == Mode.ENFORCE.value
        self.matches += times
        self.denials += times * (enforced and yields == Verdict.DENY.title == record.get("verdict"))
        self.warnings += times * (enforced and yields == Verdict.WARN.title)
        self.would_have += times * (not enforced and yields in STOPPED)
        self.last_match = max(self.last_match, unstructured.text(record, "time"))


class Tally:
    """Counts by policy uid."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, Counts] = defaultdict(Counts)
        self._next: dict[str, int] = {}  # lane -> first sequence not yet counted

    def of(self, uid: str) -> Counts:
        """The counts of one policy."""
        return self._counts.get(uid, Counts())

    def commit(self, name: str, body: bytes) -> bool:
        """Count the records of one commit that were not counted before; True if any was.

        Raises:
            BadInput: the commit holds no records.
        """
        lane, _ = commits.parse_name(name)
        counted = False
        for record in commits.records(body):
            if record["sequence"] >= self._next.get(lane, 0):
                self._next[lane] = record["sequence"] + 1
                counted |= self._record(record)
        return counted

    def _record(self, record: JsonObject) -> bool:
        if record["kind"] not in COUNTED:
            return False
        outcomes = [found for found in unstructured.items(record, "policies") if not found.get("excludedBy")]
        for outcome in outcomes:
            self._counts[unstructured.text(outcome, "uid")].add(outcome, record, _requests(record))
        return bool(outcomes)


def _requests(record: JsonObject) -> int:
    """How many requests a record speaks of that no record before it does."""
    added = record.get("added", 0) if record["kind"] == Kind.SERIES_COUNT else 1
    return added if isinstance(added, int) else 0


class LedgerReader:
    """Feeds a tally from the ledger's ConfigMaps."""

    def __init__(self, api: ApiClient, tally: Tally, *, namespace: str, changed: Callable[[], None]) -> None:
        self._api = api
        self._tally = tally
        self._changed = changed
        self._path = paths.collection("", "v1", "configmaps", namespace=namespace)

    async def run(self) -> None:
        """Count for ever."""
        while True:
            try:
                await self._follow(await self._catch_up())
            except ClusterError as error:
                LOG.debug("reading records again", why=str(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def _catch_up(self) -> str:
        """Count everything stored; returns as of when."""
        version = ""
        async for page, version in self._api.pages(self._path, label_selector=LANE_SELECTOR):  # noqa: B007  the last one
            for item in sorted(page, key=lambda item: str(item["metadata"]["name"])):
                self._count(item)
        self._changed()
        return version

    async def _follow(self, version: str) -> None:
        """Count what is added from then on, watch after watch; ends with the error that cut one."""
        while True:
            async for kind, item in self._api.watch(self._path, resource_version=version, label_selector=LANE_SELECTOR):
                version = item["metadata"]["resourceVersion"]
                if kind == "ADDED" and self._count(item):
                    self._changed()

    def _count(self, item: JsonObject) -> bool:
        name = item["metadata"]["name"]
        try:
            return self._tally.commit(name, body_of(item))
        except BadInput as error:
            LOG.warning("a commit of the ledger cannot be read", commit=name, why=str(error))
            return False
