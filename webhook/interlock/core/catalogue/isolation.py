"""Traits of a pod spec that take away what separates a container from its node (Pod Security Standards, baseline)."""

from collections.abc import Iterator

from interlock.core import text, unstructured
from interlock.core.catalogue import podspec
from interlock.core.types import JsonObject

DANGEROUS_CAPABILITIES = frozenset(
    {
        "ALL",
        "BPF",
        "DAC_READ_SEARCH",
        "MAC_ADMIN",
        "NET_ADMIN",
        "NET_RAW",
        "PERFMON",
        "SYS_ADMIN",
        "SYS_BOOT",
        "SYS_MODULE",
        "SYS_PTRACE",
        "SYS_RAWIO",
    }
)
SENSITIVE_PATHS = (
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib/modules",
    "/proc",
    "/root",
    "/run",
    "/sys",
    "/usr",
    "/var/lib/containerd",
    "/var/lib/docker",
    "/var/lib/etcd",
    "/var/lib/kubelet",
    "/var/log",
    "/var/run",
)
"""Directories of a node by which the node, or what runs on it, can be taken."""

_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def privileged(pod: JsonObject) -> Iterator[str]:
    """Containers that run as the node does."""
    if unstructured.flag(pod, "securityContext", "windowsOptions", "hostProcess"):
        yield "HostProcess pods"
    for container in podspec.containers(pod):
        if unstructured.flag(container, "securityContext", "privileged"):
            yield f"privileged {podspec.named(container)}"
        if unstructured.flag(container, "securityContext", "windowsOptions", "hostProcess"):
            yield f"HostProcess {podspec.named(container)}"


def host_namespaces(pod: JsonObject) -> Iterator[str]:
    """Namespaces of the node that it shares."""
    return (field for field in ("hostPID", "hostIPC", "hostNetwork") if unstructured.flag(pod, field))


def sensitive_paths(pod: JsonObject) -> Iterator[str]:
    """Directories of the node that it mounts and by which the node can be taken."""
    return (f"hostPath {text.printable(path)}" for path in podspec.host_paths(pod) if _sensitive(path))


def other_paths(pod: JsonObject) -> Iterator[str]:
    """Directories of the node that it mounts besides."""
    return (f"hostPath {text.printable(path)}" for path in podspec.host_paths(pod) if not _sensitive(path))


def _sensitive(path: str) -> bool:
    """Whether it is such a directory, is in one, or has one in it."""
    inside = f"{path.rstrip('/')}/"
    return any(inside.startswith(f"{each}/") or f"{each}/".startswith(inside) for each in SENSITIVE_PATHS)


def weakened(pod: JsonObject) -> Iterator[str]:
    """Confinement that is switched off, in the pod or in a container."""
    yield from (f"{what} for the whole pod" for what in _unconfined(pod))
    for container in podspec.containers(pod):
        for what in (*_capabilities(container), *_unconfined(container), *_other(container)):
            yield f"{what} for {podspec.named(container)}"


def _capabilities(container: JsonObject) -> Iterator[str]:
    for name in unstructured.texts(container, "securityContext", "capabilities", "add"):
        if name.upper().removeprefix("CAP_") in DANGEROUS_CAPABILITIES:
            yield f"capability {text.printable(name)}"


def _unconfined(holder: JsonObject) -> Iterator[str]:
    for profile, what in (("seccompProfile", "seccomp"), ("appArmorProfile", "AppArmor")):
        if unstructured.text(holder, "securityContext", profile, "type") == "Unconfined":
            yield f"{what} off"


def _other(container: JsonObject) -> Iterator[str]:
    if unstructured.text(container, "securityContext", "procMount") == "Unmasked":
        yield "an unmasked /proc"
    if unstructured.flag(container, "securityContext", "allowPrivilegeEscalation"):
        yield "allowPrivilegeEscalation"


def apparmor_off(state: JsonObject | None) -> Iterator[str]:
    """Containers whose AppArmor profile an annotation switches off, as before Kubernetes 1.30."""
    for place in (("metadata",), ("spec", "template", "metadata")):
        for key, value in unstructured.mapping(state, *place, "annotations").items():
            if key.startswith(_APPARMOR) and value == "unconfined":
                yield f"AppArmor off for container {text.printable(key.removeprefix(_APPARMOR))}"
