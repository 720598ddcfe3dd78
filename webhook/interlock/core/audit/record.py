"""Records: what is stored for one decision, and what a lane says about itself.

A record is a JSON object of strings, booleans, integers below 2^53, lists and objects; no null, no fraction, ASCII
keys. Written with sorted keys it is its own canonical form (RFC 8785), but nobody needs that: the exact bytes are
signed and kept. The schema is documented field by field in `core.audit.recordschema` and webhook/docs/record.md.

Two halves make a record: the body says what happened, the place (id, lane, sequence, previous) says where it stands.
A body is made here; its place is given by the ledger, once, when it is appended.

A record never holds an object, an argument of a command or any other value that may be secret: those become keyed
digests, through the injected `digest`. It never says more than was seen: an allow is Interlock's verdict, later
admission may still refuse the request.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec
import orjson

from interlock.core import times, typedjson
from interlock.core.audit import dsse
from interlock.core.audit.capping import Cap, Digest
from interlock.core.audit.recordparts import about_change, about_decision, about_request
from interlock.core.types import CallerProof, Decision, JsonObject, Request
from interlock.errors import BadInput

SCHEMA = "audit.interlock.dev/record/v1"

PAYLOAD_TYPE = "application/vnd.interlock.record.v1+json"

# Base64 in the envelope makes four bytes of three; 1 KiB is for type, key name and signature.
MAX_PAYLOAD_BYTES = (dsse.MAX_ENVELOPE_BYTES - 1024) * 3 // 4

# What a body may take of that; the rest is for its place.
MAX_BODY_BYTES = MAX_PAYLOAD_BYTES - 1024

# (list entries, bytes of a text) that a body may repeat; the first pair with which it fits is used. With the last any
# body fits: at most some 40 texts outside lists, and 4 entries of at most 14 texts in each of two lists.
CAPS = ((64, 1024), (32, 256), (4, 64))


class Kind(StrEnum):
    """What a record is about."""

    DECISION = "Decision"
    POLICY_CHANGE = "PolicyChange"
    SERIES_COUNT = "SeriesCount"
    BATCH_OPEN = "BatchOpen"
    BATCH_CLOSE = "BatchClose"
    LANE_OPEN = "LaneOpen"
    LANE_CERTIFIED = "LaneCertified"
    LANE_CLOSE = "LaneClose"
    LANE_ABANDONED = "LaneAbandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What decided.

    Attributes:
        version: of Interlock.
        snapshot_generation: policy generation that the decision saw.
        snapshot_age_millis: time since that view was last known to be complete.
    """

    version: str
    snapshot_generation: int
    snapshot_age_millis: int


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of any record that a verifier reads, spelled as stored; unknown ones are left alone."""

    schema: str
    kind: str
    id: str
    lane: str
    sequence: int
    previous: str
    time: str
    publicKey: str = ""  # noqa: N815
    certificate: dict[str, object] | None = None
    after: str = ""
    namespace: str = ""
    pod: str = ""


def body(
    request: Request,
    decision: Decision,
    *,
    caller: CallerProof,
    cluster: str,
    engine: Engine,
    now: datetime,
    digest: Digest,
) -> JsonObject:
    """Make the body of a Decision record.

    Args:
        request: what was asked.
        decision: what was decided; its `recorded` is the caller's business.
        caller: how sure we are that an API server asked.
        cluster: uid of namespace kube-system.
        engine: what decided.
        now: the instant of the decision.
        digest: keyed digest for whatever may be secret; hex.

    Returns:
        A body of at most `MAX_BODY_BYTES` when written.
    """
    about = {"callerProof": caller.value, "engine": _engine(engine)}
    about |= about_itself(Kind.DECISION, cluster=cluster, now=now)
    return _fitting(lambda cap: about | about_request(request, cap) | about_decision(decision, cap), digest)


def policy_change(
    request: Request,
    *,
    caller: CallerProof,
    cluster: str,
    engine: Engine,
    now: datetime,
    digest: Digest,
) -> JsonObject:
    """Make the body of the record of a policy's creation, change or deletion.

    Args:
        request: the review of the DangerPolicy.
        caller: how sure we are that an API server asked.
        cluster: uid of namespace kube-system.
        engine: what looked at it.
        now: the instant.
        digest: keyed digest for whatever may be secret; hex.

    Returns:
        A body of at most `MAX_BODY_BYTES` when written.
    """
    about = {"callerProof": caller.value, "engine": _engine(engine)}
    about |= about_itself(Kind.POLICY_CHANGE, cluster=cluster, now=now)
    return _fitting(lambda cap: about | about_request(request, cap) | about_change(request, cap), digest)


def _fitting(write: Callable[[Cap], JsonObject], digest: Digest) -> JsonObject:
    """The body under the mildest bounds with which it fits.

    Raises:
        ValueError: not even under the last of `CAPS`.
    """
    for items, text in CAPS:
        made = write(Cap(items=items, text=text, digest=digest))
        if len(_write(made)) <= MAX_BODY_BYTES:
            return made
    raise ValueError("a body at its smallest exceeds MAX_BODY_BYTES: the last of CAPS is wrong")


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """The guard that writes a lane, in its own words; a certificate proves namespace and pod."""

    version: str
    cluster: str
    namespace: str
    pod: str
    pod_uid: str


def lane_open(
    writer: Writer, *, now: datetime, public_key: str, certificate: JsonObject | None, after: str
) -> JsonObject:
    """Make the body of a lane's first record.

    Args:
        writer: who writes the lane.
        now: when it was opened.
        public_key: base64 of the lane's raw key.
        certificate: envelope by the notary; None opens an uncertified lane.
        after: lane that this one takes over from in the same process; empty at the process's start.
    """
    made = about_itself(Kind.LANE_OPEN, cluster=writer.cluster, now=now)
    made |= {"publicKey": public_key, "namespace": writer.namespace, "pod": writer.pod, "podUID": writer.pod_uid}
    made |= {"engine": {"version": writer.version}, "after": after}
    return made if certificate is None else made | {"certificate": certificate}


def lane_certified(writer: Writer, *, now: datetime, certificate: JsonObject) -> JsonObject:
    """Make the body of the record that certifies a lane which was opened uncertified."""
    return about_itself(Kind.LANE_CERTIFIED, cluster=writer.cluster, now=now) | {"certificate": certificate}


def lane_close(writer: Writer, *, now: datetime, reason: str) -> JsonObject:
    """Make the body of a lane's last record."""
    return about_itself(Kind.LANE_CLOSE, cluster=writer.cluster, now=now) | {"reason": reason}


def lane_abandoned(*, cluster: str, now: datetime, reason: str) -> JsonObject:
    """Make the body of the record with which the notary ends a lane whose guard is gone; the notary signs it."""
    return about_itself(Kind.LANE_ABANDONED, cluster=cluster, now=now) | {"reason": reason}


def place(made: Mapping[str, object], *, record_id: str, lane: str, sequence: int, previous: str) -> bytes:
    """Give a body its place and write the payload that is signed.

    Args:
        made: a body of this module.
        record_id: UUIDv7.
        lane: name of the lane.
        sequence: 0 for the lane's first record.
        previous: leaf hash of the record before; empty for the first.

    Raises:
        ValueError: the body is too large, or holds what a record may not hold.
    """
    payload = _write({**made, "id": record_id, "lane": lane, "sequence": sequence, "previous": previous})
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"a record of {len(payload)} bytes exceeds {MAX_PAYLOAD_BYTES}")
    return payload


def head(payload: bytes) -> Head:
    """Read what places a record in its lane, types checked.

    Raises:
        BadInput: not a record of a schema that this version knows.
    """
    found = typedjson.read(payload, Head, field="record", expected=f"a record of {SCHEMA}")
    if found.schema != SCHEMA:
        raise BadInput(field="record.schema", got=found.schema[:80], expected=SCHEMA)
    return found


def decode(payload: bytes) -> JsonObject:
    """Read a whole record.

    Raises:
        BadInput: not a record of a schema that this version knows.
    """
    head(payload)
    found: JsonObject = msgspec.json.decode(payload)
    return found


def _write(record: Mapping[str, object]) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def about_itself(kind: Kind, *, cluster: str, now: datetime) -> JsonObject:
    """Write what every body begins with."""
    return {"schema": SCHEMA, "kind": kind.value, "time": times.write(now), "cluster": cluster}


def _engine(engine: Engine) -> JsonObject:
    return {
        "version": engine.version,
        "snapshotGeneration": engine.snapshot_generation,
        "snapshotAgeMillis": engine.snapshot_age_millis,
    }
