"""Records as a guard makes them, for measurements: a denied deletion, each of another object."""

import hashlib
from datetime import datetime
from typing import Any

import orjson

from interlock.core.audit import record
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
from interlock.ledger.chain import Chain

CLUSTER = "0b8e1f4a-6d0c-4c6e-9a51-3f2b7c1d9e00"
WRITER = record.Writer(version="bench", cluster=CLUSTER, namespace="bench", pod="bench", pod_uid="bench")
ENGINE = record.Engine(version="bench", snapshot_generation=4711, snapshot_age_millis=120)

FINDING = Finding(
    action="delete-namespace",
    family="destruction",
    severity=Severity.CRITICAL,
    evidence="deletes a namespace and everything in it",
    reach=Reach.of("shop"),
)
OUTCOME = PolicyOutcome(
    policy="protect-production",
    uid="11111111-0000-4000-8000-000000000001",
    generation=3,
    digest="ab" * 32,
    mode=Mode.ENFORCE,
    severity=Severity.CRITICAL,
    finding=FINDING.action,
    yields=Verdict.DENY,
)
DENIAL = Decision(
    verdict=Verdict.DENY,
    severity=Severity.CRITICAL,
    findings=(FINDING,),
    outcomes=(OUTCOME,),
    recorded=True,
    durability=Durability.BLOCKING_STRICT,
)


def denial(name: str, now: datetime) -> JsonObject:
    """The body of the record of a denied deletion of a namespace of this name."""
    asked = Request(
        uid=hashlib.sha256(name.encode()).hexdigest()[:36],
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
    return record.body(asked, DENIAL, caller=CallerProof.PATH, cluster=CLUSTER, engine=ENGINE, now=now, digest=_digest)


def opening(chain: Chain, certificate: JsonObject, now: datetime) -> JsonObject:
    """The body of a lane's first record."""
    return record.lane_open(WRITER, now=now, public_key=chain.public_key_text, certificate=certificate, after="")


def public_key_of(payload: bytes) -> str:
    """The key that a LaneOpen names, base64."""
    found: dict[str, Any] = orjson.loads(payload)
    return str(found["publicKey"])


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, key=b"bench", digest_size=32).hexdigest()
