"""Family `destruction`: backups, owners in Git, infrastructure, traces."""

from dataclasses import replace

from interlock.core.types import JsonObject
from tests.core.catalogue_cases.backdoors import OPERATOR, change
from tests.core.catalogue_cases.case import Case, delete
from tests.support.policies import request

CASCADING = {"metadata": {"finalizers": ["resources-finalizer.argocd.argoproj.io/background"]}}


def marked(place: str, mark: str, **fields: object) -> JsonObject:
    """An object that a tool has marked."""
    return {"metadata": {place: {mark: "shop"}}} | fields


HELM = marked("annotations", "meta.helm.sh/release-name")
FLUX = marked("labels", "kustomize.toolkit.fluxcd.io/name")

RECOVERY: dict[str, Case] = {
    "a snapshot": (
        "delete-backup",
        delete("volumesnapshots", "nightly", group="snapshot.storage.k8s.io", kind="VolumeSnapshot"),
        ["Critical, reaches shop: delete VolumeSnapshot nightly in shop, by which things come back"],
    ),
    "a schedule of backups": (
        "delete-backup",
        delete("schedules", "nightly", group="velero.io", kind="Schedule", namespace="velero"),
        ["Critical, reaches velero: delete Schedule nightly in velero, by which things come back"],
    ),
    "a request to delete a backup": (
        "delete-backup",
        replace(
            request(
                "CREATE", "deletebackuprequests", group="velero.io", name="r", new={"spec": {"backupName": "nightly"}}
            ),
            kind="DeleteBackupRequest",
        ),
        ["Critical, reaches shop: have backup nightly deleted by DeleteBackupRequest r in shop"],
    ),
    "not a restore": ("delete-backup", delete("restores", "r", group="velero.io"), []),
    "an Application that cascades": (
        "delete-application",
        delete("applications", "shop", CASCADING, group="argoproj.io", kind="Application", namespace="argocd"),
        ["High, reaches argocd: delete Application shop in argocd and what it manages"],
    ),
    "an Application that does not": (
        "delete-application",
        delete("applications", "shop", group="argoproj.io", kind="Application", namespace="argocd"),
        ["Medium, reaches argocd: delete Application shop in argocd and leave what it manages to nobody"],
    ),
    "a Kustomization": (
        "delete-application",
        delete("kustomizations", "shop", group="kustomize.toolkit.fluxcd.io", kind="Kustomization"),
        ["High, reaches shop: delete Kustomization shop in shop and what it manages"],
    ),
    "a release of Helm": (
        "delete-application",
        delete("secrets", "sh.helm.release.v1.shop.v3", {"type": "helm.sh/release.v1"}, kind="Secret"),
        ["High, reaches shop: delete Secret sh.helm.release.v1.shop.v3 in shop, by which Helm knows a release"],
    ),
    "not another Secret": ("delete-application", delete("secrets", "db", {"type": "Opaque"}), []),
    "a node pool": (
        "delete-infrastructure",
        delete("nodepools", "default", group="karpenter.sh", kind="NodePool", namespace=""),
        ["Critical, reaches all: delete NodePool default, and with it machines that pods run on"],
    ),
    "a cluster": (
        "delete-infrastructure",
        delete("clusters", "prod", group="cluster.x-k8s.io", kind="Cluster", namespace="fleet"),
        ["Critical, reaches fleet: delete Cluster prod in fleet, and with it machines that pods run on"],
    ),
    "not a cluster of a database": (
        "delete-infrastructure",
        delete("clusters", "db", group="postgresql.cnpg.io", kind="Cluster"),
        [],
    ),
    "an Event": (
        "delete-events",
        delete("events", "web-0.17", kind="Event"),
        ["High, reaches shop: delete Event web-0.17 in shop, a trace of what happened"],
    ),
    "not a new Event": ("delete-events", request("CREATE", "events"), []),
    "an edit of what Flux applies": (
        "change-managed-object",
        change("deployments", FLUX, FLUX, group="apps", kind="Deployment"),
        ["Medium, reaches shop: change Deployment web in shop by hand, which Flux manages"],
    ),
    "a deletion of what Argo CD applies": (
        "change-managed-object",
        delete("widgets", "w", marked("annotations", "argocd.argoproj.io/tracking-id"), kind="Widget"),
        ["Medium, reaches shop: delete Widget w in shop by hand, which Argo CD manages"],
    ),
    "an edit of what Helm installed": (
        "change-managed-object",
        replace(
            change("deployments", HELM, HELM, group="apps", kind="Deployment"), options={"fieldManager": "kubectl-edit"}
        ),
        ["Medium, reaches shop: change Deployment web in shop by hand, which Helm manages"],
    ),
    "not Helm's own upgrade": (
        "change-managed-object",
        replace(change("deployments", HELM, HELM, group="apps", kind="Deployment"), options={"fieldManager": "helm"}),
        [],
    ),
    "not the tool itself": (
        "change-managed-object",
        change("deployments", FLUX, FLUX, group="apps", kind="Deployment", user=OPERATOR),
        [],
    ),
    "not what nobody manages": ("change-managed-object", change("deployments", {}, {}, group="apps", kind="D"), []),
}
