"""Switching Interlock off and on, losing its namespace, uninstalling it with everything dead, and what then remains."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.e2e import policies
from tests.e2e.conftest import wait_in_force
from tests.support.clusters import OwnCluster, own_cluster
from tests.support.kubectl import Kubectl, eventually
from tests.support.processes import frozen

pytestmark = pytest.mark.cluster

MANAGER = "kube-controller-manager"
SYSTEM, WORK, POLICY = "interlock-system", "prod-off", "edge-off"
CHART = "charts/interlock"
CONFIGURATION = ("validatingwebhookconfiguration", "interlock")
SECONDS = 60.0
STAYS_SECONDS = 3.0  # a controller that repairs does so in less than one
DENIED = f"denied by {POLICY}"
PASSING = {"Event"}  # kinds that come and go by themselves
LEDGER = re.compile(r"(interlock-lane-|interlock-checkpoint-)[-0-9a-f]+")

Edge = Callable[..., None]
Objects = frozenset[tuple[str, str, str]]  # kind, namespace, name


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A cluster of the test's own with Interlock, and what was there before it."""

    cluster: OwnCluster
    before: Objects

    @property
    def kubectl(self) -> Kubectl:
        """Its administrator's kubectl."""
        return self.cluster.kubectl

    def deletes(self) -> str:
        """What comes of an attempt to delete what the policy guards."""
        attempt = self.kubectl("delete", "configmap", "guarded", "-n", WORK, "--dry-run=server")
        if attempt.ok:
            return "allowed"
        if "failed calling webhook" in attempt.err:
            return "failed closed"
        return DENIED if POLICY in attempt.err else attempt.err

    def upgrade(self, *options: str) -> None:
        """Run `helm upgrade` with the values of the installation, and wait for the pods."""
        values = ("--values", str(self.cluster.values))
        self.cluster.must("helm", "upgrade", "interlock", CHART, "-n", SYSTEM, *values, *options)
        for component in ("guard", "controller", "records"):
            self.kubectl.must("rollout", "status", f"deployment/interlock-{component}", "-n", SYSTEM, "--timeout=55s")

    def scale(self, replicas: int) -> None:
        """Give every Deployment of Interlock's so many pods, all of them ready and no others."""
        self.kubectl.must("scale", "deployments", "--all", f"--replicas={replicas}", "-n", SYSTEM)

        def _so_many() -> bool:
            pods = self.kubectl.get("pods", "-n", SYSTEM)["items"]
            found = self.kubectl.get("deployments", "-n", SYSTEM)["items"]
            return len(pods) == 3 * replicas and {each["status"].get("readyReplicas", 0) for each in found} == {
                replicas
            }

        eventually(_so_many, seconds=SECONDS, what=f"{replicas} pods of each")


@pytest.fixture(scope="module")
def installed() -> Iterator[Installed]:
    """Interlock, installed by Helm, and a policy that guards one namespace's ConfigMaps."""
    with own_cluster("off", bare=True) as cluster:
        kubectl = cluster.kubectl
        kubectl.must("create", "namespace", WORK)
        kubectl.must("create", "configmap", "guarded", "-n", WORK)
        _wait_for_defaults(kubectl)
        before = _objects(kubectl)
        cluster.install()
        kubectl.apply(policies.no_configmap_delete(POLICY, WORK))
        wait_in_force(kubectl, POLICY)
        yield Installed(cluster=cluster, before=before)


def _wait_for_defaults(kubectl: Kubectl) -> None:
    """Until Kubernetes has made what it makes in each namespace."""
    made = ("get", "serviceaccount/default", "configmap/kube-root-ca.crt", "-n")
    eventually(lambda: kubectl(*made, WORK).ok, seconds=SECONDS, what=f"defaults of {WORK}")


def _objects(kubectl: Kubectl) -> Objects:
    """Every object in the cluster, of whatever kind, but for those that come and go."""
    kinds = kubectl.must("api-resources", "--verbs=list", "-o", "name").out.split()
    found = kubectl.get(",".join(kinds), "-A")["items"]
    named = ((each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]) for each in found)
    return frozenset(each for each in named if each[0] not in PASSING)


def test_disarm_and_arm(installed: Installed, edge: Edge) -> None:
    """`interlock disarm` switches off at once, `interlock arm` on again, and Helm still knows the configuration."""
    guarded = installed.deletes()
    said = installed.cluster.must("interlock", "disarm", "--yes").out
    off = installed.deletes()
    begun = time.monotonic()
    installed.cluster.must("interlock", "arm")
    eventually(lambda: installed.deletes() == DENIED, seconds=SECONDS, what="denied again")
    armed = time.monotonic() - begun
    installed.upgrade()

    assert (guarded, off, installed.deletes()) == (DENIED, "allowed", DENIED)
    assert "stops nothing and records nothing" in said
    edge(
        scenario="disarm, arm", load="policy in force", outcome=f"off at once, denied again {armed:.1f} s after arming"
    )


def test_helm_upgrade_arms(installed: Installed, edge: Edge) -> None:
    """Deleting the configuration by kubectl disarms; the next `helm upgrade` arms."""
    installed.kubectl.must("delete", *CONFIGURATION)
    off = installed.deletes()
    installed.upgrade()
    eventually(lambda: installed.deletes() == DENIED, seconds=SECONDS, what="denied again")

    assert off == "allowed"
    edge(scenario="disarmed by kubectl", load="policy in force", outcome="off; `helm upgrade` arms again")


def test_disarm_with_everything_dead(installed: Installed, edge: Edge) -> None:
    """With no process alive the off switch works; arming asks first, since nobody would answer."""
    installed.scale(0)
    dead = installed.deletes()
    installed.cluster.must("interlock", "disarm", "--yes")
    off = installed.deletes()
    hesitating = installed.cluster.run("interlock", "arm")
    installed.scale(2)
    installed.cluster.must("interlock", "arm")
    eventually(lambda: installed.deletes() == DENIED, seconds=SECONDS, what="denied again")

    assert (dead, off) == ("failed closed", "allowed")
    assert (hesitating.ok, "is refused until one is" in hesitating.out) == (False, True), hesitating
    edge(scenario="disarm, everything dead", load="policy in force", outcome="from failed closed to allowed")


def test_self_repair(installed: Installed, edge: Edge) -> None:
    """With selfRepair a deleted configuration is back in a moment; `interlock disarm` still disarms, for good."""
    installed.upgrade("--set", "controller.selfRepair=true")
    installed.kubectl.must("delete", *CONFIGURATION)
    begun = time.monotonic()
    eventually(lambda: installed.deletes() == DENIED, seconds=SECONDS, what="repaired")
    repaired = time.monotonic() - begun

    said = installed.cluster.must("interlock", "disarm", "--yes").out
    stays = _stays_allowed(installed)
    installed.upgrade()
    eventually(lambda: installed.deletes() == DENIED, seconds=SECONDS, what="denied again")

    assert ("scaled to 0" in said, stays) == (True, True)
    edge(scenario="selfRepair", load="configuration deleted", outcome=f"repaired in {repaired:.1f} s; disarm holds")


def _stays_allowed(installed: Installed) -> bool:
    over = time.monotonic() + STAYS_SECONDS
    while installed.deletes() == "allowed":
        if time.monotonic() > over:
            return True
    return False


def test_namespace_deleted_by_force(installed: Installed, edge: Edge) -> None:
    """Interlock's namespace can be deleted; what it guarded fails closed until somebody disarms or installs again."""
    kubectl = installed.kubectl
    with frozen(installed.cluster.made.state, MANAGER):  # or the namespace waits for half of the pods' two minutes
        kubectl.must("delete", "namespace", SYSTEM, "--wait=false")
        kubectl.must("delete", "pods", "--all", "--force", "--grace-period=0", "-n", SYSTEM)
    kubectl.must("wait", "namespace", SYSTEM, "--for=delete", "--timeout=55s")
    orphaned = installed.deletes()
    installed.cluster.must("interlock", "disarm", "--yes")
    freed = installed.deletes()
    installed.cluster.install()
    wait_in_force(kubectl, POLICY, seconds=SECONDS)

    assert (orphaned, freed, installed.deletes()) == ("failed closed", "allowed", DENIED)
    edge(
        scenario="interlock-system deleted",
        load="policy in force",
        outcome="freed by disarm; installed again over the rest",
    )


def test_uninstall_with_everything_dead(installed: Installed, edge: Edge) -> None:
    """Helm needs nobody alive, ends all interception, and leaves policies, keys and records, exactly these."""
    installed.scale(0)
    installed.cluster.must("helm", "uninstall", "interlock", "-n", SYSTEM)
    freed = installed.deletes()
    remains = eventually(lambda: _settled(installed), seconds=SECONDS, what="only what is meant to remain")

    assert freed == "allowed"
    assert remains == REMAINS
    edge(
        scenario="helm uninstall, everything dead",
        load="policy in force",
        outcome="freed; policies, keys, records remain",
    )


DEFAULTS = frozenset(
    {
        ("Namespace", "", SYSTEM),
        ("ServiceAccount", SYSTEM, "default"),
        ("ConfigMap", SYSTEM, "kube-root-ca.crt"),
    }
)
REMAINS = DEFAULTS | {
    ("CustomResourceDefinition", "", "dangerpolicies.interlock.dev"),
    ("APIService", "", "v1alpha1.interlock.dev"),
    ("DangerPolicy", "", POLICY),
    ("ConfigMap", SYSTEM, "interlock-lane-…"),
    ("ConfigMap", SYSTEM, "interlock-checkpoint-…"),
    ("ConfigMap", SYSTEM, "interlock-notary"),
    ("ConfigMap", SYSTEM, "interlock-ledger"),
    ("Secret", SYSTEM, "interlock-ca"),
    ("Secret", SYSTEM, "interlock-digest-key"),
    ("Secret", SYSTEM, "interlock-guard"),
    ("Secret", SYSTEM, "interlock-notary"),
    ("Secret", SYSTEM, "interlock-prover"),
    ("Secret", SYSTEM, "interlock-records"),
    ("Lease", SYSTEM, "interlock-controller"),
}


def _added(installed: Installed) -> Objects:
    """What there is more than before Interlock was installed; records count as one."""
    added = _objects(installed.kubectl) - installed.before
    return frozenset((kind, place, LEDGER.sub(r"\1…", name)) for kind, place, name in added)


def _settled(installed: Installed) -> Objects:
    """What was added, once nothing of it is going any more: pods take their Leases along."""
    added = _added(installed)
    return added if not any(kind in {"Pod", "ReplicaSet"} for kind, _, _ in added) else frozenset()


def test_purge(installed: Installed, edge: Edge) -> None:
    """`interlock purge` names what is left and touches nothing; with --yes all of it goes, but the namespace."""
    listed = installed.cluster.must("interlock", "purge").out
    untouched = _added(installed)
    installed.cluster.must("interlock", "purge", "--yes")

    assert {name for _, _, name in REMAINS - DEFAULTS if name.partition("…")[0] not in listed} == {
        "v1alpha1.interlock.dev"
    }
    assert untouched == REMAINS
    assert _added(installed) == DEFAULTS
    assert installed.cluster.must("interlock", "purge").out == "Nothing is left of Interlock.\n"
    edge(scenario="purge", load="after uninstall", outcome="lists all, removes all but the namespace")
