"""A webhook that does nothing, called by the API server: what any webhook costs, to compare a guard's cost with."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

from interlock.core.types import JsonObject
from tests.support.kubectl import Kubectl, eventually

HACK = Path(__file__).resolve().parents[2] / "hack"
NAME = "interlock-test-bystander"
WEBHOOK = "bystander.interlock.dev"
HOST = "127.0.0.1"  # reached only by an API server on this machine


@contextmanager
def called(kubectl: Kubectl, namespace: str) -> Iterator[None]:
    """Have it called for every deletion of a ConfigMap in a namespace, for the length of a block."""
    authority = trustme.CA()
    with _listening(authority) as port:
        kubectl.apply(_configuration(namespace, port, authority.cert_pem.bytes()))
        kubectl.must("create", "configmap", "probe", "-n", namespace)
        try:
            eventually(lambda: _is_called(kubectl, namespace), seconds=10, what="the bystander called")
            yield
        finally:
            kubectl.must("delete", "validatingwebhookconfiguration", NAME)


@contextmanager
def _listening(authority: trustme.CA) -> Iterator[int]:
    leaf = authority.issue_cert(HOST)
    told = {
        "host": HOST,
        "certificate": leaf.cert_chain_pems[0].bytes().decode(),
        "key": leaf.private_key_pem.bytes().decode(),
    }
    command, settings = [sys.executable, "-m", "devtools.bench.noop"], {"PYTHONPATH": str(HACK)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=settings) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(told) + "\n")
        process.stdin.flush()
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def _is_called(kubectl: Kubectl, namespace: str) -> bool:
    """Whether the API server, which reads configurations a little later, calls it for a deletion."""
    kubectl.must("delete", "configmap", "probe", "-n", namespace, "--dry-run=server")
    return f'name="{WEBHOOK}"' in kubectl.must("get", "--raw", "/metrics").out


def _configuration(namespace: str, port: int, authority: bytes) -> JsonObject:
    client = {"url": f"https://{HOST}:{port}/", "caBundle": base64.b64encode(authority).decode()}
    webhook = {
        "name": WEBHOOK,
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "timeoutSeconds": 5,
        "clientConfig": client,
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["DELETE"], "resources": ["configmaps"]}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": NAME},
        "webhooks": [webhook],
    }
