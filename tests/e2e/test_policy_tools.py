"""`interlock policy explain` and `lint` on a cluster: what they say beforehand is what the guard then does."""

import os

import orjson
import pytest
from typer.testing import CliRunner, Result

from interlock.cli.main import app
from interlock.core.types import JsonObject
from tests.e2e import policies
from tests.support.kubectl import Kubectl, eventually

pytestmark = pytest.mark.cluster


def interlock(*arguments: str) -> Result:
    """Run `interlock policy`."""
    return CliRunner().invoke(app, ["policy", *arguments, "--kubeconfig", os.environ["INTERLOCK_TEST_KUBECONFIG"]])


def explained(*arguments: str) -> JsonObject:
    """What `interlock policy explain` says."""
    found: JsonObject = orjson.loads(interlock("explain", *arguments, "-o", "json").stdout)
    return found


GUARD = {
    "actions": ["delete-namespace", "scale-to-zero", "remove-finalizer"],
    "namespaces": {"selector": {"matchLabels": {"env": "production"}}},
}
FINALIZER = {"metadata": {"name": "held", "finalizers": ["example.org/cleanup"]}}
DEPLOYMENT: JsonObject = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": "web"}]}},
    },
}
NO_FINALIZER = '{"metadata":{"finalizers":null}}'

# A line, the same as kubectl takes it, and the verdict.
ACTIONS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "a deletion": ("delete namespaces/{ns}", ("delete", "namespace", "{ns}", "--wait=false"), "Deny"),
    "a scale": (
        "scale deployments.apps/web -n {ns} --replicas 0",
        ("scale", "deployment", "web", "-n", "{ns}", "--replicas=0"),
        "Deny",
    ),
    "another scale": (
        "scale deployments.apps/web -n {ns} --replicas 3",
        ("scale", "deployment", "web", "-n", "{ns}", "--replicas=3"),
        "Allow",
    ),
    "a finalizer": (
        "patch configmaps/held -n {ns} -p '" + NO_FINALIZER + "'",
        ("patch", "configmap", "held", "-n", "{ns}", "--type=merge", "-p", NO_FINALIZER),
        "Deny",
    ),
    "a label": ("label namespaces/{ns} env-", ("label", "namespace", "{ns}", "env-"), "Deny"),
    "another label": ("label namespaces/{ns} team=a", ("label", "namespace", "{ns}", "team=a"), "Allow"),
}


@pytest.mark.parametrize(("line", "command", "verdict"), ACTIONS.values(), ids=ACTIONS.keys())
def test_said_and_done(
    kubectl: Kubectl, apply: policies.Apply, namespace: str, line: str, command: tuple[str, ...], verdict: str
) -> None:
    """What is explained of an action beforehand is what comes of it: the verdict, and what was attempted."""
    for each in (FINALIZER | {"apiVersion": "v1", "kind": "ConfigMap"}, DEPLOYMENT):
        kubectl.must("apply", "-n", namespace, "-f", "-", stdin=orjson.dumps(each).decode())
    apply(policies.policy("e2e-explained", match=GUARD))
    who = ("--as", "eve", "--as-group", "system:masters")

    said = explained(f"{line.replace('{ns}', namespace)} as eve --group system:masters")
    done = kubectl(*(part.replace("{ns}", namespace) for part in command), *who)

    assert (said["verdict"], done.ok) == (verdict, verdict == "Allow"), (said, done.err)
    attempted = [part for part in said["message"].splitlines() if part.startswith("attempted: ")]
    assert all(part in done.err for part in attempted), (attempted, done.err)


def test_a_record(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> None:
    """A denial's record is explained by its name: who, what, which policy, and that the policy is still the same."""
    apply(policies.no_namespace_delete("e2e-recorded", namespace))
    denied = kubectl("delete", "namespace", namespace, "--wait=false").err
    record = denied.rpartition("record ")[2].split()[0]

    found = eventually(
        lambda: interlock("explain", "--record", record, "-o", "json").stdout, seconds=20, what="the record"
    )

    said = orjson.loads(found)
    [policy] = [each for each in said["policies"] if each["name"] == "e2e-recorded"]
    assert (said["verdict"], said["decidedBy"], said["name"]) == ("Deny", ["e2e-recorded"], namespace)
    assert (policy["yields"], policy["record"]) == ("Deny", [])


def test_lint(apply: policies.Apply, namespace: str) -> None:
    """Policies of the cluster are linted where they are."""
    apply(policies.no_namespace_delete("e2e-linted", namespace))

    problems = orjson.loads(interlock("lint", "--from-cluster", "-o", "json").stdout)["problems"]

    assert [each["said"] for each in problems if each["policy"] == "e2e-linted"] == [
        "delete-namespace is guarded, but not remove-finalizer, finalize-namespace"
    ]
