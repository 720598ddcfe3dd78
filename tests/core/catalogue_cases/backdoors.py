"""Family `destruction`, by other doors."""

from dataclasses import replace
from typing import Any

from interlock.core.types import JsonObject, Request, User
from tests.core.catalogue_cases.case import Case, delete
from tests.support.identities import controller
from tests.support.policies import request

OPERATOR = User(name="system:serviceaccount:operators:widgets", groups=("system:serviceaccounts",))


def change(resource: str, old: JsonObject, new: JsonObject, *, kind: str, name: str = "web", **more: Any) -> Request:
    """An UPDATE."""
    return replace(request("UPDATE", resource, name=name, old=old, new=new, **more), kind=kind)


def spec(**fields: Any) -> JsonObject:
    """An object of which only the spec matters."""
    return {"spec": fields}


def owned_by(kind: str, **fields: Any) -> JsonObject:
    """An object that another one controls."""
    return {"metadata": {"ownerReferences": [{"kind": kind, "name": "o", "uid": "u", "controller": True}]}} | fields


def held(*finalizers: str, going: bool = False) -> JsonObject:
    """An object with finalizers, maybe being deleted."""
    since = {"deletionTimestamp": "2026-11-25T02:00:00Z"} if going else {}
    return {"metadata": {"finalizers": list(finalizers), **since}}


def taint(key: str, effect: str) -> JsonObject:
    """A taint of a node."""
    return {"key": key, "effect": effect}


RUNNING = {"spec": {"nodeName": "n1"}, "status": {"phase": "Running"}}
FORCED = {"gracePeriodSeconds": 0}
CLAIMS = "persistentVolumeClaimRetentionPolicy"


def pod(old: JsonObject, **options: Any) -> Request:
    """The deletion of a pod."""
    return replace(delete("pods", "db-0", old, kind="Pod"), options=options)


BACKDOORS: dict[str, Case] = {
    "a Deployment, by an update of itself": (
        "scale-to-zero",
        change("deployments", spec(replicas=3), spec(replicas=0), group="apps", kind="Deployment"),
        ["High, reaches shop: scale Deployment web in shop from 3 replicas to none"],
    ),
    "a Deployment, by its scale, which says nothing for zero": (
        "scale-to-zero",
        change("deployments/scale", spec(replicas=1), {"spec": {}}, group="apps", kind="Scale"),
        ["High, reaches shop: scale deployments web in shop from 1 replica to none"],
    ),
    "the scale of any kind": (
        "scale-to-zero",
        change("widgets/scale", spec(replicas=2), spec(replicas=0), group="example.org", kind="Scale"),
        ["High, reaches shop: scale widgets web in shop from 2 replicas to none"],
    ),
    "a Job that runs no pods any more": (
        "scale-to-zero",
        change("jobs", spec(parallelism=4), spec(parallelism=0), group="batch", kind="Job"),
        ["High, reaches shop: scale Job web in shop from 4 replicas to none"],
    ),
    "a CronJob that is suspended": (
        "scale-to-zero",
        change("cronjobs", spec(suspend=False), spec(suspend=True), group="batch", kind="CronJob"),
        ["Medium, reaches shop: suspend CronJob web in shop"],
    ),
    "not a scale to one": (
        "scale-to-zero",
        change("deployments/scale", spec(replicas=3), spec(replicas=1), group="apps", kind="Scale"),
        [],
    ),
    "not zero that was zero": (
        "scale-to-zero",
        change("deployments/scale", {"spec": {}}, {"spec": {}}, group="apps", kind="Scale"),
        [],
    ),
    "not an old ReplicaSet of a Deployment in a rollout": (
        "scale-to-zero",
        change(
            "replicasets",
            owned_by("Deployment", **spec(replicas=2)),
            owned_by("Deployment", **spec(replicas=0)),
            group="apps",
            kind="ReplicaSet",
        ),
        [],
    ),
    "not a workload that never had a number": (
        "scale-to-zero",
        change("deployments", spec(), spec(), group="apps", kind="Deployment"),
        [],
    ),
    "an eviction": (
        "evict-pod",
        request("CREATE", "pods/eviction", new={"deleteOptions": {}}),
        ["Medium, reaches shop: evict pod web-0 in shop"],
    ),
    "an eviction without grace": (
        "evict-pod",
        request("CREATE", "pods/eviction", new={"deleteOptions": FORCED}),
        ["High, reaches shop: evict pod web-0 in shop, without time to end"],
    ),
    "not a deletion of a pod": ("evict-pod", delete("pods", "web-0"), []),
    "a replica of a StatefulSet": (
        "delete-pod",
        pod(owned_by("StatefulSet", **RUNNING)),
        ["Medium, reaches shop: delete Pod db-0 in shop, a replica of a StatefulSet"],
    ),
    "a pod that nobody owns": (
        "delete-pod",
        pod(RUNNING),
        ["Medium, reaches shop: delete Pod db-0 in shop, which nothing starts again"],
    ),
    "not the StatefulSet's own controller": (
        "delete-pod",
        replace(pod(owned_by("StatefulSet", **RUNNING)), user=controller("statefulset-controller")),
        [],
    ),
    "not a pod of a ReplicaSet": ("delete-pod", pod(owned_by("ReplicaSet", **RUNNING)), []),
    "not a pod that has ended": ("delete-pod", pod({"status": {"phase": "Succeeded"}}), []),
    "a pod by force": (
        "force-delete-pod",
        pod(owned_by("ReplicaSet", **RUNNING), **FORCED),
        ["High, reaches shop: delete Pod db-0 in shop by force, without waiting for its node"],
    ),
    "a replica by force, of which there may be two then": (
        "force-delete-pod",
        pod(owned_by("StatefulSet", **RUNNING), **FORCED),
        [
            (
                "Critical, reaches shop: delete Pod db-0 in shop by force, without waiting for its node; a second "
                "replica may start meanwhile"
            )
        ],
    ),
    "not a pod that is given its time": ("force-delete-pod", pod(RUNNING, gracePeriodSeconds=30), []),
    "not a pod that no node runs": ("force-delete-pod", pod({"status": {"phase": "Pending"}}, **FORCED), []),
    "a taint that drives pods away": (
        "drain-node",
        change(
            "nodes",
            spec(taints=[taint("a", "NoSchedule")]),
            spec(taints=[taint("a", "NoSchedule"), taint("gone", "NoExecute")]),
            kind="Node",
            name="n1",
            namespace="",
        ),
        ["High, reaches all: drive pods away from Node n1 by taint gone"],
    ),
    "a cordon": (
        "drain-node",
        change("nodes", spec(), spec(unschedulable=True), kind="Node", name="n1", namespace=""),
        ["Medium, reaches all: cordon Node n1: no new pods"],
    ),
    "not a taint for pods to come": (
        "drain-node",
        change("nodes", spec(), spec(taints=[taint("a", "NoSchedule")]), kind="Node", name="n1", namespace=""),
        [],
    ),
    "not the controller of nodes": (
        "drain-node",
        change(
            "nodes",
            spec(),
            spec(taints=[taint("node.kubernetes.io/unreachable", "NoExecute")]),
            kind="Node",
            namespace="",
            user=controller("node-controller"),
        ),
        [],
    ),
    "not an uncordon": (
        "drain-node",
        change("nodes", spec(unschedulable=True), spec(), kind="Node", name="n1", namespace=""),
        [],
    ),
    "a reclaim policy": (
        "arm-deletion",
        change(
            "persistentvolumes",
            {"spec": {"persistentVolumeReclaimPolicy": "Retain", "claimRef": {"namespace": "shop", "name": "data"}}},
            {"spec": {"persistentVolumeReclaimPolicy": "Delete", "claimRef": {"namespace": "shop", "name": "data"}}},
            kind="PersistentVolume",
            name="pv-1",
            namespace="",
        ),
        ["High, reaches shop: let PersistentVolume pv-1 delete the storage behind it once its claim is gone"],
    ),
    "claims of a StatefulSet, both ways": (
        "arm-deletion",
        change(
            "statefulsets",
            {"spec": {CLAIMS: {"whenDeleted": "Retain", "whenScaled": "Retain"}}},
            {"spec": {CLAIMS: {"whenDeleted": "Delete", "whenScaled": "Delete"}}},
            group="apps",
            kind="StatefulSet",
            name="db",
        ),
        [
            "High, reaches shop: let StatefulSet db in shop delete its claims when it is deleted",
            "High, reaches shop: let StatefulSet db in shop delete claims of replicas that are scaled away",
        ],
    ),
    "claims of a StatefulSet that said nothing about them": (
        "arm-deletion",
        change(
            "statefulsets",
            {"spec": {}},
            {"spec": {CLAIMS: {"whenScaled": "Delete"}}},
            group="apps",
            kind="StatefulSet",
            name="db",
        ),
        ["High, reaches shop: let StatefulSet db in shop delete claims of replicas that are scaled away"],
    ),
    "the snapshot behind an object": (
        "arm-deletion",
        change(
            "volumesnapshotcontents",
            spec(deletionPolicy="Retain"),
            spec(deletionPolicy="Delete"),
            group="snapshot.storage.k8s.io",
            kind="VolumeSnapshotContent",
            name="s",
            namespace="",
        ),
        ["High, reaches none: let VolumeSnapshotContent s delete the snapshot behind it when it is deleted"],
    ),
    "not a reclaim policy that becomes safer": (
        "arm-deletion",
        change(
            "persistentvolumes",
            spec(persistentVolumeReclaimPolicy="Delete"),
            spec(persistentVolumeReclaimPolicy="Retain"),
            kind="PersistentVolume",
            namespace="",
        ),
        [],
    ),
    "a Secret without its keys": (
        "empty-data",
        change("secrets", {"data": {"user": "YQ==", "password": "Yg=="}}, {"data": None}, kind="Secret", name="db"),
        ["High, reaches shop: empty Secret db in shop of 2 keys"],
    ),
    "a ConfigMap without its keys": (
        "empty-data",
        change("configmaps", {"binaryData": {"a": "YQ=="}}, {}, kind="ConfigMap", name="settings"),
        ["Medium, reaches shop: empty ConfigMap settings in shop of 1 key"],
    ),
    "not a key that goes": (
        "empty-data",
        change("secrets", {"data": {"a": "YQ==", "b": "Yg=="}}, {"data": {"a": "YQ=="}}, kind="Secret"),
        [],
    ),
    "the last finalizer of an object of any kind": (
        "remove-finalizer",
        change("widgets", held("example.org/hold", going=True), {}, group="example.org", kind="Widget", name="w"),
        ["High, reaches shop: take finalizer example.org/hold off Widget w in shop, so that it is gone at once"],
    ),
    "protection of a claim, by a status write": (
        "remove-finalizer",
        change(
            "persistentvolumeclaims/status",
            held("kubernetes.io/pvc-protection"),
            held(),
            kind="PersistentVolumeClaim",
            name="data",
            user=OPERATOR,
        ),
        ["High, reaches shop: take finalizer kubernetes.io/pvc-protection off PersistentVolumeClaim data in shop"],
    ),
    "an operator's own finalizer, of what is not going": (
        "remove-finalizer",
        change("widgets", held("example.org/w"), held(), group="example.org", kind="Widget", user=OPERATOR),
        ["High, reaches shop: take finalizer example.org/w off Widget web in shop"],
    ),
    "not an operator that ends what is going": (
        "remove-finalizer",
        change("widgets", held("example.org/w", going=True), held(), group="example.org", kind="Widget", user=OPERATOR),
        [],
    ),
    "not the controller of the protection": (
        "remove-finalizer",
        change(
            "persistentvolumeclaims",
            held("kubernetes.io/pvc-protection", going=True),
            held(going=True),
            kind="PersistentVolumeClaim",
            user=controller("pvc-protection-controller"),
        ),
        [],
    ),
    "not a finalizer that comes": ("remove-finalizer", change("pods", held("a"), held("a", "b"), kind="Pod"), []),
    "a namespace with things in it": (
        "finalize-namespace",
        change(
            "namespaces/finalize",
            spec(finalizers=["kubernetes"]),
            {"spec": {}},
            kind="Namespace",
            name="shop",
            namespace="shop",
        ),
        ["High, reaches shop: finalize Namespace shop: what is still in it stays behind, out of reach"],
    ),
    "not the namespace controller, when it is empty": (
        "finalize-namespace",
        change(
            "namespaces/finalize",
            held(going=True) | spec(finalizers=["kubernetes"]),
            {"spec": {}},
            kind="Namespace",
            name="shop",
            namespace="shop",
            user=controller("namespace-controller"),
        ),
        [],
    ),
    "not a write that leaves the finalizer": (
        "finalize-namespace",
        change(
            "namespaces/finalize",
            spec(finalizers=["kubernetes"]),
            spec(finalizers=["kubernetes"]),
            kind="Namespace",
            name="shop",
            namespace="shop",
        ),
        [],
    ),
    "an owner without what it owns": (
        "orphan-dependents",
        replace(delete("deployments", "web", group="apps", kind="Deployment"), options={"propagationPolicy": "Orphan"}),
        ["Medium, reaches shop: delete Deployment web in shop and leave what it owns without an owner"],
    ),
    "an owner without what it owns, the old way": (
        "orphan-dependents",
        replace(delete("jobs", "j", group="batch", kind="Job"), options={"orphanDependents": True}),
        ["Medium, reaches shop: delete Job j in shop and leave what it owns without an owner"],
    ),
    "not a deletion in the foreground": (
        "orphan-dependents",
        replace(delete("deployments", "web", group="apps"), options={"propagationPolicy": "Foreground"}),
        [],
    ),
}
