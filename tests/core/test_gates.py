"""Gates of a policy one by one: they say what the guard's own matching says, and why."""

from dataclasses import replace

import pytest
import yaml

from interlock.core import catalogue, gates, snapshot
from interlock.core.gates import Gate
from interlock.core.policies import match, policy
from interlock.core.policies.match import View
from interlock.core.review import request as reader
from interlock.core.types import Finding, JsonObject, NamespaceView, Reach, Severity
from tests import vectors
from tests.support import policies
from tests.support.policies import ALICE, named, parsed, request

NAMESPACES = {
    "shop": NamespaceView(name="shop", labels={"env": "prod"}),
    "prod-shop": NamespaceView(name="prod-shop", labels={"env": "production"}),
}
ALL_RESOURCES = [{"groups": ["*"], "resources": ["*/*"]}]
STORED = (
    *(policy.parse(yaml.safe_load(path.read_text())) for path in policies.EXAMPLES),
    parsed("plain", match={"actions": None, "operations": ["UPDATE", "CONNECT"], "resources": ALL_RESOURCES}),
    parsed("labelled", match={"actions": ["*"], "objects": {"selector": {"matchLabels": {"app": "web"}}}}),
    parsed("somebody", match={"actions": ["*"], "minSeverity": "High", "subjects": {"groups": ["system:masters"]}}),
    parsed("elsewhere", match={"actions": ["*"], "namespaces": {"names": ["kube-*", "team-*"]}}),
)


@pytest.mark.parametrize("name", vectors.names())
def test_gates_say_what_the_guard_says(name: str) -> None:
    """On every recorded review every policy's gates let through just what the guard's matching selects."""
    review = reader.parse(vectors.read(name))
    view = View.of(review, NAMESPACES)
    findings = catalogue.find(review, snapshot.build())

    for each in STORED:
        selected = [looked.finding for looked in gates.looked(each, findings, view) if looked.selected]
        assert selected == match.selected(each.match, findings, view), each.name


NAMED = Finding(
    action="exec", family="interactive", severity=Severity.HIGH, evidence="exec sh", reach=Reach.of("shop", "lab")
)
PLAIN = Finding(action="connect", family="plain", severity=Severity.LOW, evidence="", reach=Reach.nowhere())
EXEC = {"actions": ["exec"]}
SELECTOR = {
    "matchExpressions": [{"key": "env", "operator": "In", "values": ["prod"]}, {"key": "x", "operator": "Exists"}]
}
REQUEST = request("CONNECT", "pods/exec")

SAID: dict[str, tuple[JsonObject, Finding, list[Gate]]] = {
    "an action": (EXEC, NAMED, [Gate("actions", held=True, said="exec is of exec")]),
    "another action": ({"actions": ["attach"]}, NAMED, [Gate("actions", held=False, said="exec is not among attach")]),
    "a grade": (
        EXEC | {"minSeverity": "Critical"},
        NAMED,
        [
            Gate("actions", held=True, said="exec is of exec"),
            Gate("minSeverity", held=False, said="graded High, at least Critical is asked"),
        ],
    ),
    "a plain finding of a policy for named ones": (EXEC, PLAIN, [Gate("operations", held=False, said="it names none")]),
    "a named finding of a policy for plain ones": (
        {"actions": None, "operations": ["DELETE"], "resources": ALL_RESOURCES},
        NAMED,
        [Gate("actions", held=False, said="it names none")],
    ),
    "operations and resources": (
        {"actions": None, "operations": ["DELETE"], "resources": [{"groups": ["", "apps"], "resources": ["pods"]}]},
        PLAIN,
        [
            Gate("operations", held=False, said="CONNECT is not among DELETE"),
            Gate("resources", held=False, said="pods/exec of the core group is not among pods (core, apps)"),
        ],
    ),
    "namespaces by name and label": (
        EXEC | {"namespaces": {"names": ["sh*"], "selector": SELECTOR}},
        NAMED,
        [
            Gate("actions", held=True, said="exec is of exec"),
            Gate(
                "namespaces",
                held=False,
                said="it reaches lab, whose labels are not known and are taken to fit, shop with env=prod, no x; "
                "sh* with env=prod, x is asked",
            ),
        ],
    ),
    "no namespace": (
        {"actions": None, "operations": ["CONNECT"], "resources": ALL_RESOURCES, "namespaces": {"names": ["a", "b"]}},
        PLAIN,
        [
            Gate("operations", held=True, said="CONNECT is among CONNECT"),
            Gate("resources", held=True, said="pods/exec of the core group is among */* (*)"),
            Gate("namespaces", held=False, said="it reaches no namespace, a or b is asked"),
        ],
    ),
    "all namespaces": (
        EXEC | {"namespaces": {"names": ["a"]}},
        replace(NAMED, reach=Reach.everywhere()),
        [
            Gate("actions", held=True, said="exec is of exec"),
            Gate("namespaces", held=True, said="it reaches all namespaces, so a too"),
        ],
    ),
    "objects whose labels are not in the review": (
        EXEC | {"objects": {"selector": SELECTOR}},
        NAMED,
        [
            Gate("actions", held=True, said="exec is of exec"),
            Gate(
                "objects",
                held=True,
                said="it is web-0, whose labels are not known and are taken to fit; env=prod, x is asked",
            ),
        ],
    ),
    "subjects": (
        EXEC | {"subjects": {"users": ["bob"], "groups": ["sre", "ops"]}},
        NAMED,
        [
            Gate("actions", held=True, said="exec is of exec"),
            Gate(
                "subjects",
                held=False,
                said="alice in dev, system:authenticated; users bob; groups sre, ops is asked",
            ),
        ],
    ),
}


def asked(scope: JsonObject, finding: Finding) -> list[Gate]:
    """What a policy with this match says to a finding."""
    [looked] = gates.looked(parsed(match=scope), [finding], View.of(REQUEST, NAMESPACES))
    return list(looked.gates)


@pytest.mark.parametrize(("scope", "finding", "said"), SAID.values(), ids=SAID.keys())
def test_said_is(scope: JsonObject, finding: Finding, said: list[Gate]) -> None:
    """Every gate says what it looked at and what it asks."""
    assert asked({"actions": None} | scope, finding) == said


def test_lifted() -> None:
    """Of a finding that is selected, every exclude entry that lifts it is named; one that is not is not asked about."""
    stored = parsed(match=EXEC, exclude=[{"subjects": {"users": ["bob"]}}, {"subjects": {"users": [ALICE.name]}}, EXEC])

    one, other = gates.looked(stored, [NAMED, PLAIN], View.of(REQUEST, NAMESPACES))

    assert (one.selected, one.applies, one.lifted_by) == (True, False, ("spec.exclude[1]", "spec.exclude[2]"))
    assert (other.selected, other.applies, other.lifted_by) == (False, False, ())


def test_what_is_left() -> None:
    """A request that leaves a policy is selected by that alone."""
    view = View.of(request("UPDATE", old=named({"app": "web"}), new=named()), NAMESPACES)
    leaving = replace(NAMED, action="leave-protection", evidence="new labels take it out")

    found = gates.left(parsed(), leaving, view)

    assert (found.applies, found.gates) == (True, (Gate("leaveProtection", held=True, said="new labels take it out"),))
