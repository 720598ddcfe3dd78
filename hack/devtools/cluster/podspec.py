"""From a pod to processes: what a container's command, environment and files are on this machine.

Pure: objects of the API in, values out. Kubernetes' own rules hold where a process could tell the difference:
`$(VAR)` in command, arguments and environment, field references, the API server's address. Three things differ, since
there is no container: a mount lies under a directory of the cluster, so its path is rewritten wherever it stands in an
argument or a value; home and temporary directory are the container's own; and a program without a path is looked up
in the checkout's virtual environment first, which is all that the image is.

What is not understood is refused (`unsupported`), never passed over: a chart that relies on it must not look healthy.
Passed over on purpose, because a process cannot tell: resources, security context, ports, image pull policy.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devtools.cluster.api import Object

ENTRYPOINT = "interlock"  # of our image
CONTAINER_FIELDS = frozenset({
    "args", "command", "env", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "name", "ports",
    "readinessProbe", "resources", "securityContext", "startupProbe", "terminationMessagePath",
    "terminationMessagePolicy", "volumeMounts",
})  # fmt: skip
VOLUME_SOURCES = frozenset({"projected", "configMap", "secret", "emptyDir", "downwardAPI"})
PROJECTED_SOURCES = frozenset({"serviceAccountToken", "configMap", "secret", "downwardAPI"})
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")

_REFERENCE = re.compile(r"\$\$|\$\(([^)]*)\)")
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")
_PART_OF_PATH = r"[\w./-]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a pod's processes can learn about where they run.

    Attributes:
        root: the pod's directory on this machine.
        address: the loopback address that is the pod's.
        node_address: the node's address.
        api_server: host and port of the API server.
        search: PATH, the virtual environment first.
        inherited: what every process of the cluster has in its environment; the pod's own variables win.
    """

    root: Path
    address: str
    node_address: str
    api_server: tuple[str, int]
    search: str
    inherited: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One container as a process.

    Attributes:
        program: program and arguments.
        environment: all of it.
        home: its root directory here, where mounts lie.
    """

    program: list[str]
    environment: dict[str, str]
    home: Path


def launch(pod: Object, container: Object, around: Surroundings) -> Launch:
    """Work out the process of a container that `unsupported` has nothing against."""
    home = around.root / container["name"]
    places = paths(container, home)
    variables = environment(pod, container, around)
    program = [*(container.get("command") or [ENTRYPOINT]), *(container.get("args") or [])]
    own = {"PATH": around.search, "HOME": str(home), "TMPDIR": str(home / "tmp")}
    return Launch(
        program=[rewrite(expand(each, variables), places) for each in program],
        environment={
            **around.inherited,
            **own,
            **{name: rewrite(value, places) for name, value in variables.items()},
        },
        home=home,
    )


def environment(pod: Object, container: Object, around: Surroundings) -> dict[str, str]:
    """The variables that Kubernetes would give a container, paths not yet rewritten."""
    host, port = around.api_server
    variables = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": str(port)}
    for each in container.get("env") or []:
        if "valueFrom" in each:
            variables[each["name"]] = field(pod, each["valueFrom"]["fieldRef"]["fieldPath"], around)
        else:
            variables[each["name"]] = expand(each.get("value", ""), variables)
    return variables


def expand(text: str, variables: dict[str, str]) -> str:
    """Replace `$(NAME)` as Kubernetes does: unknown names stay as they are, `$$` is an escaped `$`.

    >>> expand("$(HOST):8443 $$(HOST) $(WHO)", {"HOST": "127.0.0.1"})
    '127.0.0.1:8443 $(HOST) $(WHO)'
    """

    def value(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else variables.get(match[1], match[0])

    return _REFERENCE.sub(value, text)


def rewrite(text: str, places: dict[str, str]) -> str:
    """Replace mount paths, wherever they stand as whole leading parts of a path; the longest wins.

    >>> rewrite("--key=/etc/tls/tls.key --no=/etc/tls2", {"/etc/tls": "/here/tls"})
    '--key=/here/tls/tls.key --no=/etc/tls2'
    """
    if not places:
        return text
    replacement = {path.rstrip("/"): target for path, target in places.items()}
    longest_first = "|".join(re.escape(path) for path in sorted(replacement, key=len, reverse=True))
    pattern = rf"(?<!{_PART_OF_PATH})({longest_first})(?=/|(?!{_PART_OF_PATH}))"
    return re.sub(pattern, lambda match: replacement[match[1]], text)


def paths(container: Object, home: Path) -> dict[str, str]:
    """The mount paths of a container, each with its place on this machine."""
    return {each["mountPath"]: str(mounted(home, each["mountPath"])) for each in container.get("volumeMounts") or []}


def mounted(home: Path, mount_path: str) -> Path:
    """Where a mount of a container lies on this machine."""
    return home / mount_path.strip("/")


def field(pod: Object, path: str, around: Surroundings) -> str:
    """The value of a field reference, as in the downward API."""
    subscript = _SUBSCRIPT.fullmatch(path)
    if subscript:
        values: dict[str, str] = pod["metadata"].get(subscript[1], {})
        return values.get(subscript[2], "")
    return _fields(pod, around)[path]


def unsupported(pod: Object, around: Surroundings) -> list[str]:
    """Everything in a pod that cannot be done here, as field paths with a word on what was found."""
    spec = pod["spec"]
    problems = [
        f"spec.{name}" for name in ("initContainers", "readinessGates", "hostNetwork", "hostPID") if spec.get(name)
    ]
    for i, container in enumerate(spec["containers"]):
        problems += [f"spec.containers[{i}].{problem}" for problem in _container_problems(pod, container, around)]
    for i, volume in enumerate(spec.get("volumes") or []):
        problems += [f"spec.volumes[{i}]: {problem}" for problem in _volume_problems(volume)]
    return problems


def _fields(pod: Object, around: Surroundings) -> dict[str, str]:
    metadata, spec = pod["metadata"], pod["spec"]
    return {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec["nodeName"],
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.hostIP": around.node_address,
        "status.podIP": around.address,
        "status.podIPs": around.address,
    }


def _container_problems(pod: Object, container: Object, around: Surroundings) -> list[str]:
    problems = sorted(container.keys() - CONTAINER_FIELDS)
    problems += [
        f"env: {each['name']}: valueFrom"
        for each in container.get("env") or []
        if "valueFrom" in each and not _known_reference(pod, each["valueFrom"], around)
    ]
    problems += [
        f"{probe}: not httpGet" for probe in PROBES if probe in container and "httpGet" not in container[probe]
    ]
    problems += [f"lifecycle.{hook}" for hook in (container.get("lifecycle") or {}).keys() - {"preStop"}]
    problems += [
        f"volumeMounts: {each['name']}: {key}"
        for each in container.get("volumeMounts") or []
        for key in each.keys() & {"subPathExpr", "mountPropagation"}
    ]
    return problems


def _known_reference(pod: Object, source: dict[str, Any], around: Surroundings) -> bool:
    path = source.get("fieldRef", {}).get("fieldPath", "")
    return bool(_SUBSCRIPT.fullmatch(path)) or path in _fields(pod, around)


def _volume_problems(volume: Object) -> list[str]:
    kinds = volume.keys() - {"name"}
    projected = [key for source in volume.get("projected", {}).get("sources") or [] for key in source]
    return sorted(kinds - VOLUME_SOURCES) + sorted(set(projected) - PROJECTED_SOURCES)
