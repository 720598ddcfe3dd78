"""A cluster whose ledger is shipped to a real S3 server; both can be killed and come back."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from devtools import objectstore
from devtools.cluster.install import CHART, NAMESPACE, RELEASE
from devtools.objectstore import Running
from interlock.core.audit import dsse, record, segment
from interlock.core.audit.leaf import leaf_hash
from tests.support.clusters import OwnCluster, own_cluster
from tests.support.kubectl import Outcome

ROLLOUT = "--timeout=90s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A record in the log outside."""

    lane: str
    sequence: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipping:
    """Where everything is.

    Attributes:
        cluster: with Interlock in it.
        store: the S3 server.
        address: of the log, as Interlock takes it.
        key: file with the notary's public key.
        scratch: for copies.
    """

    cluster: OwnCluster
    store: Running
    address: str
    key: Path
    scratch: Path

    def interlock(self, *arguments: str) -> Outcome:
        """Run a command as somebody who may read the bucket."""
        done = subprocess.run(
            ["interlock", *arguments],
            env=self.cluster.made.environment | self.store.server.environment,
            check=False,
            text=True,
            capture_output=True,
            timeout=120,
        )
        return Outcome(code=done.returncode, out=done.stdout, err=done.stderr)

    def verify(self, *more: str) -> Outcome:
        """`interlock verify` of the log, which remembers nothing."""
        return self.interlock("verify", self.address, "--key", str(self.key), "--forget", *more)

    def upgrade(self, *settings: str) -> None:
        """`helm upgrade` with the store and these settings, until all pods are ready."""
        given = ("store.credentialsSecret=audit-bucket", "store.retentionDays=1", f"store.address={self.address}")
        options = [option for setting in (*given, *settings) for option in ("--set", setting)]
        values = str(self.cluster.values)
        self.cluster.must("helm", "upgrade", RELEASE, str(CHART), "-n", NAMESPACE, "--values", values, *options)
        self.cluster.must("kubectl", "rollout", "status", "deployment/interlock-controller", "-n", NAMESPACE, ROLLOUT)

    def public_key(self) -> str:
        """The notary's public key as the cluster publishes it now."""
        return public_key(self.cluster)

    def leaves(self, name: str) -> set[Leaf]:
        """Every record of the log, from a copy of that name."""
        copy = self.scratch / name
        assert (done := self.interlock("ledger", "copy", self.address, f"file://{copy}")).ok, done.err
        return {leaf for path in copy.glob("log/*/*") for leaf in _leaves(path.read_bytes())}


def _leaves(body: bytes) -> Iterator[Leaf]:
    for envelope in segment.unpack(body).records:
        head = record.head(dsse.parse(envelope).payload)
        yield Leaf(lane=head.lane, sequence=head.sequence, hash=leaf_hash(envelope))


def public_key(cluster: OwnCluster) -> str:
    """The notary's public key as a cluster publishes it."""
    return str(cluster.kubectl.get("configmap", "interlock-notary", "-n", NAMESPACE)["data"]["notary.pub"])


@contextmanager
def shipping(name: str, scratch: Path) -> Iterator[Shipping]:
    """A cluster of the test's own that ships its ledger; nothing of it is left."""
    with own_cluster(name) as cluster:
        host = urlsplit(cluster.made.etcd or "").hostname or ""
        with objectstore.started(scratch / "minio", host=host) as store:
            address = store.server.make_bucket("audit")
            credentials = scratch / "credentials"
            credentials.write_text(store.server.credentials)
            made = ("create", "secret", "generic", "audit-bucket", "-n", NAMESPACE)
            cluster.kubectl.must(*made, f"--from-file={credentials}")
            key = scratch / "notary.pub"
            key.write_text(public_key(cluster))
            yield Shipping(cluster=cluster, store=store, address=address, key=key, scratch=scratch)
