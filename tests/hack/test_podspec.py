"""From a pod to a process: variables, paths, and the refusal of what is not understood."""

from pathlib import Path
from typing import Any

import pytest

from devtools.cluster import podspec
from devtools.cluster.podspec import Launch, Surroundings

AROUND = Surroundings(
    root=Path("/c/pods/ns.guard-1"),
    address="127.64.200.1",
    node_address="127.64.255.1",
    api_server=("127.64.255.1", 6443),
    search="/venv/bin:/bin",
    inherited={"INTERLOCK_CLUSTER": "/c", "TZ": "UTC"},
)


def a_pod(container: dict[str, Any], **spec: object) -> dict[str, Any]:
    """A pod with one container, as the API has it once it is bound."""
    return {
        "metadata": {"name": "guard-1", "namespace": "ns", "uid": "u1", "labels": {"app": "guard"}},
        "spec": {
            "nodeName": "node-1",
            "serviceAccountName": "guard",
            "containers": [{"name": "main", "image": "interlock:dev", **container}],
            **spec,
        },
    }


def test_container_becomes_the_process_that_kubernetes_would_start() -> None:
    """Entrypoint, arguments, variables in order, mounts in their places: the whole of it."""
    container = {
        "args": ["guard", "--listen=$(IP):9443", "--token=/var/run/secrets/t/token"],
        "env": [
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "WHO", "value": "$(NAME) at $(IP)"},
            {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "HERE", "value": "/var/run/secrets/t"},
        ],
        "volumeMounts": [{"name": "t", "mountPath": "/var/run/secrets/t"}],
    }
    pod = a_pod(container)

    assert podspec.launch(pod, pod["spec"]["containers"][0], AROUND) == Launch(
        program=[
            "interlock",
            "guard",
            "--listen=127.64.200.1:9443",
            "--token=/c/pods/ns.guard-1/main/var/run/secrets/t/token",
        ],
        environment={
            "INTERLOCK_CLUSTER": "/c",
            "TZ": "UTC",
            "PATH": "/venv/bin:/bin",
            "HOME": "/c/pods/ns.guard-1/main",
            "TMPDIR": "/c/pods/ns.guard-1/main/tmp",
            "KUBERNETES_SERVICE_HOST": "127.64.255.1",
            "KUBERNETES_SERVICE_PORT": "6443",
            "IP": "127.64.200.1",
            "WHO": "$(NAME) at 127.64.200.1",
            "NAME": "guard-1",
            "HERE": "/c/pods/ns.guard-1/main/var/run/secrets/t",
        },
        home=Path("/c/pods/ns.guard-1/main"),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("$(A)$(A)", "xx", id="every reference is replaced"),
        pytest.param("$(B)", "$(B)", id="an unknown name stays as it is"),
        pytest.param("$$(A)", "$(A)", id="a doubled dollar escapes"),
        pytest.param("$$$(A)", "$x", id="an escaped dollar before a reference"),
        pytest.param("$(A", "$(A", id="an open reference is no reference"),
        pytest.param("$A", "$A", id="a shell's notation means nothing"),
    ],
)
def test_variables_expand_by_kubernetes_rules(text: str, expected: str) -> None:
    """The rules of the Kubernetes documentation, case by case."""
    assert podspec.expand(text, {"A": "x"}) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("/etc/tls", "/here/tls", id="the mount itself"),
        pytest.param("--key=/etc/tls/tls.key,/etc/tls/ca", "--key=/here/tls/tls.key,/here/tls/ca", id="paths below it"),
        pytest.param("/etc/tls2/x /etc/tls.d", "/etc/tls2/x /etc/tls.d", id="a longer name is another path"),
        pytest.param("/srv/etc/tls", "/srv/etc/tls", id="the end of another path"),
        pytest.param("/etc/tls/deep/x", "/here/deep/x", id="the deepest mount wins"),
        pytest.param("/run/x", "/here/run/x", id="what a replacement contains is not replaced again"),
    ],
)
def test_mount_paths_are_rewritten_only_where_they_are_paths(text: str, expected: str) -> None:
    """A mount path is found as a whole leading part of a path and nowhere else."""
    places = {"/etc/tls": "/here/tls", "/etc/tls/deep": "/here/deep", "/run": "/here/run", "/here": "/elsewhere"}

    assert podspec.rewrite(text, places) == expected


def test_root_of_a_mount_with_a_slash_at_its_end_is_the_same_mount() -> None:
    """`/etc/tls/` in a pod and `/etc/tls` in an argument mean one place."""
    assert podspec.rewrite("/etc/tls/a /etc/tls", {"/etc/tls/": "/here"}) == "/here/a /here"


@pytest.mark.parametrize(
    ("container", "spec", "problems"),
    [
        pytest.param({}, {}, [], id="a plain pod is understood"),
        pytest.param({}, {"initContainers": [{}]}, ["spec.initContainers"], id="init containers are refused"),
        pytest.param({"envFrom": []}, {}, ["spec.containers[0].envFrom"], id="so are fields without an implementation"),
        pytest.param(
            {"readinessProbe": {"exec": {"command": ["x"]}}},
            {},
            ["spec.containers[0].readinessProbe: not httpGet"],
            id="so are probes that are not httpGet",
        ),
        pytest.param(
            {"env": [{"name": "M", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}}]},
            {},
            ["spec.containers[0].env: M: valueFrom"],
            id="so are sources of values other than fields",
        ),
        pytest.param(
            {},
            {
                "volumes": [
                    {"name": "a", "hostPath": {}},
                    {"name": "b", "projected": {"sources": [{"podCertificate": {}}]}},
                ]
            },
            ["spec.volumes[0]: hostPath", "spec.volumes[1]: podCertificate"],
            id="so are other kinds of volumes",
        ),
        pytest.param(
            {"lifecycle": {"postStart": {}}}, {}, ["spec.containers[0].lifecycle.postStart"], id="so is postStart"
        ),
    ],
)
def test_what_cannot_be_done_is_named(container: dict[str, Any], spec: dict[str, Any], problems: list[str]) -> None:
    """A pod that asks for more than there is must not look healthy; each field is named."""
    assert podspec.unsupported(a_pod(container, **spec), AROUND) == problems
