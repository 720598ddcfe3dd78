"""What guards are known by is changed under load: no call fails, and the new path secret and certificate are used."""

import base64
import ssl
from collections.abc import Callable
from datetime import timedelta

import orjson
import pytest

from interlock.core import times
from interlock.kube.pathsecret import LIFE, SETTLES
from interlock.kube.secrets import SINCE_ANNOTATION
from interlock.wiring import clock
from tests.e2e import policies
from tests.support.kubectl import Kubectl, eventually
from tests.support.processes import pod_address
from tests.support.stream import Stream, denied_by

pytestmark = pytest.mark.cluster

SYSTEM = "interlock-system"
SECRET = "interlock-guard"
GUARD_PORT = 9443
CONTROLLER = f"--as=system:serviceaccount:{SYSTEM}:interlock-controller"  # nobody else may write its Secrets
LOOK_SECONDS = 60.0  # the controller looks at its Secrets every 30 s


def test_path_secret_rotated(
    kubectl: Kubectl, apply: policies.Apply, namespace: str, edge: Callable[..., None]
) -> None:
    """An old secret is replaced, and the new one used, while every guarded call is decided."""
    apply(policies.no_configmap_delete("edge-rotation", namespace, audit={"durability": "Batch"}))
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    [first, *_] = _known(kubectl)
    target = f"/api/v1/namespaces/{namespace}/configmaps/guarded"

    with Stream(kubectl.kubeconfig, "DELETE", target, denied_by("edge-rotation")) as stream:
        _aged(kubectl, LIFE)
        eventually(lambda: _known(kubectl)[0] != first, seconds=LOOK_SECONDS, what="a new secret made")
        known, used = _known(kubectl), _used(kubectl)
        _aged(kubectl, SETTLES)
        eventually(lambda: _used(kubectl) == {known[0]}, seconds=LOOK_SECONDS, what="the new secret used")
        seen = stream.answers.total()
        eventually(lambda: stream.answers.total() > seen + 100, seconds=LOOK_SECONDS, what="calls with the new secret")

    assert (known[1:], used) == ([first], {first})
    assert list(stream.answers) == ["denied"], stream.answers
    edge(
        scenario="path secret rotated",
        load=f"{stream.answers.total()} reviews",
        outcome=f"all denied, no failed call; longest answer {max(stream.seconds):.2f} s",
    )


def test_certificate_renewed(
    kubectl: Kubectl, apply: policies.Apply, namespace: str, edge: Callable[..., None]
) -> None:
    """A certificate that is lost is made anew and served, while every guarded call is decided."""
    apply(policies.no_configmap_delete("edge-certificate", namespace, audit={"durability": "Batch"}))
    kubectl.must("create", "configmap", "guarded", "-n", namespace)
    before = _served(kubectl)
    target = f"/api/v1/namespaces/{namespace}/configmaps/guarded"

    with Stream(kubectl.kubeconfig, "DELETE", target, denied_by("edge-certificate")) as stream:
        _without_certificate(kubectl)
        eventually(lambda: not _served(kubectl) & before, seconds=LOOK_SECONDS, what="a new certificate served by all")
        seen = stream.answers.total()
        eventually(lambda: stream.answers.total() > seen + 100, seconds=LOOK_SECONDS, what="calls after that")

    assert list(stream.answers) == ["denied"], stream.answers
    edge(
        scenario="certificate lost and made anew",
        load=f"{stream.answers.total()} reviews",
        outcome=f"all denied, no failed call; longest answer {max(stream.seconds):.2f} s",
    )


def _served(kubectl: Kubectl) -> set[str]:
    """The certificates that the guards show."""
    pods = kubectl.get("pods", "-n", SYSTEM, "-l", "app.kubernetes.io/component=guard")["items"]
    return {ssl.get_server_certificate((pod_address(pod["status"]["podIP"]), GUARD_PORT)) for pod in pods}


def _without_certificate(kubectl: Kubectl) -> None:
    secret = kubectl.get("secret", SECRET, "-n", SYSTEM)
    del secret["data"]["tls.crt"]
    kubectl.must("replace", "-f", "-", CONTROLLER, stdin=orjson.dumps(secret).decode())


def _known(kubectl: Kubectl) -> list[str]:
    """The secrets that guards accept, newest first."""
    found = kubectl.get("secret", SECRET, "-n", SYSTEM)
    return base64.b64decode(found["data"]["path-secrets"]).decode().split()


def _used(kubectl: Kubectl) -> set[str]:
    """The secrets in the paths that API servers call."""
    configuration = kubectl.get("validatingwebhookconfiguration", "interlock")
    paths = (webhook["clientConfig"]["service"]["path"] for webhook in configuration["webhooks"])
    return {path.rpartition("/")[2] for path in paths}


def _aged(kubectl: Kubectl, age: timedelta) -> None:
    """Make the newest secret this old, with the rights of the controller, which may replace its Secrets, not patch."""
    secret = kubectl.get("secret", SECRET, "-n", SYSTEM)
    secret["metadata"]["annotations"][SINCE_ANNOTATION] = times.write(clock.now() - age)
    kubectl.must("replace", "-f", "-", CONTROLLER, stdin=orjson.dumps(secret).decode())
