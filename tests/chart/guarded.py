"""A namespace around which the chart's ValidatingAdmissionPolicies are in force.

They are rendered for a namespace of the test's own and renamed, so that they stand beside those of an installed
Interlock. No process of Interlock's runs there: the API server alone refuses.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import yaml

from interlock.core.types import JsonObject
from tests.chart import manifests
from tests.chart.callers import ADMINISTRATOR, BREAK_GLASS_GROUP, CONTROLLER, GUARD, Caller
from tests.chart.helm import Helm
from tests.support.kubectl import Kubectl, Outcome, eventually

RECORDS = "interlock-lane-0123456789abcdef-0000000001"
KEYS = [
    "secret/interlock-ca",
    "secret/interlock-digest-key",
    "secret/interlock-prover",
    "secret/interlock-guard",
    "secret/interlock-notary",
    "configmap/interlock-notary",
    "configmap/interlock-ledger",
]
ACCOUNTS = ["interlock-guard", "interlock-controller", "interlock-prover"]

TEMPLATES = ("entry", "keys", "leases", "pods", "records", "tokens", "workloads")
IN_FORCE_SECONDS = 30.0  # the API server compiles new policies within a second or two
POLICY = "ValidatingAdmissionPolicy"
DRY_RUN = "--dry-run=server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """A namespace that the policies guard."""

    kubectl: Kubectl
    name: str

    def by(self, caller: Caller, *arguments: str, stdin: str = "") -> Outcome:
        """Run kubectl in the namespace as somebody; `{namespace}` in arguments stands for it."""
        words = [argument.replace("{namespace}", self.name) for argument in arguments]
        return self.kubectl("--namespace", self.name, *caller.flags(self.name), *words, stdin=stdin)

    def creates(self, caller: Caller, document: JsonObject, *options: str) -> Outcome:
        """Have somebody create an object."""
        return self.by(caller, "create", "-f", "-", *options, stdin=yaml.safe_dump(document))

    def makes(self, caller: Caller, what: str, *options: str) -> Outcome:
        """Have somebody create an empty `secret/name` or `configmap/name`."""
        kind, _, name = what.partition("/")
        words = ["secret", "generic", name] if kind == "secret" else [kind, name]
        return self.by(caller, "create", *words, *options)


def refused(attempt: Outcome, why: str) -> bool:
    """Whether one of the policies refused, saying this."""
    return not attempt.ok and POLICY in attempt.err and why in attempt.err


@contextmanager
def furnished(kubectl: Kubectl, helm: Helm, name: str) -> Iterator[Guarded]:
    """A guarded namespace with a commit of records and all keys, made by those who may."""
    with unfurnished(kubectl, helm, name) as namespace:
        assert namespace.makes(GUARD, f"configmap/{RECORDS}").ok
        for key in KEYS:
            assert namespace.makes(CONTROLLER, key).ok
        yield namespace


@contextmanager
def unfurnished(kubectl: Kubectl, helm: Helm, name: str) -> Iterator[Guarded]:
    """A namespace with Interlock's accounts and the policies around it, in force; all of it is gone afterwards."""
    namespace = Guarded(kubectl=kubectl, name=name)
    policies = yaml.safe_dump_all(_policies(helm, name))
    kubectl.must("create", "namespace", name)
    for account in ACCOUNTS:
        kubectl.must("create", "serviceaccount", account, "--namespace", name)
    kubectl.must("apply", "-f", "-", stdin=policies)
    try:
        eventually(lambda: _in_force(namespace), seconds=IN_FORCE_SECONDS, what=f"policies around {name}")
        yield namespace
    finally:
        kubectl.must("delete", "-f", "-", stdin=policies)
        kubectl.must("delete", "namespace", name, "--ignore-not-found", "--wait=false")


def _policies(helm: Helm, namespace: str) -> list[JsonObject]:
    """The chart's policies and bindings for a namespace, under names of their own."""
    only = [f"--show-only=templates/admission-{name}.yaml" for name in TEMPLATES]
    rendered = helm.template(*only, "--set", f"breakGlassGroups={{{BREAK_GLASS_GROUP}}}", namespace=namespace)
    found: list[JsonObject] = list(yaml.safe_load_all(rendered))
    for each in found:
        each["metadata"]["name"] += f"-{namespace}"
        if "policyName" in each["spec"]:
            each["spec"]["policyName"] += f"-{namespace}"
    return found


def _in_force(namespace: Guarded) -> bool:
    """Whether the API server refuses what each of them forbids."""
    objects = [
        manifests.lease("interlock-controller"),
        manifests.pod("mine", ACCOUNTS[0]),
        manifests.token_secret(ACCOUNTS[0]),
        manifests.workload("apps/v1 ReplicaSet", "mine", ACCOUNTS[0]),
    ]
    probes = [
        namespace.makes(ADMINISTRATOR, f"configmap/{RECORDS}", DRY_RUN),
        namespace.makes(ADMINISTRATOR, KEYS[0], DRY_RUN),
        namespace.by(ADMINISTRATOR, "get", "--raw", "/api/v1/namespaces/{namespace}/pods/none/proxy"),
        *(namespace.creates(ADMINISTRATOR, each, DRY_RUN) for each in objects),
    ]
    return all(POLICY in probe.err for probe in probes)
