"""Family `destruction`, of what other things come back by, or go by: backups, owners in Git, infrastructure, traces."""

from collections.abc import Iterator

from interlock.core import text, unstructured
from interlock.core.catalogue import target
from interlock.core.catalogue.entry import Entry, RoleBook, Seen
from interlock.core.catalogue.needs import DELETE, changes, creates, deletes
from interlock.core.catalogue.when import MANAGED_MARKS, When, marks
from interlock.core.systems import identity_of
from interlock.core.types import Operation, Reach, Request, Severity

FAMILY = "destruction"
HELM_RELEASE = "helm.sh/release.v1"
CASCADES = "resources-finalizer.argocd.argoproj.io"
HELM = "Helm"


def _backup(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if request.operation is Operation.CREATE:
        name = text.printable(unstructured.text(request.object, "spec", "backupName")) or "a backup"
        yield Seen(f"have backup {name} deleted by {target.titled(request)}", target.reach(request))
    else:
        yield Seen(f"delete {target.titled(request)}, by which things come back", target.reach(request))


def _application(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if request.resource == "secrets":
        if unstructured.text(request.old_object, "type") == HELM_RELEASE:
            yield Seen(f"delete {target.titled(request)}, by which Helm knows a release", target.reach(request))
        return
    cascades = request.group != "argoproj.io" or _finalized(request)
    what = "and what it manages" if cascades else "and leave what it manages to nobody"
    yield Seen(f"delete {target.titled(request)} {what}", target.reach(request), None if cascades else Severity.MEDIUM)


def _finalized(request: Request) -> bool:
    finalizers = unstructured.texts(request.old_object, "metadata", "finalizers")
    return request.resource == "applicationsets" or any(each.startswith(CASCADES) for each in finalizers)


def _infrastructure(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    # Whatever has no namespace here speaks of nodes of this very cluster.
    reach = target.reach(request) if request.namespace else Reach.everywhere()
    yield Seen(f"delete {target.titled(request)}, and with it machines that pods run on", reach)


def _events(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    yield Seen(f"delete {target.titled(request)}, a trace of what happened", target.reach(request))


def _managed(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    tools = {MANAGED_MARKS[mark] for mark in marks(request.old_object, MANAGED_MARKS)}
    if identity_of(request.user) is not None or (tools == {HELM} and _by_helm(request)) or request.subresource:
        return
    what = "delete" if request.operation is DELETE else "change"
    yield Seen(
        f"{what} {target.titled(request)} by hand, which {' and '.join(sorted(tools))} manages", target.reach(request)
    )


def _by_helm(request: Request) -> bool:
    """Helm says so in its updates; in a deletion nobody says by what program it comes."""
    manager = unstructured.text(request.options, "fieldManager")
    return request.operation is DELETE or manager.lower().startswith("helm")


RECOVERY = (
    Entry(
        id="delete-backup",
        family=FAMILY,
        title="Delete backups, snapshots, their schedules or locations",
        severity=Severity.CRITICAL,
        rules=(
            deletes(
                "snapshot.storage.k8s.io",
                "volumesnapshots",
                "volumesnapshotcontents",
                "volumesnapshotclasses",
            ),
            deletes("groupsnapshot.storage.k8s.io", "volumegroupsnapshots", "volumegroupsnapshotcontents"),
            deletes("velero.io", "backups", "schedules", "backupstoragelocations", "volumesnapshotlocations"),
            creates("velero.io", "deletebackuprequests"),
            deletes("postgresql.cnpg.io", "backups", "scheduledbackups"),
            deletes("longhorn.io", "backups", "backupvolumes", "snapshots", "recurringjobs"),
            deletes("k8up.io", "schedules", "backups", "snapshots"),
        ),
        misses="Deletion in the store itself; retention that is shortened there.",
        example="velero backup delete nightly",
        references=("T1490",),
        detect=_backup,
    ),
    Entry(
        id="delete-application",
        family=FAMILY,
        title="Delete what deploys others: Argo CD Application, Flux Kustomization or HelmRelease, a Helm release",
        severity=Severity.HIGH,
        raised="Medium for an Application that does not cascade.",
        rules=(
            deletes("argoproj.io", "applications", "applicationsets"),
            deletes("kustomize.toolkit.fluxcd.io", "kustomizations"),
            deletes("helm.toolkit.fluxcd.io", "helmreleases"),
            deletes("", "secrets"),
        ),
        misses="What the controller deletes afterwards under its own name.",
        example="kubectl delete application shop -n argocd",
        references=("T1485",),
        detect=_application,
    ),
    Entry(
        id="delete-infrastructure",
        family=FAMILY,
        title="Delete clusters, machines and node pools (Cluster API, Karpenter, Hive, OpenShift, Crossplane)",
        severity=Severity.CRITICAL,
        rules=(
            deletes(
                "cluster.x-k8s.io",
                "clusters",
                "clusterclasses",
                "machines",
                "machinesets",
                "machinedeployments",
                "machinepools",
            ),
            deletes("controlplane.cluster.x-k8s.io", "*"),
            deletes("infrastructure.cluster.x-k8s.io", "*"),
            deletes("machine.openshift.io", "machines", "machinesets"),
            deletes("karpenter.sh", "nodepools", "nodeclaims"),
            deletes("hive.openshift.io", "clusterdeployments", "clusterpools"),
            deletes("apiextensions.crossplane.io", "compositeresourcedefinitions", "compositions"),
            deletes("pkg.crossplane.io", "providers", "configurations"),
        ),
        misses="Composite resources of Crossplane, whose API groups are everybody's own; what the cloud deletes.",
        example="kubectl delete nodepool default",
        references=("T1485",),
        detect=_infrastructure,
    ),
    Entry(
        id="delete-events",
        family=FAMILY,
        title="Delete Events",
        severity=Severity.HIGH,
        rules=(deletes("", "events"), deletes("events.k8s.io", "events")),
        misses="Events that end by themselves, after an hour as a rule.",
        example="kubectl delete events --all -n prod-shop",
        references=("T1070",),
        detect=_events,
    ),
    Entry(
        id="change-managed-object",
        family=FAMILY,
        title="Change or delete by hand what Argo CD, Flux or Helm manages",
        severity=Severity.MEDIUM,
        rules=(changes("*", "*", when=When.MANAGED),),
        misses="Objects that do not say who manages them; ServiceAccounts, of which any may be the tool; a deletion of "
        "what Helm alone manages, which looks like Helm's own.",
        example="kubectl edit deployment web -n prod-shop",
        references=("T1565.001",),
        detect=_managed,
    ),
)
