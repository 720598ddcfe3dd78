"""Ways into Interlock's own namespace: each is closed by an admission policy, whether Interlock lives or not."""

from dataclasses import dataclass

import yaml

from interlock.core.types import JsonObject
from tests.chart import manifests
from tests.support.kubectl import Kubectl, Outcome

SYSTEM = "interlock-system"
FENCE = "ValidatingAdmissionPolicy"
GUARD = "interlock-guard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One attempt of a cluster administrator; nothing is changed should it succeed.

    Attributes:
        words: for kubectl.
        document: on standard input, if any.
    """

    words: tuple[str, ...]
    document: JsonObject | None = None

    def tried(self, kubectl: Kubectl) -> Outcome:
        """Try it."""
        return kubectl("-n", SYSTEM, *self.words, stdin=yaml.safe_dump(self.document) if self.document else "")


def refused_by_a_fence(attempt: Outcome) -> bool:
    """Whether one of the chart's admission policies refused."""
    return not attempt.ok and FENCE in attempt.err


def _create(document: JsonObject) -> Entry:
    return Entry(words=("create", "-f", "-", "--dry-run=server"), document=document)


def _run(*words: str) -> Entry:
    return Entry(words=(*words, "--dry-run=server"))


def _raw(path: str) -> Entry:
    return Entry(words=("get", "--raw", f"/api/v1/namespaces/{SYSTEM}/{path}"))


ENTRIES = {
    "exec": _raw("pods/some-pod/exec?command=true&stdout=true"),
    "attach": _raw("pods/some-pod/attach?stdout=true"),
    "port-forward": _raw("pods/some-pod/portforward?ports=9080"),
    "proxy to a pod": _raw("pods/some-pod/proxy/metrics"),
    "proxy to a Service": _raw(f"services/{GUARD}/proxy/"),
    "token of a guard": Entry(words=("create", "token", GUARD)),
    "token Secret of a guard": _create(manifests.token_secret(GUARD)),
    "pod as a guard": _create(manifests.pod("mine", GUARD)),
    "Deployment as a guard": _create(manifests.workload("apps/v1 Deployment", "mine", GUARD)),
    "notary key changed": _run("annotate", "secret", "interlock-notary", "mine=yes"),
    "notary key deleted": _run("delete", "secret", "interlock-notary"),
    "public key changed": _run("patch", "configmap", "interlock-notary", "-p", '{"data": {"notary.pub": "mine"}}'),
    "record invented": _run("create", "configmap", "interlock-lane-0123456789abcdef-0000000000"),
    "records deleted": _run("delete", "configmaps", "-l", "interlock.dev/ledger=lane"),
    "leader's Lease taken": _run(
        "patch", "lease", "interlock-controller", "-p", '{"spec": {"holderIdentity": "mine"}}'
    ),
}
"""What is tried, by name. The pods need not exist: admission comes first."""
