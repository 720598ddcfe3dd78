"""What the core's users need from the world, as Protocols; adapters meet only here.

Each Protocol states its contract, the errors it may raise and what the caller must conclude from them. Fakes for unit
tests implement the same Protocols, and the same test cases run against the real adapters.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from interlock.core.snapshot import Snapshot
from interlock.core.types import JsonObject, Receipt, User


class Clock(Protocol):
    """The one source of the present."""

    def __call__(self) -> datetime:
        """Now, aware, in UTC."""


class SnapshotSource(Protocol):
    """The newest frozen view of what decisions read."""

    def current(self) -> Snapshot | None:
        """The view, or None before the first complete one: nothing can be decided then."""

    async def reached(self, generation: int, *, seconds: float) -> bool:
        """Wait until the view is at least at this policy generation; False when the time is over."""


class ClusterReader(Protocol):
    """Bounded reads that a finding needs."""

    async def get_by_kind(
        self, *, api_version: str, kind: str, namespace: str, name: str, seconds: float
    ) -> JsonObject:
        """Read one object.

        Raises:
            NotFound: it does not exist.
            Forbidden: our account may not read it, or the kind is unknown.
            Unavailable: no answer within `seconds`; nothing is known.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCommit:
    """One flush of a lane as the store holds it.

    Attributes:
        name: the object's name, ``interlock-lane-LANE-SEQUENCE``.
        uid: identity of this very object, for delete preconditions.
        body: gzip of newline-joined envelopes.
        created: when it was stored, by the store's clock; None where that is not known.
    """

    name: str
    uid: str
    body: bytes
    created: datetime | None = None


class CommitStore(Protocol):
    """Create-only storage in the cluster."""

    async def create(self, name: str, body: bytes, *, lane: str) -> None:
        """Store one immutable object; when this returns, it is durable.

        Args:
            name: of the object.
            body: its bytes.
            lane: that it belongs to; empty for a checkpoint.

        Raises:
            NameTaken: an object of that name exists; read it and compare bytes (same: a lost answer of ours).
            Unavailable: it may or may not have been stored; read by name before trying again.
            Forbidden: our account may not, or the object was refused.
        """

    async def read(self, name: str) -> bytes:
        """Read one object's body from a quorum.

        Raises:
            NotFound: no such object.
            Unavailable: no answer.
        """


class LaneStore(CommitStore, Protocol):
    """Create-only storage of lane commits, as guards see it."""

    async def commits(self) -> Sequence[StoredCommit]:
        """Every stored commit, consistent at one instant, sorted by name.

        Raises:
            Unavailable: no answer.
        """

    async def commits_of(self, lane: str) -> Sequence[StoredCommit]:
        """Every stored commit of one lane, consistent at one instant, sorted by name.

        Raises:
            Unavailable: no answer.
        """


class LogStore(CommitStore, Protocol):
    """What the cluster holds of the ledger, as the notary sees it: lanes, and cuts with their checkpoints."""

    async def commits(self) -> Sequence[StoredCommit]:
        """Every stored commit of every lane, sorted by name; what was stored a moment ago may be missing.

        Raises:
            Unavailable: no answer.
        """

    async def checkpoints(self) -> Sequence[StoredCommit]:
        """Every stored checkpoint, consistent at one instant, sorted by name.

        Raises:
            Unavailable: no answer.
        """

    async def remove(self, stored: StoredCommit) -> None:
        """Remove this very object; one that is gone, or another one of its name, is no error.

        Raises:
            Unavailable: no answer.
            Forbidden: our account may not.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedObject:
    """One version of an object as an object store holds it, or a delete marker.

    Attributes:
        key: within the store.
        version: opaque; empty where the store has none.
        size: in bytes.
        sha256: of the bytes, hex; empty where it was not asked for.
        mode: ``COMPLIANCE``, ``GOVERNANCE``, or empty where it is not locked or was not asked for.
        retain_until: until when it is locked.
        modified: when it was stored, by the store's clock.
        latest: whether a read by key alone gets it.
        deleted: whether it is a delete marker, which hides what is before it.
    """

    key: str
    version: str
    size: int
    sha256: str
    mode: str
    retain_until: datetime | None
    modified: datetime
    latest: bool
    deleted: bool


class ObjectStore(Protocol):
    """Create-only storage of objects under a lock.

    Every method raises `Unavailable` where there is no answer or one that says try again (the effect is unknown), and
    `Forbidden` where the store refuses.
    """

    @property
    def name(self) -> str:
        """What to call it, as ``s3://bucket/prefix``."""

    async def put(self, key: str, body: bytes, *, retain_until: datetime) -> str:
        """Store an object that nobody can change or remove until then; returns its version.

        Raises:
            NameTaken: an object of that key exists; read it and compare bytes (same: a lost answer of ours).
        """

    async def head(self, key: str, *, version: str = "") -> LockedObject:
        """What is known of an object, the newest version if none is named.

        Raises:
            NotFound: there is none.
        """

    async def get(self, key: str, *, version: str = "", limit: int) -> bytes:
        """Read an object.

        Raises:
            NotFound: there is none.
            BadInput: it has more than `limit` bytes.
        """

    def versions(self, prefix: str) -> AsyncIterator[LockedObject]:
        """Every version and delete marker of every object whose key begins so, by key; without digests and locks."""

    async def now(self) -> datetime:
        """The store's clock."""


class Pending(Protocol):
    """A record that has its place in the lane but is perhaps not yet durable."""

    @property
    def record_id(self) -> str:
        """The record's name, known at once."""

    async def stored(self, *, seconds: float) -> Receipt:
        """Wait until it is durable.

        Raises:
            SinkFault: not known to be durable within `seconds`; it may still become so.
        """


class RecordSink(Protocol):
    """Where decisions are recorded."""

    def append(self, body: JsonObject, *, linger: bool = False) -> Pending:
        """Give the record its id, sequence, previous leaf and signature now; commit in the background.

        Args:
            body: what `core.audit.record.body` made; without id, lane, sequence and previous leaf.
            linger: nobody waits for this record: it may be kept for up to half a second to share a commit with others.

        Raises:
            SinkFault: the sink accepts nothing (stopped, forked, or its bound is reached); the record has no place.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What somebody wants to do with a resource, as RBAC knows it.

    Attributes:
        namespace: where; empty for everywhere.
        name: of one object; empty for any.
    """

    verb: str
    group: str
    version: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""


class AccessReviewer(Protocol):
    """The cluster's authorisation."""

    async def allows(self, user: User, access: Access) -> bool:
        """Whether a user may; the answer may be some seconds old.

        Raises:
            ClusterError: nobody knows.
        """


class NotaryClient(Protocol):
    """The controller's certification of lanes, as a guard sees it."""

    async def certify(self, *, lane: str, public_key: bytes) -> JsonObject:
        """Ask for a certificate of this lane key (raw Ed25519, 32 bytes); returns a DSSE envelope.

        Raises:
            Unavailable: no controller answered; go on uncertified and try again.
            Forbidden: the controller refused.
        """
