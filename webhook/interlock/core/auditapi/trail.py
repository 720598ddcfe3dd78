"""The trail: what the ledger in the cluster tells goes in, AuditRecords with what is proven of them come out.

    commits, checkpoints, what is retired ─▶ Trail ─▶ Window
                                               └────▶ `ledger`, `proof`: what is known of a record when it is asked for

Every record is verified as it comes, by the rules of `core.audit.lanewalk` and with the notary's public key. One that
breaks a rule is shown all the same, with what is wrong; so are those after it in its lane, since what follows a bad
record proves nothing. Bytes that are no record are counted, and nothing is shown of them.

What comes later (a certificate, a checkpoint, the news that it was shipped) is told with the record when it is read; it
is no change of the record, and no watch hears of it.

Versions: commits are created once, so the resourceVersion of its ConfigMap, which all replicas see alike, gives each
record of a commit its own.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from interlock.core.audit import commits, dsse, record
from interlock.core.audit.keyring import Trust
from interlock.core.audit.lanewalk import Bad, Walk
from interlock.core.audit.leaf import leaf_hash
from interlock.core.audit.notekey import VerifierKey
from interlock.core.audit.record import Kind
from interlock.core.auditapi import resource
from interlock.core.auditapi.covering import Covering, Leaves
from interlock.core.auditapi.resource import Ledger
from interlock.core.auditapi.shipment import Shipment
from interlock.core.auditapi.window import Window
from interlock.core.ports import StoredCommit
from interlock.core.types import JsonObject
from interlock.errors import BadInput

VERSION_BITS = 7
"""Of a version, for the place in a commit: twice as many as a commit has records."""

LATEST = (1 << VERSION_BITS) - 1

UNKNOWN_KEY = "the key of its lane is not in the cluster (any more): `interlock verify` has it"
UNCERTIFIED = "the notary has not certified its lane"
RETIRED = "its lane was retired while it was read: `interlock verify` has it"


def as_of(version: int) -> int:
    """The version at which everything of this resourceVersion of a ConfigMap is known."""
    return version << VERSION_BITS | LATEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A commit as the cluster holds it, at which resourceVersion it was stored."""

    stored: StoredCommit
    version: int


class _Lane:
    """One lane of which something is held."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.leaves = Leaves(walk.first)
        self.fault = ""
        self.commits = 0


class Trail:
    """Everything that this process knows of the ledger.

    Attributes:
        window: what can be listed and watched.
        shipment: what is known of the store; None where there is none, or nobody has said so.
        unreadable: records that could not be shown, and checkpoints that could not be used; with the newest reason.
    """

    def __init__(self, *, trust: Trust, system: str, window: Window) -> None:
        """Begin empty.

        Args:
            trust: who the notary is.
            system: Interlock's namespace.
            window: an empty one.
        """
        self.window = window
        self.shipment: Shipment | None = None
        self.unreadable = 0
        self.fault = ""
        self._system = system
        self._lanes: dict[str, _Lane] = {}
        self._names: dict[str, tuple[str, ...]] = {}  # of the objects of each commit
        self._retired = 0
        self._records = 0  # taken, of whatever kind
        self._covering = Covering(trust)

    # ------------------------------------------------------------------------------------------ in

    def loading(self, found: Iterable[Found], checkpoints: Sequence[StoredCommit], *, version: int) -> Iterator[None]:
        """Take everything that is stored as of one version, at the start, a bit each time that it is asked for more.

        Args:
            found: every commit.
            checkpoints: every checkpoint, by name.
            version: resourceVersion of the list.
        """
        for newest in checkpoints[-1:]:
            self._heard(newest, self._covering.expect)  # what it covers may be retired
        for each in sorted(found, key=lambda each: each.version):
            self.commit(each)
            yield
        for stored in checkpoints:
            self.checkpoint(stored)
            yield
        self.window.begin(as_of(version))

    def trust(self, key: VerifierKey) -> None:
        """Trust in one more key of the notary's: one that it has just rotated to signs before any cut says so."""
        known = self._covering.trust
        self._covering.trust = Trust.of(*known.pinned, key)
        self._covering.keys = tuple(dict.fromkeys([*self._covering.keys, key]))

    def commit(self, found: Found) -> None:
        """Take a commit; one that is known is passed over."""
        name = found.stored.name
        if name in self._names:
            return
        try:
            lane, sequence = commits.parse_name(name)
            envelopes = commits.unpack(found.stored.body)
        except BadInput as error:
            self._unreadable(f"{name}: {error}")
            return
        known = self._lanes.get(lane)
        if known is None:
            known = self._lanes[lane] = _Lane(Walk(lane, first=sequence, keys=()))
        known.commits += 1
        self._begin(known, name, sequence)
        shown: list[str] = []
        for number, envelope in enumerate(envelopes):
            if made := self._take(known, envelope, version=found.version << VERSION_BITS | min(number, LATEST)):
                shown.append(made)
        self._names[name] = tuple(shown)

    def checkpoint(self, stored: StoredCommit) -> None:
        """Take a checkpoint; one that is no newer than the newest is passed over."""
        leaves = {name: known.leaves for name, known in self._lanes.items()}
        self._heard(stored, lambda body: self._covering.take(body, leaves))

    def retired(self, name: str, *, version: int) -> None:
        """Note that a commit is gone as of this resourceVersion."""
        shown = self._names.pop(name, None)
        if shown is None:
            return
        self._retired += 1
        self.window.retire(shown, version=as_of(version))
        lane, _ = commits.parse_name(name)
        known = self._lanes[lane]
        known.commits -= 1
        if known.commits == 0:
            del self._lanes[lane]
            self._covering.forget(lane)

    def shipped(self, shipment: Shipment | None) -> None:
        """Take what the controller says of the object store."""
        self.shipment = shipment

    def names(self) -> set[str]:
        """The commits that are held."""
        return set(self._names)

    def advance(self, version: int) -> None:
        """Note that everything up to this resourceVersion of ConfigMaps was told."""
        self.window.advance(as_of(version))

    # ------------------------------------------------------------------------------------------ out

    def complete(self, made: JsonObject) -> JsonObject:
        """An AuditRecord of the window with what is proven of it now."""
        return resource.with_ledger(made, self.ledger(made))

    def ledger(self, made: JsonObject) -> Ledger:
        """Where an AuditRecord of the window stands, and what is proven of it now."""
        place = made["ledger"]
        lane, sequence = place["lane"], place["sequence"]
        why = place.get("why", "")
        covered = self._covering.of(lane, sequence) if why in {"", UNKNOWN_KEY} else None
        why = why or self._uncertified(lane)
        if covered is None:
            return Ledger(lane=lane, sequence=sequence, leaf=place["leaf"], verified=not why, why=why)
        held = self.shipment is not None and covered.index >= 0 and self.shipment.holds(covered.number)
        shipment = self.shipment if held else None
        return Ledger(
            lane=lane,
            sequence=sequence,
            leaf=place["leaf"],
            verified=not why,
            why=why,
            checkpoint=covered.name,
            index=covered.index,
            shipped_to=shipment.store if shipment else "",
            locked_until=shipment.locked_until(covered.time) if shipment else None,
        )

    def proof(self, made: JsonObject) -> JsonObject:
        """The AuditRecordProof of an AuditRecord of the window."""
        complete, metadata, place = self.complete(made), made["metadata"], made["ledger"]
        refused = place.get("why", "") not in {"", UNKNOWN_KEY}
        proof = {"why": place["why"]} if refused else self._covering.proof(place["lane"], place["sequence"])
        return {
            "apiVersion": resource.API_VERSION,
            "kind": resource.PROOF_KIND,
            "metadata": {name: metadata[name] for name in ("name", "namespace", "uid", "creationTimestamp")},
            "ledger": complete["ledger"],
            "notary": str(self._covering.keys[-1]),
            "proof": proof,
        }

    @property
    def older(self) -> str:
        """Where records are that are older than those in the window, as a sentence; empty if none are known."""
        walks = [known.walk for known in self._lanes.values()]
        gone = self._retired or self.window.forgotten or any(walk.first > 0 for walk in walks)
        if not gone and self._covering.size <= self._records + self._covering.number + 1:
            return ""
        if self.shipment is None:
            return "older records are no longer in the cluster, and no object store is known that has them"
        store = self.shipment.store
        return f"older records are in {store} only: interlock ledger show {store}"

    # ------------------------------------------------------------------------------------------ records

    def _begin(self, known: _Lane, name: str, sequence: int) -> None:
        """See that a commit comes next in its lane."""
        walk = known.walk
        if sequence > walk.next and self._covering.merged(walk.lane, sequence):
            walk.jump(sequence)  # what was before was merged, and is retired
        elif sequence != walk.next and not known.fault:
            known.fault = f"{name}: expected a commit that begins at sequence {walk.next}"

    def _take(self, known: _Lane, envelope: bytes, *, version: int) -> str:
        """Verify a record and show it if it is one that is shown; its name, or nothing."""
        self._records += 1
        walk, sequence = known.walk, known.walk.next
        walk.keys = self._covering.keys
        walk.outdated = () if self._covering.merged(walk.lane, 0) else self._covering.outdated
        if not known.fault:
            try:
                walk.take(envelope)
            except (Bad, BadInput) as bad:
                expected, got = bad.expected, bad.got
                known.fault = f"sequence {sequence} of its lane: expected {expected}, got {got}"
        leaf = leaf_hash(envelope)
        known.leaves.add(sequence, leaf)
        why = known.fault or self._otherwise(walk, leaf) or ("" if walk.public_key else UNKNOWN_KEY)
        try:
            return self._show(known, dsse.parse(envelope).payload, leaf=leaf, why=why, version=version)
        except BadInput as error:
            self._unreadable(f"lane {walk.lane}, sequence {sequence}: {error}")
            return ""

    def _otherwise(self, walk: Walk, leaf: str) -> str:
        """What the newest cut has against the record that the walk has just taken."""
        head = self._covering.head(walk.lane)
        if head is not None and walk.next == head.next and leaf != head.leaf:
            return "the checkpoint covers another record in its place"
        return ""

    def _show(self, known: _Lane, payload: bytes, *, leaf: str, why: str, version: int) -> str:
        self.window.advance(version)
        if record.head(payload).kind == Kind.SERIES_COUNT:
            if not known.fault:
                self._count(payload, version=version)
            return ""
        shown = resource.read(payload)
        if shown is None:
            return ""
        if self.window.find(shown["id"]) is not None:
            raise BadInput(field="record.id", got=shown["id"][:80], expected="one that no other record has")
        place = Ledger(lane=shown["lane"], sequence=shown["sequence"], leaf=leaf, verified=False, why=why)
        made = resource.build(shown, ledger=place, system=self._system, resource_version=version)
        self.window.put(made, version=version)
        return str(shown["id"])

    def _count(self, payload: bytes, *, version: int) -> None:
        """A denial was repeated: its AuditRecord says how often."""
        name, series = resource.counted(payload)
        made = self.window.find(name)
        if made is None or made.get("series", {}).get("count", 1) > series.count:
            return
        made["metadata"]["resourceVersion"] = str(version)
        self.window.put(resource.with_series(made, series), version=version)

    def _unreadable(self, why: str) -> None:
        self.unreadable += 1
        self.fault = why

    # ------------------------------------------------------------------------------------------ proofs

    def _heard(self, stored: StoredCommit, take: Callable[[bytes], None]) -> None:
        try:
            take(stored.body)
        except (Bad, BadInput) as bad:
            self._unreadable(f"{stored.name}: expected {bad.expected}, got {bad.got}")

    def _uncertified(self, lane: str) -> str:
        known = self._lanes.get(lane)
        if known is None:
            return RETIRED
        return "" if known.walk.certificate else UNCERTIFIED
