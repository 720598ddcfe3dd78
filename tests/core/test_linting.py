"""Lint rules: what each finds in a policy, and near misses that it leaves alone."""

from datetime import UTC, datetime
from typing import Any

import pytest

from interlock.core.linting import RULES, Linted, lint
from interlock.core.linting.exceptions import EXCEPTION
from interlock.core.policies import policy as reader
from interlock.core.policies.policy import Policy
from interlock.core.types import JsonObject
from tests.support import policies
from tests.support.policies import SOUND, changed

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
PROD = {"names": ["prod-*"]}
DELETIONS = ["delete-namespace", "remove-finalizer", "finalize-namespace"]
QUIET: JsonObject = {"match": {"actions": DELETIONS, "namespaces": PROD}}


def windows(**entries: Any) -> JsonObject:
    """Windows in UTC."""
    return {"timeZone": "UTC", **entries}


def once(name: str, start: str, end: str) -> JsonObject:
    """A window that happens once."""
    return {"name": name, "once": {"start": f"{start}T00:00:00Z", "end": f"{end}T00:00:00Z"}}


def plain(*resources: str, group: str = "apps", operations: tuple[str, ...] = ("DELETE",), **match: Any) -> JsonObject:
    """A match of plain findings in production."""
    rule = {"groups": [group], "resources": list(resources)}
    return {"match": {"actions": None, "operations": list(operations), "resources": [rule], "namespaces": PROD} | match}


def selecting(*expressions: tuple[str, str, list[str] | None]) -> JsonObject:
    """A match of namespaces by labels."""
    requirements = [
        {"key": key, "operator": operator, **({"values": values} if values else {})}
        for key, operator, values in expressions
    ]
    return {"match": {"actions": DELETIONS, "namespaces": {"selector": {"matchExpressions": requirements}}}}


def found(*stored: Policy) -> list[tuple[str, str, str]]:
    """Rule, path and what is said of the first policy."""
    problems = lint([Linted(policy=each) for each in stored], NOW)
    return [(each.rule.id, each.path, each.said) for each in problems if each.policy == stored[0].name]


def sound(name: str = "sound", /, **change: Any) -> Policy:
    """A policy of which no rule says anything, changed."""
    return reader.parse(policies.policy(changed(changed(SOUND, QUIET), change), name=name))


FOUND: dict[str, tuple[list[Policy], list[tuple[str, str, str]]]] = {
    "an exclude entry that lifts everything": (
        [sound(exclude=[{"actions": ["destruction"]}])],
        [("unreachable", "spec.exclude[0]", "it lifts everything that the policy selects")],
    ),
    "an exclude entry for the very subjects": (
        [sound(match={"subjects": {"groups": ["dev"]}}, exclude=[{"subjects": {"groups": ["d*"]}}])],
        [("unreachable", "spec.exclude[0]", "it lifts everything that the policy selects")],
    ),
    "labels that contradict each other": (
        [sound(**selecting(("env", "In", ["a", "b"]), ("env", "NotIn", ["b", "a"])))],
        [("unreachable", "spec.match.namespaces.selector", "no object has a label env that fits all of it")],
    ),
    "a name that nothing can have": (
        [sound(match={"objects": {"names": ["apps/web"]}})],
        [("unreachable", "spec.match.objects.names", "no object can be named apps/web")],
    ),
    "a grade that is never reached": (
        [sound(match={"actions": ["delete-service"], "minSeverity": "Critical"})],
        [
            (
                "never-graded",
                "spec.match.minSeverity",
                "delete-service is never graded Critical",
            )
        ],
    ),
    "kinds that webhooks are not asked about": (
        [sound(**plain("validatingwebhookconfigurations", group="admissionregistration.k8s.io", namespaces=None))],
        [
            (
                "never-asked",
                "spec.match.resources[0].groups",
                "no API server asks webhooks about admissionregistration.k8s.io",
            ),
            (
                "every-namespace",
                "spec.match.namespaces",
                "it is absent, so the policy denies in every namespace, kube-system included",
            ),
        ],
    ),
    "a connection to no subresource": (
        [sound(**plain("pods", group="", operations=("CONNECT",)))],
        [("never-asked", "spec.match.resources[0].resources", "nobody connects to pods")],
    ),
    "namespaces of what has none": (
        [sound(**plain("clusterroles", "roles", group="rbac.authorization.k8s.io"))],
        [
            (
                "no-namespace",
                "spec.match.resources[0]",
                "clusterroles has no namespace, so spec.match.namespaces never meets it",
            )
        ],
    ),
    "controllers": (
        [sound(match={"actions": ["*"]})],
        [("controllers-denied", "spec.exclude", "controllers of Kubernetes itself are denied as well")],
    ),
    "every namespace": (
        [sound(match={"namespaces": None})],
        [
            (
                "every-namespace",
                "spec.match.namespaces",
                "it is absent, so the policy denies in every namespace, kube-system included",
            )
        ],
    ),
    "one that another covers": (
        [
            sound(exclude=[{"subjects": {"groups": ["sre"]}}]),
            sound("wider", match={"namespaces": {"names": ["pr*"]}}, exclude=[{"subjects": {"groups": ["sre"]}}]),
        ],
        [("shadowed", "spec.match", "wider is at least as strict about everything that it speaks of")],
    ),
    "a deletion whose back doors are open": (
        [sound(match={"actions": ["delete-workload"]}), sound("other")],
        [
            (
                "back-doors",
                "spec.match",
                (
                    "delete-workload is guarded, but not scale-to-zero, evict-pod, delete-pod, force-delete-pod, "
                    "drain-node"
                ),
            )
        ],
    ),
    "back doors that are closed elsewhere": (
        [
            sound(match={"actions": ["delete-secret", *DELETIONS]}),
            sound("other", match={"actions": ["empty-data"], "namespaces": {"names": ["dev-*"]}}),
        ],
        [("back-doors", "spec.match", "delete-secret is guarded, but not empty-data")],
    ),
    "exec without its siblings": (
        [sound(match={"actions": ["exec", "attach"]})],
        [
            (
                "back-doors",
                "spec.match",
                "exec is guarded, but not port-forward, debug-container, debug-node, proxy, node-proxy",
            ),
            ("back-doors", "spec.match", "attach is guarded, but not debug-container, debug-node, node-proxy"),
        ],
    ),
    "a plain deletion": (
        [sound(**plain("secrets", group="")), sound("other")],
        [("back-doors", "spec.match", "delete-secret is guarded, but not empty-data")],
    ),
    "a plain update": (
        [sound(**plain("deployments", operations=("UPDATE",)))],
        [
            (
                "subresources",
                "spec.match.resources[0]",
                "the same is done by deployments/scale, which it does not cover",
            )
        ],
    ),
    "labels that may be changed": (
        [sound(**selecting(("env", "In", ["prod"])), leaveProtection="Disabled")],
        [
            (
                "may-be-left",
                "spec.leaveProtection",
                "it is Disabled, so whoever may change labels may leave the policy",
            )
        ],
    ),
    "a critical one that observes": (
        [sound(mode="Observe")],
        [("soft-critical", "spec.mode", "severity is Critical, and it stops nothing: mode Observe")],
    ),
    "a critical one that warns": (
        [sound(verdict="Warn")],
        [("soft-critical", "spec.verdict", "severity is Critical, and its strictest verdict is Warn")],
    ),
    "one that is off": ([sound(mode="Disabled")], [("disabled", "spec.mode", "it is not evaluated: mode Disabled")]),
    "one that allows": (
        [sound(verdict="Allow", severity="Low")],
        [("only-documents", "spec.verdict", "Allow stops nothing and lifts no other policy")],
    ),
    "windows that never open": (
        [sound(windows=windows(allow=[once("past", "2026-01-01", "2026-01-02")]))],
        [
            ("never-opens", "spec.windows", "they do not open within the next 400 days, so it always yields Deny"),
            ("past-window", "spec.windows.allow[0]", "past is over since 2026-01-02"),
        ],
    ),
    "a freeze that is over": (
        [sound(windows=windows(freeze=[once("past", "2026-01-01", "2026-01-02")]))],
        [("past-window", "spec.windows.freeze[0]", "past is over since 2026-01-02")],
    ),
    "one that does not compile": (
        [reader.broken(policies.policy(changed(SOUND, QUIET)), "spec.verdict: got x\nand more")],
        [("broken", "spec", "it does not compile and fails closed: spec.verdict: got x")],
    ),
}


@pytest.mark.parametrize(("stored", "expected"), FOUND.values(), ids=FOUND.keys())
def test_found(stored: list[Policy], expected: list[tuple[str, str, str]]) -> None:
    """What a rule speaks of is found, with its place, and nothing else is said of the policy."""
    assert found(*stored) == expected


def test_every_rule_is_tested() -> None:
    """Every rule has a case."""
    assert {rule for _, expected in FOUND.values() for rule, _, _ in expected} == {rule.id for rule in RULES}


DIFFERENT_TIMES = windows(allow=[{"name": "n", "weekly": {"days": ["Mon"], "start": "01:00", "end": "02:00"}}])
SILENT: dict[str, list[Policy]] = {
    "a sound policy": [sound()],
    "an exclude entry that asks for labels": [sound(exclude=[{"objects": {"selector": {"matchLabels": {"a": "b"}}}}])],
    "an exclude entry for some namespaces": [sound(exclude=[{"namespaces": {"names": ["prod-*"]}}])],
    "an exclude entry for ordinary work": [sound(match={"actions": ["*"]}, exclude=[{"systemIdentities": "Ordinary"}])],
    "labels that can be": [sound(**selecting(("env", "NotIn", ["a"]), ("env", "In", ["a", "b"])))],
    "a label that may be absent": [sound(**selecting(("env", "NotIn", ["a"]), ("env", "DoesNotExist", None)))],
    "a grade that context raises": [
        sound(match={"actions": ["delete-configmap", "empty-data", *DELETIONS], "minSeverity": "High"})
    ],
    "subresources that are covered": [sound(**plain("deployments", "deployments/scale", operations=("UPDATE",)))],
    "subresources by a wildcard": [sound(**plain("deployments/*", operations=("UPDATE",)))],
    "back doors that another policy closes": [
        sound(match={"actions": ["delete-secret"]}),
        sound("other", match={"actions": ["empty-data", *DELETIONS], "namespaces": {"names": ["*"]}}),
    ],
    "another that is open at other times": [sound(), sound("other", windows=DIFFERENT_TIMES, verdict=None)],
    "another that spares somebody": [sound(), sound("other", exclude=[{"subjects": {"users": ["eve"]}}])],
    "another that asks who": [sound(), sound("other", match={"subjects": {"groups": ["dev"]}})],
    "another that only warns": [sound(), sound("other", verdict="Warn", severity="Low")],
    "the one that covers": [sound("a"), sound("b", match={"namespaces": {"names": ["prod-a*"]}})],
    "the first of two that are the same": [sound("a"), sound("b")],
    "leaving where no label decides": [sound(leaveProtection="Disabled")],
}


@pytest.mark.parametrize("stored", SILENT.values(), ids=SILENT.keys())
def test_silent(stored: list[Policy]) -> None:
    """What only looks like a problem is none."""
    assert found(*stored) == []


def excepted(**annotations: str) -> list[tuple[str, str, str]]:
    """Rule, reason and what is said of a policy for every namespace."""
    named = {f"ignore-lint.interlock.dev/{rule.replace('_', '-')}": why for rule, why in annotations.items()}
    problems = lint([Linted(policy=sound(match={"namespaces": None}), annotations=named)], NOW)
    return [(each.rule.id, each.excepted, each.said) for each in problems]


EVERYWHERE = "it is absent, so the policy denies in every namespace, kube-system included"


def test_an_exception() -> None:
    """An annotation that names the rule and says why excepts the policy, and the reason is kept."""
    assert excepted(every_namespace="on purpose") == [("every-namespace", "on purpose", EVERYWHERE)]


def test_an_exception_that_is_none() -> None:
    """An annotation without a reason excepts from nothing, and so does one of a rule that there is not."""
    assert excepted(every_namespace=" ", no_such_rule="why") == [
        ("every-namespace", "", EVERYWHERE),
        (EXCEPTION.id, "", "the exception from every-namespace gives no reason"),
        (EXCEPTION.id, "", "no-such-rule is no rule"),
    ]
