"""Family `workload`."""

from dataclasses import replace
from typing import Any

from interlock.core.types import JsonObject, Request, User
from tests.core.catalogue_cases.backdoors import OPERATOR, change
from tests.core.catalogue_cases.case import Case
from tests.support.policies import request

KRUISE = "apps.kruise.io"
FOREIGN = {"projected": {"sources": [{"serviceAccountToken": {"audience": "vault", "path": "t"}}]}}
OWN = {"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}, {"configMap": {"name": "ca"}}]}}


def create(resource: str, new: JsonObject, *, kind: str, name: str = "web", **more: Any) -> Request:
    """A CREATE."""
    return replace(request("CREATE", resource, name=name, new=new, **more), kind=kind)


def container(name: str = "app", **context: Any) -> JsonObject:
    """A container with this security context."""
    return {"name": name, "image": "example.org/app:1", "securityContext": context}


def pod(*containers: JsonObject, **fields: Any) -> JsonObject:
    """A pod."""
    return {"spec": {"containers": list(containers) or [container()], **fields}}


def template(*containers: JsonObject, **fields: Any) -> JsonObject:
    """A workload that makes such pods."""
    return {"spec": {"replicas": 1, "template": pod(*containers, **fields)}}


def mounts(path: str) -> list[JsonObject]:
    """A directory of the node."""
    return [{"name": "v", "hostPath": {"path": path}}]


def image(tag: str) -> JsonObject:
    """A workload of one image."""
    return template({"name": "app", "image": f"example.org/app:{tag}"})


PRIVILEGED = container(privileged=True)
CREATED = "create Pod web in shop"

WORKLOAD: dict[str, Case] = {
    "a privileged pod": (
        "privileged-pod",
        create("pods", pod(PRIVILEGED), kind="Pod"),
        [f"Critical, reaches shop: {CREATED} with privileged container app"],
    ),
    "a privileged init container, newly, in a custom workload": (
        "privileged-pod",
        change(
            "clonesets", template(), template(initContainers=[container("i", privileged=True)]), group=KRUISE, kind="C"
        ),
        ["Critical, reaches shop: change C web in shop with privileged container i"],
    ),
    "a privileged CronJob": (
        "privileged-pod",
        create("cronjobs", {"spec": {"jobTemplate": template(PRIVILEGED)}}, group="batch", kind="CronJob"),
        ["Critical, reaches shop: create CronJob web in shop with privileged container app"],
    ),
    "a pod of Windows' host": (
        "privileged-pod",
        create("pods", pod(securityContext={"windowsOptions": {"hostProcess": True}}), kind="Pod"),
        [f"Critical, reaches shop: {CREATED} with HostProcess pods"],
    ),
    "not a change of what was privileged": (
        "privileged-pod",
        change("deployments", template(PRIVILEGED), template(PRIVILEGED), group="apps", kind="Deployment"),
        [],
    ),
    "namespaces of the node": (
        "host-namespaces",
        create("daemonsets", template(hostPID=True, hostNetwork=True), group="apps", kind="DaemonSet"),
        ["High, reaches shop: create DaemonSet web in shop with hostPID, hostNetwork"],
    ),
    "not a port": ("host-namespaces", create("pods", pod(hostPID=False), kind="Pod"), []),
    "the socket of the runtime": (
        "host-path",
        create("pods", pod(volumes=mounts("/var//run/containerd/containerd.sock")), kind="Pod"),
        [f"Critical, reaches shop: {CREATED} with hostPath /var/run/containerd/containerd.sock"],
    ),
    "what has the kubelet in it": (
        "host-path",
        create("pods", pod(volumes=mounts("/var/lib/")), kind="Pod"),
        [f"Critical, reaches shop: {CREATED} with hostPath /var/lib"],
    ),
    "the root": (
        "host-path",
        create("pods", pod(volumes=mounts("/")), kind="Pod"),
        [f"Critical, reaches shop: {CREATED} with hostPath /"],
    ),
    "another directory": (
        "host-path",
        create("pods", pod(volumes=mounts("/etcetera/data")), kind="Pod"),
        [f"Medium, reaches shop: {CREATED} with hostPath /etcetera/data"],
    ),
    "not a volume of its own": (
        "host-path",
        create("pods", pod(volumes=[{"name": "v", "emptyDir": {}}]), kind="P"),
        [],
    ),
    "capabilities": (
        "weaken-container",
        create(
            "pods",
            pod(container(capabilities={"add": ["NET_BIND_SERVICE", "CAP_SYS_ADMIN", "bpf"]})),
            kind="Pod",
        ),
        [
            (
                f"High, reaches shop: {CREATED} with capability CAP_SYS_ADMIN for container app, "
                "capability bpf for container app"
            )
        ],
    ),
    "confinement": (
        "weaken-container",
        create(
            "pods",
            pod(
                container(procMount="Unmasked", allowPrivilegeEscalation=True),
                securityContext={"seccompProfile": {"type": "Unconfined"}},
            ),
            kind="Pod",
        ),
        [
            (
                f"High, reaches shop: {CREATED} with seccomp off for the whole pod, an unmasked /proc for container "
                "app, allowPrivilegeEscalation for container app"
            )
        ],
    ),
    "confinement, by annotation": (
        "weaken-container",
        create(
            "pods",
            pod() | {"metadata": {"annotations": {"container.apparmor.security.beta.kubernetes.io/app": "unconfined"}}},
            kind="Pod",
        ),
        [f"High, reaches shop: {CREATED} with AppArmor off for container app"],
    ),
    "not less than there was": (
        "weaken-container",
        create("pods", pod(container(capabilities={"drop": ["ALL"], "add": ["CHOWN"]})), kind="Pod"),
        [],
    ),
    "a volume of a node's directory": (
        "host-volume",
        create("persistentvolumes", {"spec": {"hostPath": {"path": "/etc"}}}, kind="PersistentVolume", namespace=""),
        ["High, reaches none: create PersistentVolume web that is hostPath /etc of a node"],
    ),
    "not a volume of a cloud": (
        "host-volume",
        create("persistentvolumes", {"spec": {"csi": {"driver": "d"}}}, kind="PersistentVolume", namespace=""),
        [],
    ),
    "a pod where the cluster itself runs": (
        "system-namespace-workload",
        create("pods", pod(), kind="Pod", namespace="kube-system"),
        ["High, reaches kube-system: create Pod web in kube-system, where the cluster itself runs"],
    ),
    "not a pod elsewhere": ("system-namespace-workload", create("pods", pod(), kind="Pod"), []),
    "another image": (
        "change-image",
        change("deployments", image("1"), image("2"), group="apps", kind="Deployment"),
        ["Medium, reaches shop: change Deployment web in shop: another image for container app"],
    ),
    "a sidecar": (
        "change-image",
        change("statefulsets", template(), template(container(), container("miner")), group="apps", kind="StatefulSet"),
        ["Medium, reaches shop: change StatefulSet web in shop: a new container miner"],
    ),
    "not a container that goes": (
        "change-image",
        change("deployments", template(container(), container("b")), template(container()), group="apps", kind="D"),
        [],
    ),
    "a CronJob by hand": (
        "recurring-workload",
        create("cronjobs", {"spec": {"schedule": "* * * * *"}}, group="batch", kind="CronJob"),
        ["Medium, reaches shop: create CronJob web in shop, which runs again and again, by hand"],
    ),
    "a DaemonSet that is changed by hand": (
        "recurring-workload",
        change("daemonsets", image("1"), image("2"), group="apps", kind="DaemonSet"),
        ["Medium, reaches shop: change DaemonSet web in shop, which runs on every node, by hand"],
    ),
    "not by a pipeline": (
        "recurring-workload",
        create("cronjobs", {"spec": {}}, group="batch", kind="CronJob", user=OPERATOR),
        [],
    ),
    "not a label": ("recurring-workload", change("daemonsets", image("1"), image("1"), group="apps", kind="D"), []),
    "a node of one's choice": (
        "choose-node",
        create("pods", pod(nodeName="control-1"), kind="Pod"),
        ["High, reaches shop: create Pod web in shop on node control-1, past the scheduler"],
    ),
    "the control plane": (
        "choose-node",
        create(
            "deployments",
            template(tolerations=[{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]),
            group="apps",
            kind="Deployment",
        ),
        ["High, reaches shop: create Deployment web in shop on control-plane nodes"],
    ),
    "a binding": (
        "choose-node",
        create("pods/binding", {"target": {"kind": "Node", "name": "n1"}}, kind="Binding"),
        ["High, reaches shop: bind pod web in shop to node n1, past the scheduler"],
    ),
    "not the scheduler": (
        "choose-node",
        create("pods/binding", {"target": {"name": "n1"}}, kind="Binding", user=User(name="system:kube-scheduler")),
        [],
    ),
    "not a toleration of what is slow": (
        "choose-node",
        create("pods", pod(tolerations=[{"key": "node.kubernetes.io/not-ready", "operator": "Exists"}]), kind="Pod"),
        [],
    ),
    "processes of others, a token for others": (
        "share-identity",
        create("pods", pod(shareProcessNamespace=True, volumes=[{"name": "t"} | FOREIGN]), kind="Pod"),
        [f"Medium, reaches shop: {CREATED} with containers that see each other's processes, a token for vault"],
    ),
    "not the token that every pod has": (
        "share-identity",
        create("pods", pod(volumes=[{"name": "t"} | OWN]), kind="Pod"),
        [],
    ),
    "devices that others use": (
        "device-admin-access",
        create(
            "resourceclaims",
            {"spec": {"devices": {"requests": [{"name": "gpu", "exactly": {"adminAccess": True}}]}}},
            group="resource.k8s.io",
            kind="ResourceClaim",
        ),
        ["High, reaches shop: create ResourceClaim web in shop with access to devices that others use"],
    ),
    "a namespace that may": (
        "device-admin-access",
        change(
            "namespaces",
            {"metadata": {"labels": {}}},
            {"metadata": {"labels": {"resource.kubernetes.io/admin-access": "true"}}},
            kind="Namespace",
            name="shop",
        ),
        ["High, reaches shop: let claims in Namespace shop take devices that others use"],
    ),
    "not an ordinary claim": (
        "device-admin-access",
        create(
            "resourceclaims",
            {"spec": {"devices": {"requests": [{"name": "gpu"}]}}},
            group="resource.k8s.io",
            kind="R",
        ),
        [],
    ),
    "a name of Kubernetes": (
        "imitate-system",
        create("pods", pod(), kind="Pod", name="kube-proxy-x2v"),
        ["Low, reaches shop: create Pod kube-proxy-x2v in shop, named like a part of Kubernetes"],
    ),
    "a miner": (
        "imitate-system",
        create("pods", pod({"name": "a", "image": "docker.io/x/XMRig:latest"}), kind="Pod"),
        ["Low, reaches shop: create Pod web in shop of an image that mines: xmrig"],
    ),
    "not Kubernetes itself": (
        "imitate-system",
        create("pods", pod(), kind="Pod", name="kube-proxy-x2v", namespace="kube-system"),
        [],
    ),
}
