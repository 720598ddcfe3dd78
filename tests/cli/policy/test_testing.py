"""`interlock policy test`: what it prints, how it ends, what it refuses."""

from pathlib import Path

import orjson
import pytest
import yaml
from typer.testing import CliRunner, Result

from interlock.cli.main import app
from interlock.core.types import JsonObject

POLICY = """
apiVersion: interlock.dev/v1alpha1
kind: DangerPolicy
metadata: {name: guard}
spec:
  severity: High
  mode: Enforce
  match: {actions: [exec, delete-volume], namespaces: {selector: {matchLabels: {env: prod}}}}
  exclude: [{subjects: {groups: [sre]}}]
  windows: {timeZone: UTC, allow: [{name: night, weekly: {days: [Tue], start: "22:00", end: "23:00"}}]}
  message: "Ask in #prod"
"""
SUITE = """
apiVersion: interlock.dev/v1alpha1
kind: PolicyTest
metadata: {name: guard}
policies: [guard.yaml]
namespaces: {shop: {env: prod}, dev: {}}
objects:
- {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: shop}, spec: {volumeName: pv-7}}
time: 2026-11-25T12:00:00Z
cases:
"""
GOOD = """
- name: nobody opens a shell
  request: exec pods/web-0 -n shop -- sh as alice
  expect: {verdict: Deny, findings: [exec, connect], policy: guard, message: "Ask in #prod"}
- name: but those who may
  request: exec pods/web-0 -n shop -- sh as bob --group sre
  expect: {verdict: Allow, policy: guard}
- name: and at night
  time: 2026-11-24T22:30:00Z
  request: exec pods/web-0 -n shop -- sh as alice
  expect: {verdict: Allow, policy: guard, wouldHave: Nothing}
- name: elsewhere everybody
  request: exec pods/web-0 -n dev -- sh as alice
  expect: Allow
- name: by its parts
  request: {operation: DELETE, resource: persistentvolumeclaims, namespace: shop, name: data, as: alice,
            oldObject: {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}}}
  expect: {verdict: Deny, findings: [delete-volume]}
- name: by its review
  request: {review: review.json}
  expect: Deny
"""
BAD = """
- name: deleted as anybody likes
  request: delete pvc/data -n shop as alice
  expect: {verdict: Warn, findings: [exec], policy: other, wouldHave: Deny, message: no such words}
""".replace("pvc/", "persistentvolumeclaims/")
REVIEW = {
    "apiVersion": "admission.k8s.io/v1",
    "kind": "AdmissionReview",
    "request": {
        "uid": "u",
        "operation": "CONNECT",
        "kind": {"group": "", "version": "v1", "kind": "PodExecOptions"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "subResource": "exec",
        "name": "web-0",
        "namespace": "shop",
        "userInfo": {"username": "alice"},
        "object": {"command": ["sh"]},
    },
}
LABELLED = REVIEW | {"request": REVIEW["request"] | {"object": {"metadata": {"labels": {"a": {}}}}}}  # type: ignore[operator]


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the policy and a recorded review."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "guard.yaml").write_text(POLICY)
    (tmp_path / "review.json").write_bytes(orjson.dumps(REVIEW))
    (tmp_path / "labels.json").write_text('{"a": "b"}')
    return tmp_path


def run(*arguments: str, suite: str = "") -> Result:
    """Run the command on a suite."""
    if suite:
        Path("suite.yaml").write_text(suite)
    return CliRunner().invoke(app, ["policy", "test", *arguments])


def test_cases_that_pass() -> None:
    """Every form of a request is decided as the guard decides it, one line a case, and exit code 0."""
    found = run(".", suite=SUITE + GOOD)

    assert (found.exit_code, found.stderr) == (0, "")
    assert found.stdout == (
        "guard   suite.yaml\n"
        "  PASS   nobody opens a shell   Deny by guard\n"
        "  PASS   but those who may      Allow by guard\n"
        "  PASS   and at night           Allow by guard\n"
        "  PASS   elsewhere everybody    Allow, no policy spoke\n"
        "  PASS   by its parts           Deny by guard\n"
        "  PASS   by its review          Deny by guard\n"
        "\n"
        "1 suite, 6 cases: 6 passed, 0 failed\n"
    )


MESSAGE = [
    "Denied (High)",
    "policy guard",
    "attempted: delete PersistentVolumeClaim data in shop, bound to PersistentVolume pv-7 (delete-volume)",
    "window: closed; opens Tue 2026-12-01 22:00 UTC (2026-12-01T22:00:00Z, in 6 d 10 h)",
    "next: Ask in #prod",
    "record of a test (being stored)",
]


def test_a_case_that_fails() -> None:
    """Everything that differs is told, with what was found, and exit code 1."""
    found = run("suite.yaml", suite=SUITE + BAD)

    assert (found.exit_code, found.stderr) == (1, "")
    assert found.stdout.splitlines() == [
        "guard   suite.yaml",
        "  FAIL   deleted as anybody likes   Deny by guard",
        "        verdict: got Deny, expected Warn",
        "        findings: got delete-volume, delete, expected exec",
        "        policy: got guard, expected other",
        "        wouldHave: got Nothing, expected Deny",
        "        message: expected a part 'no such words', got:",
        *(f"          {line}" for line in MESSAGE),
        "",
        "1 suite, 1 case: 0 passed, 1 failed",
    ]


def test_for_programs() -> None:
    """JSON has every case with what was decided and what differs."""
    found = orjson.loads(run("suite.yaml", "-o", "json", suite=SUITE + BAD).stdout)

    [suite] = found["suites"]
    [case] = suite["cases"]
    assert (found["passed"], found["errors"], suite["name"], suite["file"]) == (False, [], "guard", "suite.yaml")
    assert case["differences"][0] == {"what": "verdict", "got": "Deny", "expected": "Warn"}
    assert case | {"differences": [], "findings": []} == {
        "name": "deleted as anybody likes",
        "passed": False,
        "verdict": "Deny",
        "policies": ["guard"],
        "wouldHave": "Nothing",
        "findings": [],
        "message": "\n".join(MESSAGE),
        "differences": [],
    }


def test_junit() -> None:
    """JUnit XML has a testcase for each case, a failure where it differs, and an error for what cannot be read."""
    Path("broken.yaml").write_text("kind: PolicyTest")

    found = run(".", "-o", "junit", suite=SUITE + GOOD[: GOOD.index("- name: but")] + BAD)

    lines = [line.strip() for line in found.stdout.splitlines()]
    assert found.exit_code == 2
    assert [line for line in lines if line.startswith(("<", "verdict"))] == [
        "<?xml version='1.0' encoding='utf-8'?>",
        '<testsuites name="interlock policy test" tests="3" failures="1" errors="1">',
        '<testsuite name="guard" file="suite.yaml" tests="2" failures="1" errors="0">',
        '<testcase name="nobody opens a shell" classname="guard" file="suite.yaml" />',
        '<testcase name="deleted as anybody likes" classname="guard" file="suite.yaml">',
        '<failure message="verdict: got Deny, expected Warn">verdict: got Deny, expected Warn',
        "</testcase>",
        "</testsuite>",
        '<testsuite name="unreadable 1" tests="1" failures="0" errors="1">',
        '<testcase name="can be read" classname="unreadable 1">',
        (
            '<error message="broken.yaml: apiVersion: got nothing, expected interlock.dev/v1alpha1">'
            "broken.yaml: apiVersion: got nothing, expected interlock.dev/v1alpha1"
        ),
        "</testcase>",
        "</testsuite>",
        "</testsuites>",
    ]


REFUSED: dict[str, tuple[JsonObject, str]] = {
    "an unknown field": ({"polices": []}, "polices: got an unknown field, expected policies"),
    "an unknown field of a case": (
        {"cases": [{"name": "c", "request": "proxy nodes/n as a", "expect": {"verdict": "Deny", "polic": "x"}}]},
        "cases[0].expect.polic: got an unknown field, expected policy",
    ),
    "a policy that is not there": (
        {"policies": ["none.yaml"]},
        "policies[0]: got none.yaml: No such file or directory, expected a file that can be read",
    ),
    "a policy that does not compile": (
        {"policies": [yaml.safe_load(POLICY) | {"spec": {"severity": "Urgent"}}]},
        'policies[0] (guard): spec.severity: got "Urgent", expected one of Critical, High, Medium, Low',
    ),
    "a policy that is none": (
        {"policies": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}]},
        "policies[0]: got a Pod, expected a DangerPolicy",
    ),
    "a policy twice": (
        {"policies": ["guard.yaml", "guard.yaml"]},
        "policies[1]: got policy guard twice, expected policies of different names",
    ),
    "windows and no time": (
        {"time": None},
        (
            "cases[0].time: got nothing, and policy guard has windows, "
            "expected RFC 3339 with an offset, such as 2026-11-25T22:30:00+01:00"
        ),
    ),
    "a time without offset": (
        {"time": "2026-11-25T12:00:00"},
        'time: got "2026-11-25T12:00:00", expected RFC 3339 with an offset, such as 2026-11-25T22:30:00+01:00',
    ),
    "a namespace that is not described": (
        {"namespaces": {"dev": {}}},
        "cases[0].request: got namespace shop, which is not described, expected it under namespaces, with its labels",
    ),
    "labels that are none": (
        {"namespaces": {"shop": {"env": True}}},
        'namespaces.shop: got {"env":true}, expected labels, each a text; {} for none',
    ),
    "a verdict that there is not": (
        {"cases": [{"name": "c", "request": "proxy nodes/n as a", "expect": "Block"}]},
        'cases[0].expect: got "Block", expected one of Deny, Warn, Allow',
    ),
    "a request that cannot be made": (
        {"cases": [{"name": "c", "request": "delete pods/p -n shop as a", "expect": "Deny"}]},
        "cases[0].request: objects: got no pods p in shop, expected the object, since the review shows it",
    ),
    "parts that are no request": (
        {
            "cases": [
                {
                    "name": "c",
                    "request": {"operation": "UPDATE", "resource": "pods", "namespace": "shop", "as": "a"},
                    "expect": "Deny",
                }
            ]
        },
        "cases[0].request: request.object: got nothing, expected the object to update",
    ),
    "parts without a namespace": (
        {"cases": [{"name": "c", "request": {"operation": "DELETE", "resource": "pods", "as": "a"}, "expect": "Deny"}]},
        "cases[0].request: namespace: got nothing, expected the namespace of pods",
    ),
    "a file of something else": (
        {"cases": [{"name": "c", "request": "apply -f labels.json as a", "expect": "Deny"}]},
        "cases[0].request: labels.json: got something else, expected an object with apiVersion, kind, metadata.name",
    ),
    "labels that no object has": (
        {"objects": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"a": 1}}}]},
        "objects[0]: got something else, expected a file, or an object with apiVersion, kind, metadata.name",
    ),
    "labels that no review has": (
        {"cases": [{"name": "c", "expect": "Deny", "request": {"review": LABELLED}}]},
        "cases[0].request: metadata.labels: got something else, expected labels, each a text",
    ),
    "no cases": ({"cases": []}, "cases: got an empty list, expected at least one item, or no such field"),
}


@pytest.mark.parametrize(("change", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_is(change: JsonObject, says: str) -> None:
    """A suite with a fault is refused with the path of it, and exit code 2."""
    whole = yaml.load(SUITE + GOOD[: GOOD.index("- name: but")], yaml.BaseLoader)  # noqa: S506  everything a text
    suite = {key: value for key, value in (whole | change).items() if value is not None}

    found = run("suite.yaml", suite=yaml.safe_dump(suite))

    assert (found.exit_code, found.stdout) == (2, "")
    assert f"suite.yaml: {says}" in found.stderr.splitlines()


FILES = {
    "a key twice": (
        "kind: PolicyTest\nkind: Pod\n",
        "suite.yaml:2: got the key kind twice, expected YAML, every key once",
    ),
    "no YAML": ("kind: [", "suite.yaml:1: got expected the node content, but found '<stream end>'"),
    "no suite": ("kind: Pod", "suite.yaml: got no PolicyTest, expected a file with one, or a directory"),
    "a number that JSON has not": (f"a: {10**30}", "suite.yaml: got Integer exceeds 64-bit range"),
}


@pytest.mark.parametrize(("content", "says"), FILES.values(), ids=FILES.keys())
def test_a_file_that_is_none(content: str, says: str) -> None:
    """A file that holds no suite is refused, saying where and why."""
    found = run("suite.yaml", suite=content)

    assert (found.exit_code, found.stdout, found.stderr.startswith(says)) == (2, "", True), found.stderr


def test_what_else_is_in_a_directory() -> None:
    """Templates, policies and manifests beside suites are passed over; a suite that is broken is not."""
    Path("template.yaml").write_text("{{- if .Values.enabled }}\nkind: Pod\n")
    Path("pods.yaml").write_text("kind: Pod\n---\nkind: Service\n")

    assert run(".", suite=SUITE + GOOD).exit_code == 0

    Path("broken.yaml").write_text("kind: PolicyTest\n{{")
    assert run(".").stderr.startswith("broken.yaml:2: got ")


def test_nothing_to_try() -> None:
    """A directory without any suite is an error: a test that tries nothing passes nothing."""
    assert (run(".").exit_code, run(".").stderr) == (2, ".: got no PolicyTest, expected at least one\n")
