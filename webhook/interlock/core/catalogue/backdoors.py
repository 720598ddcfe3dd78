"""Family `destruction`, by other doors: what has the effect of a deletion and is none, or makes a later one fatal.

Whoever is kept from deleting can scale to zero, evict, let a finalizer go or flip a reclaim policy; the API server
sends these as updates, creations or options, and never calls them a deletion.
"""

from collections.abc import Iterator

from interlock.core import text, unstructured
from interlock.core.catalogue import target
from interlock.core.catalogue.entry import Entry, RoleBook, Seen
from interlock.core.catalogue.needs import creates, deletes, updates
from interlock.core.catalogue.when import When, finalizers
from interlock.core.systems import going, ordinary_work
from interlock.core.types import JsonObject, Request, Severity

FAMILY = "destruction"
COMPONENTS = ("system:cloud-controller-manager", "system:k3s-", "system:rke2-")
"""Beginnings of user names of programs that come with a distribution."""

WORKLOADS = ("deployments", "statefulsets", "replicasets")

# ----------------------------------------------------------------------------------------------------- running things


def _scale_to_zero(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    before, after = (_replicas(request, state) for state in request.states)
    if before and after == 0 and _controller(request.old_object) != "Deployment":  # which scales it as it should be
        yield Seen(f"scale {_scaled(request)} from {text.counted(before, 'replica')} to none", target.reach(request))
    elif _suspended(request.object) and not _suspended(request.old_object):
        yield Seen(f"suspend {target.titled(request)}", target.reach(request), Severity.MEDIUM)


def _replicas(request: Request, state: JsonObject | None) -> int | None:
    """How many are wanted; None where the kind has no such number. A Scale without one says zero (autoscaling/v1)."""
    replicas = unstructured.integer(state, "spec", "parallelism" if request.resource == "jobs" else "replicas")
    return 0 if replicas is None and request.subresource == "scale" else replicas


def _scaled(request: Request) -> str:
    if not request.subresource:
        return target.titled(request)
    return f"{text.printable(request.resource)} {target.named(request)}"


def _suspended(state: JsonObject | None) -> bool:
    return unstructured.flag(state, "spec", "suspend")


def _evict(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    at_once = unstructured.integer(request.object, "deleteOptions", "gracePeriodSeconds") == 0
    how = ", without time to end" if at_once else ""
    yield Seen(f"evict pod {target.named(request)}{how}", target.reach(request), Severity.HIGH if at_once else None)


def _delete_pod(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if ordinary_work(request):
        return
    kind = _controller(request.old_object)
    if kind == "StatefulSet":
        yield Seen(f"delete {target.titled(request)}, a replica of a StatefulSet", target.reach(request))
    elif not kind and not _ended(request.old_object):
        yield Seen(f"delete {target.titled(request)}, which nothing starts again", target.reach(request))


def _controller(state: JsonObject | None) -> str:
    """The kind of what controls an object; empty if nothing does."""
    owners = unstructured.items(state, "metadata", "ownerReferences")
    return next((unstructured.text(each, "kind") for each in owners if unstructured.flag(each, "controller")), "")


def _ended(state: JsonObject | None) -> bool:
    return unstructured.text(state, "status", "phase") in {"Succeeded", "Failed"}


def _force_delete(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    at_once = unstructured.integer(request.options, "gracePeriodSeconds") == 0
    runs = bool(unstructured.text(request.old_object, "spec", "nodeName")) and not _ended(request.old_object)
    if at_once and runs and not ordinary_work(request):
        replica = _controller(request.old_object) == "StatefulSet"
        more = "; a second replica may start meanwhile" if replica else ""
        yield Seen(
            f"delete {target.titled(request)} by force, without waiting for its node{more}",
            target.reach(request),
            Severity.CRITICAL if replica else None,
        )


def _drain(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if ordinary_work(request):
        return
    driven = [taint for taint in _evicting(request.object) if taint not in _evicting(request.old_object)]
    if driven:
        what = text.listed(driven)
        yield Seen(f"drive pods away from {target.titled(request)} by taint {what}", target.reach(request))
    elif _cordoned(request.object) and not _cordoned(request.old_object):
        yield Seen(f"cordon {target.titled(request)}: no new pods", target.reach(request), Severity.MEDIUM)


def _evicting(state: JsonObject | None) -> list[str]:
    taints = unstructured.items(state, "spec", "taints")
    return [unstructured.text(taint, "key") for taint in taints if unstructured.text(taint, "effect") == "NoExecute"]


def _cordoned(state: JsonObject | None) -> bool:
    return unstructured.flag(state, "spec", "unschedulable")


# ----------------------------------------------------------------------------------------------------------- data


def _arm_deletion(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    for path, what in _ARMED:
        if _now_deletes(request, path):
            yield Seen(f"let {target.titled(request)} delete {what}", target.reach(request))


_ARMED: tuple[tuple[tuple[str, ...], str], ...] = (
    (("spec", "persistentVolumeReclaimPolicy"), "the storage behind it once its claim is gone"),
    (("spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted"), "its claims when it is deleted"),
    (("spec", "persistentVolumeClaimRetentionPolicy", "whenScaled"), "claims of replicas that are scaled away"),
    (("spec", "deletionPolicy"), "the snapshot behind it when it is deleted"),
)


def _now_deletes(request: Request, path: tuple[str, ...]) -> bool:
    before, after = (unstructured.text(state, *path) for state in request.states)
    return after == "Delete" != before


def _empty(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    before, after = _keys(request.old_object), _keys(request.object)
    if before and not after:
        severity = Severity.HIGH if request.resource == "secrets" else None
        yield Seen(
            f"empty {target.titled(request)} of {text.counted(len(before), 'key')}", target.reach(request), severity
        )


def _keys(state: JsonObject | None) -> set[str]:
    return {key for field in ("data", "binaryData") for key in unstructured.mapping(state, field)}


# ------------------------------------------------------------------------------------------------- ends of deletions

PROTECTING = frozenset(
    {
        "kubernetes.io/pv-protection",
        "kubernetes.io/pvc-protection",
        "customresourcecleanup.apiextensions.k8s.io",
        "foregroundDeletion",
        "orphan",
    }
)
"""Finalizers that nobody but Kubernetes' own controllers takes off in ordinary life."""


def _remove_finalizer(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    gone = [each for each in finalizers(request.old_object) if each not in finalizers(request.object)]
    if gone and not _ends_in_order(request, gone):
        ends = ", so that it is gone at once" if going(request) and not finalizers(request.object) else ""
        yield Seen(
            f"take finalizer {text.listed(gone)} off {target.titled(request)}{ends}",
            target.reach(request),
        )


def _ends_in_order(request: Request, gone: list[str]) -> bool:
    """Whether a program completes a deletion that has begun, as operators do with finalizers of their own.

    Stopping that would leave things terminating for ever, whose deletion was judged when it began.
    """
    if ordinary_work(request):
        return True
    is_program = request.user.service_account != "" or request.user.name.startswith(COMPONENTS)
    return is_program and going(request) and PROTECTING.isdisjoint(gone)


def _finalize_namespace(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    before, after = (unstructured.texts(state, "spec", "finalizers") for state in request.states)
    if any(each not in after for each in before) and not ordinary_work(request):
        yield Seen(
            f"finalize {target.titled(request)}: what is still in it stays behind, out of reach", target.reach(request)
        )


def _orphan(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    yield Seen(f"delete {target.titled(request)} and leave what it owns without an owner", target.reach(request))


BACKDOORS = (
    Entry(
        id="scale-to-zero",
        family=FAMILY,
        title="Scale a workload to zero, or suspend it",
        severity=Severity.HIGH,
        raised="Medium where a Job or CronJob is suspended: it can go on.",
        rules=(
            updates("apps", *WORKLOADS),
            updates("", "replicationcontrollers"),
            updates("batch", "jobs", "cronjobs"),
            updates("argoproj.io", "rollouts"),
            updates("apps.kruise.io", "clonesets", "statefulsets"),
            updates("*", "*/scale"),
        ),
        misses="Plain updates of `spec.replicas` of kinds that are not listed here (their scale subresource is seen); "
        "autoscalers that scale to zero; a DaemonSet that no node matches any more.",
        example="kubectl scale deployment web --replicas=0 -n prod-shop",
        references=("T1489",),
        goes_round=("delete-workload",),
        detect=_scale_to_zero,
    ),
    Entry(
        id="evict-pod",
        family=FAMILY,
        title="Evict a pod, as kubectl drain does",
        severity=Severity.MEDIUM,
        raised="High where the pod gets no time to end.",
        rules=(creates("", "pods/eviction"),),
        misses="How many are evicted in a row; the deletion that follows, which is not reviewed again.",
        example="kubectl drain worker-7 --ignore-daemonsets",
        references=("T1489",),
        goes_round=("delete-workload", "delete-pod"),
        detect=_evict,
    ),
    Entry(
        id="delete-pod",
        family=FAMILY,
        title="Delete a pod that a StatefulSet or nothing at all replaces",
        severity=Severity.MEDIUM,
        rules=(deletes("", "pods"),),
        misses="Pods of ReplicaSets, Jobs and DaemonSets, which are replaced as a matter of course.",
        example="kubectl delete pod db-0 -n prod-shop",
        references=("T1489",),
        goes_round=("delete-workload", "evict-pod"),
        detect=_delete_pod,
    ),
    Entry(
        id="force-delete-pod",
        family=FAMILY,
        title="Delete a running pod by force, without waiting for its node",
        severity=Severity.HIGH,
        raised="Critical for a replica of a StatefulSet: two of them may write to one volume.",
        rules=(deletes("", "pods"),),
        misses="Whether the node is really dead.",
        example="kubectl delete pod db-0 --grace-period=0 --force -n prod-shop",
        references=("T1485",),
        goes_round=("delete-workload", "delete-pod", "evict-pod"),
        detect=_force_delete,
    ),
    Entry(
        id="drain-node",
        family=FAMILY,
        title="Drive pods away from a node, or cordon it",
        severity=Severity.HIGH,
        raised="Medium where it is only cordoned.",
        rules=(updates("", "nodes"),),
        misses="Which pods run there and tolerate the taint.",
        example="kubectl taint node worker-7 gone=true:NoExecute",
        references=("T1489",),
        goes_round=("delete-node", "delete-workload"),
        detect=_drain,
    ),
    Entry(
        id="arm-deletion",
        family=FAMILY,
        title="Let data be deleted with its owner: reclaim policy, claim retention, deletion policy of a snapshot",
        severity=Severity.HIGH,
        rules=(
            updates("", "persistentvolumes"),
            updates("apps", "statefulsets"),
            updates("snapshot.storage.k8s.io", "volumesnapshotcontents"),
        ),
        misses="The reclaim policy of volumes that a StorageClass makes later.",
        example='kubectl patch pv pv-data -p \'{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}\'',
        references=("T1485",),
        goes_round=("delete-volume",),
        detect=_arm_deletion,
    ),
    Entry(
        id="empty-data",
        family=FAMILY,
        title="Take every key out of a Secret or ConfigMap",
        severity=Severity.MEDIUM,
        raised="High for a Secret.",
        rules=(updates("", "secrets", "configmaps"),),
        misses="Values that are overwritten under the same keys.",
        example='kubectl patch secret db-password -n prod-shop --type=json -p \'[{"op":"remove","path":"/data"}]\'',
        references=("T1485",),
        goes_round=("delete-secret", "delete-configmap"),
        detect=_empty,
    ),
    Entry(
        id="remove-finalizer",
        family=FAMILY,
        title="Take a finalizer off an object of any kind",
        severity=Severity.HIGH,
        rules=(updates("*", "*/*", when=When.FINALIZER_GOES),),
        misses="ServiceAccounts and components that take finalizers off what is being deleted, as operators do; "
        "what the finalizer's controller would still have done.",
        example='kubectl patch pvc data-db-0 -n prod-shop -p \'{"metadata":{"finalizers":null}}\'',
        references=("T1485",),
        goes_round=("delete-namespace", "delete-volume"),
        detect=_remove_finalizer,
    ),
    Entry(
        id="finalize-namespace",
        family=FAMILY,
        title="Finalize a namespace by hand, while things are still in it",
        severity=Severity.HIGH,
        rules=(updates("", "namespaces/finalize"),),
        misses="What is left behind in etcd under the namespace's name.",
        example="kubectl replace --raw /api/v1/namespaces/prod-shop/finalize -f namespace.json",
        references=("T1485",),
        goes_round=("delete-namespace",),
        detect=_finalize_namespace,
    ),
    Entry(
        id="orphan-dependents",
        family=FAMILY,
        title="Delete an owner and orphan what it owns",
        severity=Severity.MEDIUM,
        rules=(deletes("*", "*", when=When.ORPHANS),),
        misses="How many dependants there are: nobody scales, updates or deletes them any more.",
        example="kubectl delete deployment web --cascade=orphan -n prod-shop",
        references=("T1489",),
        detect=_orphan,
    ),
)
