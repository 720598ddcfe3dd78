"""Stored records are changed behind everybody's back; `interlock verify` names the first bad one."""

import base64
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interlock.core.audit import commits, dsse, record, segment
from interlock.core.types import JsonObject
from tests.e2e import policies
from tests.support.etcd import Etcd
from tests.support.kubectl import Kubectl, eventually

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(
        bool(os.environ.get("INTERLOCK_TEST_KUBECONFIG")) and not os.environ.get("INTERLOCK_TEST_ETCD"),
        reason="a given cluster's etcd is out of reach",
    ),
]

SYSTEM = "interlock-system"
GUARD = ("--as", f"system:serviceaccount:{SYSTEM}:interlock-guard", "--as-group", "system:masters")
GZIP = b"\x1f\x8b\x08"  # how a commit's body begins inside the stored object


@pytest.fixture
def etcd() -> Etcd:
    """The cluster's etcd."""
    return Etcd(url=os.environ["INTERLOCK_TEST_ETCD"])


@pytest.fixture
def commit(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> JsonObject:
    """The ConfigMap that holds the record of a denial made for this test."""
    apply(policies.no_namespace_delete("e2e-tampering", namespace))
    assert not kubectl("delete", "namespace", namespace, "--wait=false").ok

    def _found() -> list[JsonObject]:
        return [item for item in _stored(kubectl) if namespace.encode() in b"\n".join(_payloads(item))]

    [found, *_] = eventually(_found, seconds=10, what="the denial's record")
    # Once it is merged; a record that is changed before ends its lane for good, and cannot be put back.
    eventually(lambda: _merged(kubectl, found), seconds=30, what="the record in a checkpoint")
    return found


def test_one_byte_changed_in_etcd(
    kubectl: Kubectl, etcd: Etcd, commit: JsonObject, notary_key: Path, namespace: str
) -> None:
    """A byte of a record changed in etcd makes verify say tampered and name the commit; put back, it is proven."""
    del namespace
    with _etcd_value(etcd, commit) as key:
        original = etcd.read(key)
        middle = original.index(GZIP) + len(_body(commit)) // 2
        etcd.write(key, original[:middle] + bytes([original[middle] ^ 1]) + original[middle + 1 :])

        report = _verify(kubectl, notary_key)

    assert (report.returncode, commit["metadata"]["name"] in report.stdout) == (1, True), report.stdout
    assert _verify(kubectl, notary_key).returncode == 0


def test_commit_signed_again_with_a_foreign_key(
    kubectl: Kubectl, etcd: Etcd, commit: JsonObject, notary_key: Path
) -> None:
    """A commit replaced by one with the same records under another key's signature makes verify say tampered."""
    key = Ed25519PrivateKey.generate()
    forged = [dsse.seal(record.PAYLOAD_TYPE, p, keyid=_lane(commit), sign=key.sign).encode() for p in _payloads(commit)]
    body = base64.b64encode(commits.pack(forged)).decode()
    metadata = {name: commit["metadata"][name] for name in ("name", "namespace", "labels")}
    document = {**commit, "metadata": metadata, "binaryData": {"r": body}}
    with _etcd_value(etcd, commit):
        kubectl.must("delete", "configmap", metadata["name"], "-n", SYSTEM, *_controller())
        kubectl.must("create", "-f", "-", *GUARD, stdin=_json(document))

        report = _verify(kubectl, notary_key)

    assert (report.returncode, metadata["name"] in report.stdout) == (1, True), report.stdout
    assert _verify(kubectl, notary_key).returncode == 0


def test_nobody_changes_records_through_the_api(kubectl: Kubectl, commit: JsonObject) -> None:
    """Deleting or changing a record is refused to everybody but the controller, system:masters included."""
    name = commit["metadata"]["name"]

    deleted = kubectl("delete", "configmap", name, "-n", SYSTEM)
    as_guard = kubectl("delete", "configmap", name, "-n", SYSTEM, *GUARD)
    relabelled = kubectl("label", "configmap", name, "-n", SYSTEM, "interlock.dev/ledger-")
    forged = kubectl("create", "configmap", "interlock-lane-00000000000000aa-0000000000", "-n", SYSTEM)

    assert [outcome.ok for outcome in (deleted, as_guard, relabelled, forged)] == [False] * 4


@contextmanager
def _etcd_value(etcd: Etcd, commit: JsonObject) -> Iterator[str]:
    """The object's key in etcd; what was stored there is put back at the end."""
    key = f"/registry/configmaps/{SYSTEM}/{commit['metadata']['name']}"
    original = etcd.read(key)
    try:
        yield key
    finally:
        etcd.write(key, original)


def _merged(kubectl: Kubectl, commit: JsonObject) -> bool:
    """Whether the newest checkpoint covers a commit."""
    lane, sequence = commits.parse_name(commit["metadata"]["name"])
    found = kubectl.get("configmaps", "-n", SYSTEM, "-l", "interlock.dev/ledger=checkpoint")["items"]
    newest = max(found, key=lambda each: str(each["metadata"]["name"]))
    lanes = orjson.loads(dsse.parse(segment.unpack(_body(newest)).cut).payload)["lanes"]
    return any(each["lane"] == lane and each["next"] > sequence for each in lanes)


def _stored(kubectl: Kubectl) -> list[JsonObject]:
    found: list[JsonObject] = kubectl.get("configmaps", "-n", SYSTEM, "-l", "interlock.dev/ledger=lane")["items"]
    return found


def _body(commit: JsonObject) -> bytes:
    return base64.b64decode(commit["binaryData"]["r"])


def _payloads(commit: JsonObject) -> list[bytes]:
    return [dsse.parse(envelope).payload for envelope in commits.unpack(_body(commit))]


def _lane(commit: JsonObject) -> str:
    return commits.parse_name(commit["metadata"]["name"])[0]


def _controller() -> tuple[str, ...]:
    return ("--as", f"system:serviceaccount:{SYSTEM}:interlock-controller", "--as-group", "system:masters")


def _verify(kubectl: Kubectl, key: Path) -> subprocess.CompletedProcess[str]:
    command = ["interlock", "verify", "--from-cluster", "--key", str(key), "--kubeconfig", kubectl.kubeconfig]
    return subprocess.run(command, check=False, text=True, capture_output=True, timeout=60)


def _json(document: JsonObject) -> str:
    return orjson.dumps(document).decode()
