"""The chart against a real API server: every rendering accepted, and no account with a right that it does not need.

Nothing is changed: renderings are dry runs, rights are asked for.
"""

from pathlib import Path

import pytest

from tests.chart.helm import CHART, Helm
from tests.support.kubectl import Kubectl

pytestmark = pytest.mark.cluster

SYSTEM = "interlock-system"
SCENARIOS = [pytest.param(path, id=path.stem) for path in sorted(CHART.glob("ci/*-values.yaml"))]

GUARD = f"system:serviceaccount:{SYSTEM}:interlock-guard"
CONTROLLER = f"system:serviceaccount:{SYSTEM}:interlock-controller"
RECORDS = f"system:serviceaccount:{SYSTEM}:interlock-records"
WEBHOOKS = "validatingwebhookconfigurations.admissionregistration.k8s.io"
EVERYWHERE = "--all-namespaces"

GUARD_MAY = [
    "list dangerpolicies.interlock.dev",
    "watch namespaces",
    "watch clusterroles",
    f"watch roles {EVERYWHERE}",
    "watch customresourcedefinitions/dangerpolicies.interlock.dev",
    f"get deployments.apps {EVERYWHERE}",
    "create configmaps",
    "list configmaps",
    "get secrets/interlock-guard",
    "watch secrets/interlock-digest-key",
    "get services/interlock-controller",
    "create leases.coordination.k8s.io",
    "get leases.coordination.k8s.io",
    "list leases.coordination.k8s.io",
    "patch leases.coordination.k8s.io",
]
GUARD_MAY_NOT = [
    "update dangerpolicies.interlock.dev",
    "patch dangerpolicies.interlock.dev --subresource=status",
    "update configmaps",
    "patch configmaps",
    "delete configmaps",
    "get configmaps -n kube-system",
    "get secrets/interlock-notary",
    "get secrets/interlock-ca",
    "list secrets",
    "create secrets",
    "get secrets/interlock-guard -n kube-system",
    "get customresourcedefinitions/other.example.com",
    f"patch {WEBHOOKS}/interlock",
    "create pods --subresource=exec",
    f"list pods {EVERYWHERE}",
    "create serviceaccounts/interlock-controller --subresource=token",
    "create tokenreviews.authentication.k8s.io",
    "delete leases.coordination.k8s.io",
]
CONTROLLER_MAY = [
    "watch dangerpolicies.interlock.dev",
    "patch dangerpolicies.interlock.dev --subresource=status",
    f"get {WEBHOOKS}/interlock",
    f"patch {WEBHOOKS}/interlock",
    "get namespaces/kube-system",
    "create tokenreviews.authentication.k8s.io",
    "create secrets",
    "get secrets/interlock-notary",
    "update secrets/interlock-ca",
    "watch configmaps",
    "create configmaps",
    "delete configmaps",  # records that are shipped; an admission policy keeps everybody else from it
    "update configmaps/interlock-counts",
    "list leases.coordination.k8s.io",
    "update leases.coordination.k8s.io/interlock-controller",
    "create events.events.k8s.io",
]
CONTROLLER_MAY_NOT = [
    "patch dangerpolicies.interlock.dev",
    "delete dangerpolicies.interlock.dev",
    f"create {WEBHOOKS}",
    f"create {WEBHOOKS}/interlock",  # the release under test does not repair itself
    f"delete {WEBHOOKS}/interlock",
    f"patch {WEBHOOKS}/other",
    "get secrets/other",
    "list secrets",
    "delete secrets/interlock-notary",
    "update configmaps",
    "delete configmaps -n kube-system",
    "get configmaps -n kube-system",
    "get namespaces/default",
    "update leases.coordination.k8s.io/some-guard",
    "list pods",
    "create pods",
    "create pods --subresource=exec",
    "create serviceaccounts/interlock-guard --subresource=token",
]

API_SERVICES = "apiservices.apiregistration.k8s.io"
CONTROLLER_MAY += [f"{verb} {API_SERVICES}/v1alpha1.audit.interlock.dev" for verb in ("get", "patch", "delete")]
CONTROLLER_MAY_NOT += [
    f"delete {API_SERVICES}/v1.apps",
    f"list {API_SERVICES}",
    f"list endpointslices.discovery.k8s.io {EVERYWHERE}",
]
RECORDS_MAY = [
    "list configmaps",
    "watch configmaps",
    "get secrets/interlock-records",
    "create subjectaccessreviews.authorization.k8s.io",
    "watch configmaps/extension-apiserver-authentication -n kube-system",
]
RECORDS_MAY_NOT = [
    "create configmaps",
    "delete configmaps",
    "update configmaps/interlock-ledger",
    "get secrets/interlock-notary",
    "get secrets/interlock-guard",
    "list secrets",
    "get configmaps -n default",
    "list configmaps -n kube-system",
    "create tokenreviews.authentication.k8s.io",
    "list dangerpolicies.interlock.dev",
    "list auditrecords.audit.interlock.dev",
    "create serviceaccounts/interlock-guard --subresource=token",
]


@pytest.mark.parametrize("values", SCENARIOS)
def test_rendering_is_accepted_by_the_server(values: Path, kubectl: Kubectl, helm: Helm) -> None:
    """Every set of values renders objects that the API server takes as they are, without an unknown field."""
    rendered = helm.template("--values", str(values), *_same_ports(kubectl), namespace=SYSTEM)
    options = (
        "--dry-run=server",
        "--validate=strict",
        "--server-side",
        "--force-conflicts",
        "--field-manager=chart-test",
    )

    kubectl.must("apply", *options, "-f", "-", stdin=rendered)


@pytest.mark.parametrize("values", SCENARIOS)
def test_helm_would_install_it(values: Path, helm: Helm) -> None:
    """Helm's own dry run against the server goes through, as an install or as an upgrade of what is there."""
    said = helm(
        "upgrade", "--install", "interlock", str(CHART), "--namespace", SYSTEM,
        "--values", str(values), "--reset-values", "--dry-run=server",
    )  # fmt: skip

    assert "To disarm Interlock at any time" in said


def test_first_policy_of_the_notes_is_one(kubectl: Kubectl, helm: Helm) -> None:
    """What an install tells its user to apply next is accepted as it stands."""
    notes = helm("get", "notes", "interlock", "--namespace", SYSTEM)
    policy = notes.partition("<<'EOF'\n")[2].partition("\nEOF\n")[0]

    assert "kind: DangerPolicy" in policy
    kubectl.must("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=policy)


@pytest.mark.parametrize("values", SCENARIOS)
def test_rendering_twice_gives_the_same_bytes(values: Path, helm: Helm) -> None:
    """A GitOps tool sees no difference where nobody changed anything, whatever the cluster holds."""
    first, second = (
        helm.template("--values", str(values), *extra, namespace=SYSTEM) for extra in ([], ["--is-upgrade"])
    )

    assert first == second


def test_applying_again_leaves_what_the_controller_filled_in(kubectl: Kubectl, helm: Helm) -> None:
    """The chart's empty list of webhooks takes nothing from those that the controller owns."""
    rendered = helm.template("--show-only", "templates/webhookconfiguration.yaml", namespace=SYSTEM)
    options = ("--server-side", "--field-manager=helm", "--dry-run=server", "-o", "json")
    before = kubectl.get(WEBHOOKS, "interlock").get("webhooks")

    after = kubectl.must("apply", *options, "-f", "-", stdin=rendered).json().get("webhooks")

    assert before
    assert after == before


@pytest.mark.parametrize("right", GUARD_MAY)
def test_guard_may(right: str, kubectl: Kubectl) -> None:
    """A guard has the rights that it needs."""
    assert _may(kubectl, GUARD, right)


@pytest.mark.parametrize("right", GUARD_MAY_NOT)
def test_guard_may_not(right: str, kubectl: Kubectl) -> None:
    """A guard can neither change what it is judged by, nor read keys that are not its own, nor use others' accounts."""
    assert not _may(kubectl, GUARD, right)


@pytest.mark.parametrize("right", CONTROLLER_MAY)
def test_controller_may(right: str, kubectl: Kubectl) -> None:
    """A controller has the rights that it needs."""
    assert _may(kubectl, CONTROLLER, right)


@pytest.mark.parametrize("right", CONTROLLER_MAY_NOT)
def test_controller_may_not(right: str, kubectl: Kubectl) -> None:
    """A controller can neither change policies, nor intercept anything but by the one configuration, nor reach pods."""
    assert not _may(kubectl, CONTROLLER, right)


@pytest.mark.parametrize("right", RECORDS_MAY)
def test_records_may(right: str, kubectl: Kubectl) -> None:
    """Who serves AuditRecords may read the ledger, and ask who else may."""
    assert _may(kubectl, RECORDS, right)


@pytest.mark.parametrize("right", RECORDS_MAY_NOT)
def test_records_may_not(right: str, kubectl: Kubectl) -> None:
    """Who serves AuditRecords can write nothing, and read no key but that of its own certificate."""
    assert not _may(kubectl, RECORDS, right)


def _same_ports(kubectl: Kubectl) -> list[str]:
    """The release's Service ports: server-side apply merges ports by number, so that others would come on top."""
    names = ("guard", "controller", "records")
    services = {name: kubectl.get("service", f"interlock-{name}", "-n", SYSTEM) for name in names}
    return [f"--set={name}.service.port={found['spec']['ports'][0]['port']}" for name, found in services.items()]


def _may(kubectl: Kubectl, account: str, right: str) -> bool:
    """What the API server's authoriser says, in Interlock's namespace unless the right names another."""
    words = right.split()
    scope = [] if {EVERYWHERE, "-n"} & set(words) else ["--namespace", SYSTEM]
    answer = kubectl("auth", "can-i", *words, *scope, "--as", account).out.splitlines()[-1]
    assert answer.partition(" ")[0] in {"yes", "no"}
    return answer == "yes"
