"""Family `workload`: pods, and what makes pods, that can take their node or stand where they should not.

A finding is about what a write newly brings (`interlock.core.catalogue.podspec`), in whatever kind of workload it
stands. A pod that a controller makes of a template is seen a second time, under the controller's name.
"""

from collections.abc import Iterator

from interlock.core import text, unstructured
from interlock.core.catalogue import isolation, podspec, target
from interlock.core.catalogue.entry import Detector, Entry, RoleBook, Seen
from interlock.core.catalogue.needs import CREATE, creates, updates, writes
from interlock.core.systems import identity_of, ordinary_work
from interlock.core.types import JsonObject, Request, Severity

FAMILY = "workload"
SYSTEM_NAMESPACES = frozenset({"kube-system", "kube-public", "kube-node-lease"})
CONTROL_PLANE = frozenset({"node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"})
ADMIN_ACCESS = "resource.kubernetes.io/admin-access"
IMITATED = ("kube-", "coredns", "etcd", "calico-", "cilium", "aws-node", "azure-", "gke-", "kubelet")
MINERS = ("xmrig", "minerd", "ethminer", "cpuminer", "nbminer", "t-rex-miner", "phoenixminer", "lolminer", "cgminer")


def _brings(traits: podspec.Traits) -> Detector:
    """Find these traits, where a write newly brings them."""

    def detect(request: Request, _roles: RoleBook) -> Iterator[Seen]:
        if new := podspec.brought(request, traits):
            yield Seen(f"{podspec.written(request)} with {text.listed(new)}", target.reach(request))

    return detect


def _host_path(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    for traits, severity in ((isolation.sensitive_paths, None), (isolation.other_paths, Severity.MEDIUM)):
        if new := podspec.brought(request, traits):
            yield Seen(f"{podspec.written(request)} with {text.listed(new)}", target.reach(request), severity)


def _weakened(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    before = set(isolation.apparmor_off(request.old_object))
    by_annotation = [each for each in isolation.apparmor_off(request.object) if each not in before]
    if new := podspec.brought(request, isolation.weakened) + by_annotation:
        yield Seen(f"{podspec.written(request)} with {text.listed(new)}", target.reach(request))


def _host_volume(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    for field in ("hostPath", "local"):
        path = unstructured.text(request.object, "spec", field, "path")
        if path and path != unstructured.text(request.old_object, "spec", field, "path"):
            evidence = f"{podspec.written(request)} that is {field} {text.printable(path)} of a node"
            yield Seen(evidence, target.reach(request))


def _in_system_namespace(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if request.namespace in SYSTEM_NAMESPACES:
        yield Seen(f"create {target.titled(request)}, where the cluster itself runs", target.reach(request))


def _changed_image(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    before, after = (_images(podspec.spec(request, state)) for state in request.states)
    changed = [
        f"another image for container {name}" for name in after if name in before and before[name] != after[name]
    ]
    added = [f"a new container {name}" for name in after if name not in before]
    if before and (new := changed + added):
        yield Seen(f"change {target.titled(request)}: {text.listed(new)}", target.reach(request))


def _images(pod: JsonObject) -> dict[str, str]:
    """Images by container, without ephemeral ones, which are no part of a template."""
    listed = (each for field in podspec.CONTAINERS[:2] for each in unstructured.items(pod, field))
    return {text.printable(unstructured.text(each, "name")): unstructured.text(each, "image") for each in listed}


def _by_hand(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if request.user.service_account or identity_of(request.user) is not None:
        return
    if request.operation is CREATE or _spec(request.object) != _spec(request.old_object):
        what = "runs again and again" if request.resource == "cronjobs" else "runs on every node"
        yield Seen(f"{podspec.written(request)}, which {what}, by hand", target.reach(request))


def _spec(state: JsonObject | None) -> JsonObject:
    return unstructured.mapping(state, "spec")


def _chosen_node(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if ordinary_work(request):
        return  # the scheduler's
    if request.resource == "bindings" or request.subresource == "binding":
        node = text.printable(unstructured.text(request.object, "target", "name"))
        yield Seen(f"bind pod {target.named(request)} to node {node}, past the scheduler", target.reach(request))
    elif new := podspec.brought(request, _placed):
        yield Seen(f"{podspec.written(request)} {text.listed(new)}", target.reach(request))


def _placed(pod: JsonObject) -> Iterator[str]:
    if node := unstructured.text(pod, "nodeName"):
        yield f"on node {text.printable(node)}, past the scheduler"
    for toleration in unstructured.items(pod, "tolerations"):
        key, operator = (unstructured.text(toleration, field) for field in ("key", "operator"))
        if key in CONTROL_PLANE:
            yield "on control-plane nodes"
        elif not key and operator == "Exists":
            yield "on any node, whatever its taints"


def _shared(pod: JsonObject) -> Iterator[str]:
    if unstructured.flag(pod, "shareProcessNamespace"):
        yield "containers that see each other's processes"
    for volume in podspec.volumes(pod):
        for source in unstructured.items(volume, "projected", "sources"):
            if audience := unstructured.text(source, "serviceAccountToken", "audience"):
                yield f"a token for {text.printable(audience)}"


def _admin_access(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if request.is_namespace:
        before, after = (unstructured.text(state, "metadata", "labels", ADMIN_ACCESS) for state in request.states)
        if after == "true" != before:
            yield Seen(f"let claims in {target.titled(request)} take devices that others use", target.reach(request))
    elif _administers(request.object) and not _administers(request.old_object):
        yield Seen(f"{podspec.written(request)} with access to devices that others use", target.reach(request))


def _admitted(state: JsonObject | None) -> bool:
    return unstructured.text(state, "metadata", "labels", ADMIN_ACCESS) == "true"


def _administers(state: JsonObject | None) -> bool:
    """Whether a ResourceClaim or a template of one asks for adminAccess, in any version of resource.k8s.io."""
    requests = [
        each
        for place in (("spec",), ("spec", "spec"))
        for each in unstructured.items(state, *place, "devices", "requests")
    ]
    return any(
        unstructured.flag(each, "adminAccess") or unstructured.flag(each, "exactly", "adminAccess") for each in requests
    )


def _imitates(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if request.namespace not in SYSTEM_NAMESPACES and request.name.startswith(IMITATED):
        yield Seen(f"create {target.titled(request)}, named like a part of Kubernetes", target.reach(request))
    images = _images(podspec.spec(request, request.object)).values() if request.resource != "serviceaccounts" else ()
    if miners := sorted({miner for miner in MINERS for image in images if miner in image.lower()}):
        yield Seen(
            f"create {target.titled(request)} of an image that mines: {text.listed(miners)}", target.reach(request)
        )


WORKLOAD = (
    Entry(
        id="privileged-pod",
        family=FAMILY,
        title="Run a privileged container, or a HostProcess container on Windows",
        severity=Severity.CRITICAL,
        rules=podspec.WRITES,
        misses="Workloads of custom kinds that are not listed; their pods are seen.",
        example="kubectl run root --image=busybox --privileged",
        references=("T1611", "T1610"),
        detect=_brings(isolation.privileged),
    ),
    Entry(
        id="host-namespaces",
        family=FAMILY,
        title="Run a pod in its node's process, IPC or network namespace",
        severity=Severity.HIGH,
        rules=podspec.WRITES,
        misses="Workloads of custom kinds that are not listed; their pods are seen.",
        example='kubectl run spy --image=busybox --overrides=\'{"spec":{"hostPID":true}}\'',
        references=("T1611",),
        detect=_brings(isolation.host_namespaces),
    ),
    Entry(
        id="host-path",
        family=FAMILY,
        title="Mount a directory of the node",
        severity=Severity.CRITICAL,
        raised="Medium for a directory that is not of the system, the runtime, the kubelet or its logs.",
        rules=podspec.WRITES,
        misses="Links on the node that lead elsewhere; volumes that a claim brings (host-volume finds these).",
        example="kubectl apply -f pod-with-hostpath.yaml",
        references=("T1611",),
        detect=_host_path,
    ),
    Entry(
        id="weaken-container",
        family=FAMILY,
        title="Add dangerous capabilities to a container, or switch its confinement off",
        severity=Severity.HIGH,
        rules=podspec.WRITES,
        misses="allowPrivilegeEscalation that is not set, which means true; what the image itself may do.",
        example="kubectl apply -f pod-with-sys-admin.yaml",
        references=("T1611",),
        detect=_weakened,
    ),
    Entry(
        id="host-volume",
        family=FAMILY,
        title="Make a PersistentVolume of a directory of a node",
        severity=Severity.HIGH,
        rules=(writes("", "persistentvolumes"),),
        misses="What is in the directory.",
        example="kubectl apply -f hostpath-volume.yaml",
        references=("T1611",),
        detect=_host_volume,
    ),
    Entry(
        id="system-namespace-workload",
        family=FAMILY,
        title="Start something in kube-system, kube-public or kube-node-lease",
        severity=Severity.HIGH,
        rules=podspec.CREATIONS,
        misses="What is changed there later (change-image finds other images).",
        example="kubectl run helper --image=busybox -n kube-system",
        references=("T1610", "T1036"),
        detect=_in_system_namespace,
    ),
    Entry(
        id="change-image",
        family=FAMILY,
        title="Change an image of a pod or workload, or add a container",
        severity=Severity.MEDIUM,
        rules=tuple(updates(group, *rule.resources) for rule in podspec.CREATIONS for group in rule.groups),
        misses="What the image holds; a tag that means another image now.",
        example="kubectl set image deployment/web web=example.org/web:2 -n prod-shop",
        references=("T1525", "T1610"),
        detect=_changed_image,
    ),
    Entry(
        id="recurring-workload",
        family=FAMILY,
        title="Create or change a CronJob or DaemonSet by hand",
        severity=Severity.MEDIUM,
        rules=(writes("batch", "cronjobs"), writes("apps", "daemonsets")),
        misses="People who use a ServiceAccount's token.",
        example="kubectl create cronjob sync --image=busybox --schedule='* * * * *' -- sh -c 'date'",
        references=("T1053.007",),
        detect=_by_hand,
    ),
    Entry(
        id="choose-node",
        family=FAMILY,
        title="Put a pod on a node past the scheduler, or on control-plane nodes",
        severity=Severity.HIGH,
        rules=(*podspec.WRITES[:-1], creates("", "pods/binding", "bindings")),
        misses="Selectors and affinities, which are ordinary; nodes that lost their taints.",
        example='kubectl run here --image=busybox --overrides=\'{"spec":{"nodeName":"control-1"}}\'',
        references=("T1610",),
        detect=_chosen_node,
    ),
    Entry(
        id="share-identity",
        family=FAMILY,
        title="Share processes between containers, or ask for tokens for others than the API server",
        severity=Severity.MEDIUM,
        rules=podspec.WRITES,
        misses="Tokens that the pod asks for itself later.",
        example="kubectl apply -f pod-with-projected-token.yaml",
        references=("T1528",),
        detect=_brings(_shared),
    ),
    Entry(
        id="device-admin-access",
        family=FAMILY,
        title="Claim devices with administrator access, or let a namespace do so",
        severity=Severity.HIGH,
        rules=(
            writes("resource.k8s.io", "resourceclaims", "resourceclaimtemplates"),
            creates("", "namespaces"),
            updates("", "namespaces/*"),
        ),
        misses="Who uses the devices meanwhile.",
        example="kubectl label namespace shop resource.kubernetes.io/admin-access=true",
        references=("T1611",),
        detect=_admin_access,
    ),
    Entry(
        id="imitate-system",
        family=FAMILY,
        title="Name a pod, workload or ServiceAccount like a part of Kubernetes, or run a miner",
        severity=Severity.LOW,
        rules=(*podspec.CREATIONS, creates("", "serviceaccounts")),
        misses="Any name that is not on a short list.",
        example="kubectl run kube-proxy-x2v --image=example.org/xmrig",
        references=("T1036.005", "T1496"),
        detect=_imitates,
    ),
)
