"""Leaving protection: an update of labels that takes something out of what an Enforce policy speaks of."""

from datetime import UTC, datetime
from typing import Any

import pytest

from interlock.core import snapshot
from interlock.core.decide import decide
from interlock.core.policies.policy import Policy
from interlock.core.types import Decision, Finding, JsonObject, NamespaceView, Reach, Request, Severity, User, Verdict
from tests.support.policies import ALICE, find, named, namespace_request, parsed, request

NOW = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)  # a Tuesday
OPEN = {"timeZone": "UTC", "allow": [{"name": "day", "weekly": {"days": ["Tue"], "start": "08:00", "end": "18:00"}}]}

PROD = {"selector": {"matchLabels": {"env": "prod"}}}
DB = {"selector": {"matchLabels": {"db": "yes"}}}
SECRETS = {"actions": None, "operations": ["DELETE"], "resources": [{"groups": [""], "resources": ["secrets"]}]}

KNOWN = [NamespaceView(name="shop", labels={"env": "prod"}), NamespaceView(name="play", labels={"env": "dev"})]


def decided(stored: Policy, review: Request) -> Decision:
    """What the policy decides on a review."""
    return decide(review, find(review), snapshot.build(policies=[stored], namespaces=KNOWN), NOW)


def relabelled(resource: str, before: JsonObject, after: JsonObject, **more: Any) -> Request:
    """An update of labels."""
    return request("UPDATE", resource, old=named(before), new=named(after), **more)


def moved(before: JsonObject, after: JsonObject, user: User = ALICE) -> Request:
    """An update of the labels of namespace shop."""
    return namespace_request("UPDATE", "shop", old=named(before), new=named(after), user=user)


OUT = moved({"env": "prod", "team": "a"}, {"env": "dev", "team": "a"})
UNLABELLED = relabelled("secrets", {"db": "yes"}, {})


@pytest.mark.parametrize(
    ("match", "review"),
    [
        pytest.param({"namespaces": PROD}, OUT, id="a namespace leaves a policy about deleting namespaces"),
        pytest.param({**SECRETS, "namespaces": PROD}, OUT, id="a namespace leaves a policy about what is inside"),
        pytest.param({"actions": ["exec"], "namespaces": PROD}, OUT, id="a namespace leaves a policy about exec"),
        pytest.param(
            {"actions": ["*"], "namespaces": PROD}, OUT, id="a namespace leaves a policy about anything named"
        ),
        pytest.param({"objects": PROD}, OUT, id="a namespace is an object too"),
        pytest.param({**SECRETS, "objects": DB}, UNLABELLED, id="an object leaves a policy about its resource"),
        pytest.param(
            {"operations": ["DELETE"], "resources": [{"groups": ["*"], "resources": ["*"]}], "objects": DB},
            UNLABELLED,
            id="an object leaves a policy about every resource",
        ),
        pytest.param(
            {"actions": ["delete-secret"], "objects": DB},
            UNLABELLED,
            id="an object leaves a policy about actions on its kind",
        ),
        pytest.param(
            {**SECRETS, "objects": DB, "namespaces": PROD},
            UNLABELLED,
            id="an object in a namespace that is meant leaves",
        ),
        pytest.param(
            {**SECRETS, "objects": DB, "namespaces": PROD},
            relabelled("secrets", {"db": "yes"}, {}, namespace="unknown"),
            id="an object in a namespace of unknown labels leaves",
        ),
        pytest.param(
            {"actions": ["exec"], "objects": DB},
            relabelled("pods/status", {"db": "yes"}, {}),
            id="a status write takes an object out",
        ),
        pytest.param(
            {"namespaces": PROD},
            request(
                "UPDATE", "namespaces/finalize", name="shop", namespace="shop", old=named({"env": "prod"}), new=named()
            ),
            id="a write of another subresource takes a namespace out",
        ),
        pytest.param(
            {"actions": ["delete-volume"], "objects": DB, "namespaces": {"names": ["shop"]}},
            relabelled("persistentvolumes", {"db": "yes"}, {}, namespace=""),
            id="a cluster-scoped object leaves, whatever it reaches",
        ),
    ],
)
def test_leaving_is_denied(match: JsonObject, review: Request) -> None:
    """An update after which the policy no longer speaks of what it spoke of is judged by that policy."""
    decision = decided(parsed("guard", match=match), review)

    assert decision.verdict is Verdict.DENY
    assert [outcome.finding for outcome in decision.outcomes] == ["leave-protection"]


@pytest.mark.parametrize(
    ("match", "review"),
    [
        pytest.param({"namespaces": PROD}, moved({"env": "prod"}, {"env": "prod", "x": "y"}), id="other labels change"),
        pytest.param(
            {**SECRETS, "namespaces": PROD},
            moved({"env": "prod"}, {"env": "prod", "x": "y"}),
            id="other labels change of a namespace whose objects are meant",
        ),
        pytest.param(
            {**SECRETS, "objects": DB, "namespaces": PROD},
            moved({"env": "prod", "db": "yes"}, {"env": "prod"}),
            id="a namespace changes labels that are asked of objects of another kind",
        ),
        pytest.param(
            {"namespaces": PROD, "objects": {"names": ["blog"]}},
            OUT,
            id="the policy is about another namespace by name",
        ),
        pytest.param({"namespaces": PROD}, moved({"env": "dev"}, {"env": "prod"}), id="a namespace comes in"),
        pytest.param({"namespaces": PROD}, moved({"env": "dev"}, {}), id="a namespace was never in"),
        pytest.param({"namespaces": {"names": ["shop"]}}, OUT, id="the policy goes by names alone"),
        pytest.param({"namespaces": {"names": ["x"], **PROD}}, OUT, id="the policy names another namespace"),
        pytest.param(
            {**SECRETS, "objects": DB}, relabelled("configmaps", {"db": "yes"}, {}), id="another kind changes"
        ),
        pytest.param(
            {**SECRETS, "objects": DB, "namespaces": PROD},
            relabelled("secrets", {"db": "yes"}, {}, namespace="play"),
            id="an object in a namespace that is not meant changes",
        ),
        pytest.param(
            {**SECRETS, "objects": {"names": ["a"], **DB}},
            UNLABELLED,
            id="an object of a name that is not meant changes",
        ),
        pytest.param(
            {**SECRETS, "objects": DB, "subjects": {"users": ["bob"]}},
            UNLABELLED,
            id="the policy is about somebody else",
        ),
        pytest.param(
            {
                "operations": ["DELETE"],
                "resources": [{"groups": ["apps"], "resources": ["deployments"]}],
                "objects": DB,
            },
            relabelled("deployments/scale", {"db": "yes"}, {}, group="apps"),
            id="a scale, which cannot change the labels of its parent",
        ),
        pytest.param(
            {**SECRETS, "objects": DB}, request("DELETE", "configmaps", old=named({"db": "yes"})), id="a deletion"
        ),
    ],
)
def test_no_leaving(match: JsonObject, review: Request) -> None:
    """Everything else is judged as ever, here: by no policy."""
    assert decided(parsed("guard", match=match), review).outcomes == ()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"leaveProtection": "Disabled"}, [], id="switched off"),
        pytest.param({"mode": "Observe"}, [], id="an Observe policy protects nothing"),
        pytest.param({"mode": "Disabled"}, [], id="a Disabled policy neither"),
        pytest.param({"verdict": "Warn"}, [(Verdict.WARN, "")], id="by its verdict"),
        pytest.param({"verdict": None, "windows": OPEN}, [(Verdict.NOTHING, "")], id="by its windows"),
        pytest.param(
            {"exclude": [{"subjects": {"users": ["alice"]}}]},
            [(Verdict.DENY, "spec.exclude[0]")],
            id="who may pass the policy may leave it",
        ),
        pytest.param(
            {"exclude": [{"actions": ["leave-protection"], "subjects": {"users": ["alice"]}}]},
            [(Verdict.DENY, "spec.exclude[0]")],
            id="leaving can be excluded by its name",
        ),
        pytest.param(
            {"exclude": [{"actions": ["delete-namespace"], "subjects": {"users": ["alice"]}}]},
            [(Verdict.DENY, "")],
            id="who may delete may not therefore leave",
        ),
        pytest.param(
            {"exclude": [{"namespaces": PROD}]},
            [],
            id="what an exclusion by labels lifts already leaves nothing",
        ),
        pytest.param({"match": {"minSeverity": "Critical"}}, [(Verdict.DENY, "")], id="minSeverity has no say"),
    ],
)
def test_leaving_is_judged_by_the_policy_that_is_left(change: JsonObject, expected: list[tuple[Verdict, str]]) -> None:
    """Subjects, exclude, windows, verdict and mode of the policy count; its grading of actions does not."""
    spec = {"severity": "Medium", **change, "match": {"namespaces": PROD, **change.get("match", {})}}
    decision = decided(parsed("guard", **spec), OUT)

    assert [(outcome.yields, outcome.excluded_by) for outcome in decision.outcomes] == expected


TEMPORARY = {"selector": {"matchLabels": {"temporary": "yes"}}}


@pytest.mark.parametrize(
    ("match", "exclude", "review", "leaves"),
    [
        pytest.param(
            SECRETS,
            {"objects": TEMPORARY},
            relabelled("secrets", {}, {"temporary": "yes"}),
            True,
            id="an object gets the label that exempts it",
        ),
        pytest.param(
            SECRETS,
            {"objects": TEMPORARY, "subjects": {"users": ["somebody-else"]}},
            relabelled("secrets", {}, {"temporary": "yes"}),
            True,
            id="an object is exempted for whomever",
        ),
        pytest.param(
            SECRETS,
            {"namespaces": TEMPORARY},
            moved({}, {"temporary": "yes"}),
            True,
            id="a namespace gets the label that exempts what is in it",
        ),
        pytest.param(
            {}, {"namespaces": TEMPORARY}, moved({}, {"temporary": "yes"}), True, id="a namespace exempts itself"
        ),
        pytest.param(
            SECRETS,
            {"objects": TEMPORARY},
            relabelled("secrets", {"temporary": "yes"}, {"temporary": "yes", "x": "y"}),
            False,
            id="an object that was exempt already",
        ),
        pytest.param(
            SECRETS,
            {"objects": TEMPORARY},
            relabelled("secrets", {"temporary": "yes"}, {}),
            False,
            id="an object comes under protection",
        ),
        pytest.param(
            SECRETS,
            {"objects": TEMPORARY, "namespaces": {"names": ["play"]}},
            relabelled("secrets", {}, {"temporary": "yes"}),
            False,
            id="the exemption is for another namespace",
        ),
        pytest.param(
            SECRETS,
            {"objects": TEMPORARY, "systemIdentities": "Ordinary"},
            relabelled("secrets", {}, {"temporary": "yes"}),
            False,
            id="the exemption is for ordinary work of Kubernetes itself",
        ),
        pytest.param(
            {**SECRETS, "namespaces": {"names": ["play"]}},
            {"objects": TEMPORARY},
            relabelled("secrets", {}, {"temporary": "yes"}),
            False,
            id="the policy is about another namespace",
        ),
    ],
)
def test_leaving_into_an_exemption(match: JsonObject, exclude: JsonObject, review: Request, *, leaves: bool) -> None:
    """Labels that an exclude entry asks for cannot be put on by whoever may not pass the policy."""
    outcomes = decided(parsed("guard", match=match, exclude=[exclude]), review).outcomes

    assert [(outcome.finding, outcome.yields) for outcome in outcomes if not outcome.excluded_by] == (
        [("leave-protection", Verdict.DENY)] if leaves else []
    )


def test_the_finding_names_object_and_policy_and_has_the_grade_of_the_policy() -> None:
    """Answer and record say what is left and what protected it."""
    decision = decided(parsed("guard", severity="Medium", match={"namespaces": PROD}), OUT)

    assert decision.findings[0] == Finding(
        action="leave-protection",
        family="defence",
        severity=Severity.MEDIUM,
        evidence="new labels take Namespace shop out of what policy guard protects",
        reach=Reach.of("shop"),
    )


def test_no_other_policy_judges_leaving() -> None:
    """A policy about any named finding does not speak of leaving another one, nor of itself without labels."""
    view = snapshot.build(
        policies=[
            parsed("guard", verdict="Warn", match={"namespaces": PROD}),
            parsed("strict", match={"actions": ["*"]}),
        ],
        namespaces=KNOWN,
    )
    decision = decide(OUT, find(OUT), view, NOW)

    assert [(outcome.policy, outcome.yields) for outcome in decision.outcomes] == [("guard", Verdict.WARN)]
