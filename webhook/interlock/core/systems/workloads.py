"""Controllers that create and delete objects on behalf of others: namespaces, garbage collection, workloads.

Read in Kubernetes v1.36.3: cmd/kube-controller-manager/app names the accounts, the RBAC bootstrap policy says what
each may do; the tests here are narrower than that. What the namespace controller and the garbage collector delete is
not listed: it is judged by whether its namespace or owner is really going (`interlock.core.systems.parents`).
"""

from interlock.core import unstructured
from interlock.core.systems.identity import SystemIdentity, controller, status
from interlock.core.systems.work import (
    ALL,
    CREATE,
    DELETE,
    UPDATE,
    Work,
    all_of,
    any_of,
    controlled_by,
    going,
    in_phase,
    only_changes,
)
from interlock.core.types import Request

NAMESPACE_CONTROLLER = "namespace-controller"
GARBAGE_COLLECTOR = "generic-garbage-collector"

_OWNERS = ("metadata", "ownerReferences")
_FINALIZERS = ("metadata", "finalizers")


def _of(kind: str, group: str, resource: str) -> Work:
    return Work(
        title=f"{resource} of its {kind}s",
        operations=(CREATE, UPDATE, DELETE),
        group=group,
        resources=(resource,),
        test=any_of(controlled_by(kind), only_changes(_OWNERS)),  # the second is adopting and releasing
    )


def _unused(request: Request) -> bool:
    return unstructured.integer(request.old_object, "spec", "replicas") == 0


def _expired(request: Request) -> bool:
    finished = any(
        unstructured.text(condition, "type") in {"Complete", "Failed"}
        and unstructured.text(condition, "status") == "True"
        for condition in unstructured.items(request.old_object, "status", "conditions")
    )
    return finished and unstructured.integer(request.old_object, "spec", "ttlSecondsAfterFinished") is not None


_LIFE = (
    controller(
        NAMESPACE_CONTROLLER,
        "namespace controller",
        Work(
            title="status and finalizers of a terminating namespace",
            operations=(UPDATE,),
            group="",
            resources=("namespaces/status", "namespaces/finalize"),
            test=going,
        ),
    ),
    controller(
        GARBAGE_COLLECTOR,
        "garbage collector",
        Work(
            title="ownerReferences and finalizers, and nothing else",
            operations=(UPDATE,),
            group=ALL,
            resources=(ALL,),
            test=only_changes(_OWNERS, _FINALIZERS),
        ),
    ),
    controller(
        "pod-garbage-collector",
        "pod garbage collector",
        Work(
            title="pods that have ended or are already being deleted",
            operations=(DELETE,),
            group="",
            resources=("pods",),
            test=any_of(in_phase("Succeeded", "Failed"), going),
        ),
        status("", "pods"),
    ),
    controller(
        "ttl-after-finished-controller",
        "controller of finished Jobs' time to live",
        Work(
            title="finished Jobs with ttlSecondsAfterFinished",
            operations=(DELETE,),
            group="batch",
            resources=("jobs",),
            test=_expired,
        ),
    ),
)

_WORKLOADS = (
    controller(
        "deployment-controller",
        "Deployment controller",
        Work(
            title="ReplicaSets of its Deployments",
            operations=(CREATE, UPDATE),
            group="apps",
            resources=("replicasets",),
            test=controlled_by("Deployment"),
        ),
        Work(
            title="old ReplicaSets of its Deployments, without replicas",
            operations=(DELETE,),
            group="apps",
            resources=("replicasets",),
            test=all_of(controlled_by("Deployment"), _unused),
        ),
        Work(
            title="annotations of Deployments",
            operations=(UPDATE,),
            group="apps",
            resources=("deployments",),
            test=only_changes(("metadata", "annotations")),
        ),
        status("apps", "deployments"),
    ),
    controller(
        "replicaset-controller", "ReplicaSet controller", _of("ReplicaSet", "", "pods"), status("apps", "replicasets")
    ),
    controller(
        "replication-controller",
        "ReplicationController controller",
        _of("ReplicationController", "", "pods"),
        status("", "replicationcontrollers"),
    ),
    controller(
        "statefulset-controller",
        "StatefulSet controller",
        _of("StatefulSet", "", "pods"),
        _of("StatefulSet", "apps", "controllerrevisions"),
        Work(title="claims of new replicas", operations=(CREATE,), group="", resources=("persistentvolumeclaims",)),
        Work(
            title="owners of claims",
            operations=(UPDATE,),
            group="",
            resources=("persistentvolumeclaims",),
            test=only_changes(_OWNERS),
        ),
        status("apps", "statefulsets"),
    ),
    controller(
        "daemon-set-controller",
        "DaemonSet controller",
        _of("DaemonSet", "", "pods"),
        _of("DaemonSet", "apps", "controllerrevisions"),
        status("apps", "daemonsets"),
    ),
    controller("job-controller", "Job controller", _of("Job", "", "pods"), status("batch", "jobs")),
    controller(
        "cronjob-controller",
        "CronJob controller",
        _of("CronJob", "batch", "jobs"),
        status("batch", "cronjobs"),
    ),
)

CONTROLLERS: tuple[SystemIdentity, ...] = (*_LIFE, *_WORKLOADS)
