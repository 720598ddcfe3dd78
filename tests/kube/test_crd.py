"""The CRD on a real API server: it is accepted, the examples apply, and what must be refused is, with its path.

Everything is applied with --dry-run=server, so that nothing is written but the CRD itself, which Interlock's chart
brings as well. Where the policy webhook is there, the schema is still asked first.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from interlock.core.types import JsonObject
from tests.support import policies
from tests.support.kubectl import Kubectl, eventually

pytestmark = pytest.mark.cluster

SCHEMA_REFUSALS = [refusal for refusal in policies.REFUSALS if "server" in refusal]


@pytest.fixture(scope="module")
def kubectl() -> Iterator[Kubectl]:
    """kubectl, on a server with the CRD: the one that the chart brought, else ours, which then goes again."""
    run = Kubectl(kubeconfig=os.environ["INTERLOCK_TEST_KUBECONFIG"])
    had_it = run("get", "-f", str(policies.CRD)).ok
    if not had_it:
        run.must("create", "-f", str(policies.CRD))
    run.must("wait", "--for=condition=Established", "--timeout=30s", "-f", str(policies.CRD))
    eventually(lambda: run("get", "dangerpolicies").ok, seconds=30, what="dangerpolicies served")
    yield run
    if not had_it:
        run.must("delete", "-f", str(policies.CRD), "--wait=true")


def dry_run(kubectl: Kubectl, obj: JsonObject) -> str:
    """What `kubectl apply` says to a policy; empty if it is accepted."""
    outcome = kubectl("apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(obj))
    return "" if outcome.ok else outcome.err


def test_crd_is_sound(kubectl: Kubectl) -> None:
    """The API server finds the schema structural and its rules affordable."""
    found = kubectl.get("crd", "dangerpolicies.interlock.dev")
    conditions = {condition["type"]: condition["status"] for condition in found["status"]["conditions"]}

    assert conditions.get("NonStructuralSchema", "False") == "False"
    assert conditions["Established"] == "True"


@pytest.mark.parametrize("path", policies.EXAMPLES, ids=lambda path: path.stem)
def test_example_applies(kubectl: Kubectl, path: Path) -> None:
    """`kubectl apply -f` of every example succeeds, comments, quotes and all."""
    outcome = kubectl("apply", "--dry-run=server", "-f", str(path))

    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.parametrize("refusal", SCHEMA_REFUSALS, ids=lambda refusal: refusal["case"])
def test_refused_at_apply_is(kubectl: Kubectl, refusal: JsonObject) -> None:
    """What the schema can say it says, with the path of the field, what was there and what would be accepted."""
    said = dry_run(kubectl, policies.policy(policies.changed(policies.SOUND, refusal["change"])))

    assert refusal["server"] in said


def test_the_sound_policy_itself_applies_and_gets_its_defaults(kubectl: Kubectl) -> None:
    """The refusals above are about their one change; what is left out is filled in where that is always the same."""
    freeze = {"name": "f", "weekly": {"days": ["Mon"], "start": "08:00", "end": "10:00"}}
    spec = policies.changed(policies.SOUND, {"windows": {"timeZone": "Europe/Berlin", "freeze": [freeze]}})
    obj = yaml.safe_dump(policies.policy(spec))
    found = kubectl.must("apply", "--dry-run=server", "-o", "json", "-f", "-", stdin=obj).json()

    assert found["spec"] == {**spec, "leaveProtection": "Enabled", "windows": {**spec["windows"], "outside": "Deny"}}


def test_unquoted_instants_are_texts(kubectl: Kubectl) -> None:
    """kubectl hands an instant on as it is written, quoted or not."""
    text = """
    apiVersion: interlock.dev/v1alpha1
    kind: DangerPolicy
    metadata: {name: unquoted}
    spec:
      severity: Low
      mode: Observe
      match: {actions: [exec]}
      windows:
        timeZone: UTC
        freeze: [{name: f, once: {start: 2026-11-26T00:00:00+01:00, end: 2026-12-01T00:00:00+01:00}}]
    """

    assert kubectl("apply", "--dry-run=server", "-f", "-", stdin=text).err == ""


def test_explain_knows_every_field(kubectl: Kubectl) -> None:
    """`kubectl explain` shows the descriptions."""
    assert "There is no default" in kubectl.must("explain", "dangerpolicy.spec.mode").out
