"""How often each policy applied, counted from stored records: what no record proves is not counted.

Lanes are append-only. Each lane's next sequence is remembered, so that a record seen again (a list after a broken
watch) counts once. Signatures are not verified here, `interlock verify` does; a status is no proof.

Only the leader counts; a new leader begins with what the one before had kept (`kube.countstore`), and with the whole
ledger.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import structlog

from interlock.core import unstructured
from interlock.core.audit import commits
from interlock.core.audit.record import Kind
from interlock.core.ports import StoredCommit
from interlock.core.types import JsonObject, Mode, Verdict
from interlock.errors import BadInput

LOG = structlog.get_logger(__name__)

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

    def keep(self, lanes: Iterable[str]) -> JsonObject:
        """What `take_up` reads: every count, and where it stands in these lanes, of which something is stored."""
        return {
            "counts": {uid: asdict(counts) for uid, counts in self._counts.items()},
            "next": {lane: self._next[lane] for lane in sorted(lanes) if lane in self._next},
        }

    def take_up(self, kept: JsonObject) -> None:
        """Begin with what was kept.

        Raises:
            BadInput: it is nothing that `keep` wrote.
        """
        try:
            counts = {str(uid): Counts(**found) for uid, found in kept["counts"].items()}
            following = {str(lane): int(sequence) for lane, sequence in kept["next"].items()}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BadInput(field="counts", got=repr(error)[:120], expected="counts, and next by lane") from error
        self._counts.update(counts)
        self._next |= following

    def added(self, commit: StoredCommit) -> bool:
        """Count a commit; one that cannot be read counts nothing, and is said."""
        try:
            return self.commit(commit.name, commit.body)
        except BadInput as error:
            LOG.warning("a commit of the ledger cannot be read", commit=commit.name, why=str(error))
            return False

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
