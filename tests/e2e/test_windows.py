"""Windows, end to end: recurrence rules, warnings, `interlock window`, and operations that outlast their window."""

import subprocess
from datetime import datetime, timedelta

import orjson
import pytest
import yaml

from interlock.core.types import JsonObject
from interlock.wiring import clock
from tests.e2e import policies
from tests.support.kubectl import Kubectl, eventually

pytestmark = pytest.mark.cluster

CLOSED = 3  # exit code
OPEN_SECONDS = 8  # long enough to become in force and delete something


def instant(moment: datetime) -> str:
    """RFC 3339."""
    return moment.isoformat(timespec="seconds")


def window(kubectl: Kubectl, name: str, *options: str) -> tuple[int, JsonObject]:
    """What `interlock window` says of a policy: exit code and facts."""
    command = ["interlock", "window", name, "--kubeconfig", kubectl.kubeconfig, "-o", "json", *options]
    done = subprocess.run(command, capture_output=True, check=False)
    [facts] = orjson.loads(done.stdout)["policies"]
    return done.returncode, facts


def test_a_rule_closes_and_is_answered_alike_everywhere(
    kubectl: Kubectl, apply: policies.Apply, namespace: str
) -> None:
    """Denial, status and command line name the same next opening, found by a recurrence rule in the policy's zone."""
    over = clock.now() - timedelta(days=2)  # whatever the zone
    rule = {"rule": "FREQ=MONTHLY;INTERVAL=2", "start": f"{over:%Y-%m-01}T02:00", "duration": "1m"}
    windows = {"timeZone": "Europe/Berlin", "allow": [{"name": "seldom", "rrule": rule}]}
    apply(policies.no_namespace_delete("e2e-rule", namespace, windows=windows))

    denied = kubectl("delete", "namespace", namespace, "--wait=false")
    code, facts = window(kubectl, "e2e-rule")
    status = kubectl.get("dangerpolicy", "e2e-rule")["status"]["window"]

    assert (code, facts["open"], facts["why"]) == (CLOSED, False, "outside every allow window")
    assert status == {"state": "Closed", "nextTransition": facts["nextOpening"], "nextOpen": facts["nextOpening"]}
    assert (denied.ok, f"({facts['nextOpening']}, in " in denied.err) == (False, True), denied.err


def test_a_freeze_without_end_is_warned_of(kubectl: Kubectl, namespace: str) -> None:
    """Whoever applies a freeze that leaves no opening is told so."""
    freeze = {"name": "ever", "once": {"start": "2020-01-01T00:00:00Z", "end": "2099-01-01T00:00:00Z"}}
    policy = policies.no_namespace_delete("e2e-frozen", namespace, windows={"timeZone": "UTC", "freeze": [freeze]})

    said = kubectl("apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(policy))

    assert said.ok
    assert "Warning: spec.windows.freeze: leaves no opening within the next 400 days" in said.err


def test_what_began_inside_may_go_on(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> None:
    """Who deleted inside the window goes on for its grace, whichever guard is asked; nobody else does."""
    for index in range(8):
        kubectl.must("create", "configmap", f"c{index}", "-n", namespace)
    now = clock.now()
    once = {"start": instant(now - timedelta(minutes=1)), "end": instant(now + timedelta(seconds=OPEN_SECONDS))}
    entry = {"name": "short", "once": once, "overrun": {"grace": "1h"}}
    windows = {"timeZone": "UTC", "allow": [entry]}
    apply(policies.no_configmap_delete("e2e-overrun", namespace, verdict="Allow", windows=windows))
    alice, eve = (("--as", name, "--as-group", "system:masters") for name in ("alice", "eve"))

    inside = kubectl("delete", "configmap", "c0", "-n", namespace, *alice)
    eventually(
        lambda: window(kubectl, "e2e-overrun")[0] == CLOSED, seconds=OPEN_SECONDS + 20, what="the window has closed"
    )
    others = kubectl("delete", "configmap", "c1", "-n", namespace, *eve)
    further = [kubectl("delete", "configmap", f"c{index}", "-n", namespace, *alice) for index in range(2, 8)]

    assert inside.ok, inside.err
    assert (others.ok, "e2e-overrun" in others.err) == (False, True), others.err
    assert [outcome.err for outcome in further if not outcome.ok] == []
    records = kubectl.get("auditrecords", "-n", namespace)["items"]
    reasons = [record["reason"] for record in records if record["verdict"] == "Allow"]
    assert sorted(reasons) == ["Overrun"] * 6 + ["Policy"]
