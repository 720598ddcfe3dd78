"""Reading a DangerPolicy: what it becomes, what is refused and with which words, what becomes of a broken one."""

import contextlib
from typing import Any

import pytest
import yaml

from interlock.core import catalogue
from interlock.core.policies import policy
from interlock.core.policies.globs import Globs
from interlock.core.policies.policy import Policy
from interlock.core.policies.scope import Exclusion, Match, Names, ResourceRule, Subjects
from interlock.core.selectors import LabelSelector, Operator, Requirement
from interlock.core.types import Durability, JsonObject, Mode, Operation, Severity, Verdict
from interlock.errors import BadPolicy
from tests.support import policies
from tests.support.policies import SOUND, changed, parsed

NIGHTS = {"timeZone": "UTC", "allow": [{"name": "n", "weekly": {"days": ["Mon"], "start": "22:00", "end": "02:00"}}]}


# --------------------------------------------------------------------------------------------------------- sound ones


def test_a_policy_is_read_whole() -> None:
    """Every part of a policy ends up compiled."""
    obj = policies.policy(
        {
            "description": "why",
            "severity": "High",
            "mode": "Enforce",
            "verdict": "Warn",
            "message": "ask",
            "leaveProtection": "Disabled",
            "match": {
                "actions": ["delete-namespace"],
                "minSeverity": "Medium",
                "operations": ["DELETE"],
                "resources": [{"groups": ["apps"], "resources": ["deployments/scale"]}],
                "namespaces": {"names": ["prod-*"], "selector": {"matchLabels": {"env": "prod"}}},
                "objects": {"selector": {"matchExpressions": [{"key": "db", "operator": "Exists"}]}},
                "subjects": {"users": ["alice"], "serviceAccounts": ["ci/*"]},
            },
            "exclude": [{"subjects": {"groups": ["sre"]}}, {"systemIdentities": "Ordinary"}],
        },
        name="whole",
    )
    obj["metadata"] |= {"uid": "u-1", "generation": 3, "resourceVersion": "77"}
    scale = ResourceRule(groups=("apps",), resources=("deployments/scale",))
    namespaces = ResourceRule(groups=("",), resources=("namespaces",))
    env = LabelSelector(requirements=(Requirement(key="env", operator=Operator.IN, values=frozenset({"prod"})),))
    database = LabelSelector(requirements=(Requirement(key="db", operator=Operator.EXISTS),))

    found = policy.parse(obj)

    assert found == Policy(
        name="whole",
        uid="u-1",
        generation=3,
        resource_version="77",
        digest=found.digest,
        mode=Mode.ENFORCE,
        severity=Severity.HIGH,
        match=Match(
            actions=("delete-namespace",),
            action_ids=frozenset({"delete-namespace"}),
            min_severity=Severity.MEDIUM,
            operations=frozenset({Operation.DELETE}),
            resources=(scale,),
            kinds=(scale, namespaces),
            namespaces=Names(names=Globs.of(["prod-*"]), selector=env),
            objects=Names(selector=database),
            subjects=Subjects.of(users=("alice",), service_accounts=("ci/*",)),
        ),
        exclude=(
            Exclusion(path="spec.exclude[0]", scope=Match(subjects=Subjects.of(groups=("sre",)))),
            Exclusion(path="spec.exclude[1]", scope=Match(), ordinary_work=True),
        ),
        verdict=Verdict.WARN,
        durability=Durability.BLOCKING_STRICT,
        leave_protection=False,
        description="why",
        message="ask",
    )


def test_a_family_stands_for_its_actions() -> None:
    """Families are looked up in the catalogue, and so is the asterisk."""
    family = {entry.id for entry in catalogue.ENTRIES if entry.family == "interactive"}

    assert parsed(match={"actions": ["interactive"]}).match.action_ids == family
    assert parsed(match={"actions": ["*"]}).match.action_ids == {entry.id for entry in catalogue.ENTRIES}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"severity": "Critical"}, "BlockingStrict", id="Critical blocks strictly"),
        pytest.param({"severity": "High"}, "BlockingStrict", id="High blocks strictly"),
        pytest.param({"severity": "Medium"}, "Blocking", id="Medium blocks"),
        pytest.param({"severity": "Low"}, "Blocking", id="Low blocks"),
        pytest.param({"audit": {"durability": "Batch"}}, "Batch", id="what is written goes before the default"),
        pytest.param({"mode": "Observe"}, "Blocking", id="Observe never blocks strictly by default"),
        pytest.param(
            {"mode": "Observe", "audit": {"durability": "BlockingStrict"}},
            "Blocking",
            id="Observe never blocks strictly even if that is written",
        ),
        pytest.param(
            {"mode": "Observe", "audit": {"durability": "Batch"}}, "Batch", id="Observe may be laxer if that is written"
        ),
    ],
)
def test_durability(change: JsonObject, expected: str) -> None:
    """Durability follows severity unless it is written, and Observe is held to Blocking."""
    assert parsed(**change).durability is Durability(expected)


def test_verdict_may_be_absent_only_with_windows() -> None:
    """Without a verdict a policy says nothing while its window is open, and needs a window."""
    found = parsed(verdict=None, windows=NIGHTS)

    assert (found.verdict, found.strictest) == (Verdict.NOTHING, Verdict.DENY)


def test_digest_is_of_the_spec_alone_and_of_its_meaning() -> None:
    """The same spec with its fields in another order has the same digest; another spec has another."""
    reordered = policies.policy(dict(reversed(SOUND.items())), name="other")

    assert policy.parse(reordered).digest == parsed().digest
    assert parsed(severity="Low").digest != parsed().digest


@pytest.mark.parametrize("path", policies.EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_sound(path: Any) -> None:
    """Every example compiles, and is named as its file."""
    assert policy.parse(yaml.safe_load(path.read_text())).name == path.stem


def test_there_are_examples() -> None:
    """The examples that the documentation speaks of exist."""
    assert {path.stem for path in policies.EXAMPLES} == {
        "all-options",
        "change-freeze",
        "change-windows",
        "guard-exec",
        "guard-nodes",
        "guard-rbac",
        "no-way-around",
        "observe-everything",
        "protect-cluster",
        "protect-data",
        "protect-production",
        "protect-workloads",
        "warn-exposure",
    }


# ----------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("refusal", policies.REFUSALS, ids=lambda refusal: refusal["case"])
def test_refused_is(refusal: JsonObject) -> None:
    """A policy with one fault is refused with that one violation: field, got, expected."""
    with pytest.raises(BadPolicy) as caught:
        policy.parse(policies.policy(changed(SOUND, refusal["change"])))

    found = [(violation.field, violation.got, violation.expected) for violation in caught.value.violations]
    assert found == [(refusal["field"], refusal["got"], refusal["expected"])]


def test_all_violations_are_found_at_once() -> None:
    """Whoever writes a policy learns everything in one go, in the order of the spec's parts."""
    spec = {
        "mode": "Audit",
        "match": {"actions": [], "subjects": {"users": "alice"}},
        "exclude": [{}],
        "windows": {"timeZone": "Mars/Base", "allow": [{"name": "a", "weekly": {"days": [], "start": 8}}]},
        "verdikt": "Deny",
    }

    with pytest.raises(BadPolicy) as caught:
        policy.parse(policies.policy(spec))

    assert {violation.field for violation in caught.value.violations} == {
        "spec.severity",
        "spec.mode",
        "spec.match.actions",
        "spec.match.subjects.users",
        "spec.exclude[0]",
        "spec.windows.timeZone",
        "spec.windows.allow[0].weekly.days",
        "spec.windows.allow[0].weekly.start",
        "spec.windows.allow[0].weekly.end",
        "spec.verdikt",
    }
    assert caught.value.diagnostics().count("\n") == len(caught.value.violations) - 1


@pytest.mark.parametrize(
    ("obj", "field"),
    [
        ({}, ""),
        ({"kind": "DangerPolicy"}, "spec"),
        ({"kind": "ConfigMap", "metadata": {"name": "x"}, "spec": SOUND}, "kind"),
        ({"apiVersion": "interlock.dev/v1", "metadata": {"name": "x"}, "spec": SOUND}, "apiVersion"),
        ({"metadata": {"name": "x"}, "spec": []}, "spec"),
        ({"metadata": {"name": "x"}, "spec": {}}, "spec"),
        ({"metadata": {"uid": "x"}, "spec": SOUND}, "metadata.name"),
        ({"metadata": {"name": "x"}, "spec": SOUND, "data": {}}, "data"),
    ],
)
def test_what_is_no_policy_is_refused(obj: JsonObject, field: str) -> None:
    """An object of another shape is refused like any other bad input, never with a traceback."""
    with pytest.raises(BadPolicy) as caught:
        policy.parse(obj)

    assert field in {violation.field for violation in caught.value.violations}


JUNK: list[Any] = [
    None,
    True,
    7,
    1.5,
    "x",
    "",
    [],
    [None],
    [[]],
    [{}],
    {},
    {"x": {}},
    {"names": [7]},
    [{"name": 7, "weekly": []}],
]


@pytest.mark.parametrize("junk", JUNK, ids=repr)
@pytest.mark.parametrize("where", ["", *policy.SPEC_FIELDS, *(f"match.{name}" for name in policies.MATCH_FIELDS)])
def test_no_value_anywhere_is_more_than_a_violation(where: str, junk: Any) -> None:
    """Whatever JSON stands wherever, reading ends in a policy or in BadPolicy, and a broken one can always be made."""
    spec: Any = junk
    for name in reversed(where.split(".") if where else []):
        spec = {name: spec}
    obj = policies.policy({**SOUND, **spec} if where else spec)

    with contextlib.suppress(BadPolicy):
        policy.parse(obj)

    assert policy.broken(obj, "why").error == "why"


# ------------------------------------------------------------------------------------------------------------- broken

NAMED = frozenset(entry.id for entry in catalogue.ENTRIES)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"verdict": "Hold"}, {"verdict": Verdict.DENY}, id="an unknown verdict counts as Deny"),
        pytest.param(
            {"verdict": "Warn", "verdictNote": {}}, {"verdict": Verdict.WARN}, id="a verdict that can be read stays"
        ),
        pytest.param(
            {"verdict": None, "windows": {**NIGHTS, "outside": "Warn"}, "newField": {}},
            {"verdict": Verdict.WARN, "windows": None},
            id="sound windows count as closed",
        ),
        pytest.param(
            {"verdict": "Warn", "windows": {**NIGHTS, "timeZone": "Mars/Base"}},
            {"verdict": Verdict.DENY, "windows": None},
            id="windows that cannot be read count as Deny",
        ),
        pytest.param(
            {"verdict": "Hold", "windows": {**NIGHTS, "outside": "Warn"}},
            {"verdict": Verdict.DENY},
            id="an unknown verdict counts as Deny beside windows that warn",
        ),
        pytest.param({"mode": "Audit"}, {"mode": Mode.ENFORCE}, id="an unknown mode enforces"),
        pytest.param(
            {"mode": "Observe", "newField": {}}, {"mode": Mode.OBSERVE}, id="a mode that can be read stays: Observe"
        ),
        pytest.param({"severity": 1}, {"severity": Severity.CRITICAL}, id="an unknown severity is Critical"),
        pytest.param(
            {"leaveProtection": False}, {"leave_protection": True}, id="leaveProtection that cannot be read is Enabled"
        ),
    ],
)
def test_broken_policy_takes_the_strict_reading(change: JsonObject, expected: JsonObject) -> None:
    """What cannot be read of a stored policy is read the strict way; what can be read stays."""
    found = policy.broken(policies.policy(changed(SOUND, change)), "why")

    assert {name: getattr(found, name) for name in expected} == expected
    assert found.error == "why"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            {"actions": ["delete-namespace", "gone"]},
            {"action_ids": {"delete-namespace"}},
            id="actions that are known stay",
        ),
        pytest.param({"actions": ["gone"]}, {"action_ids": NAMED}, id="with no action known it is any named finding"),
        pytest.param({"actions": 7}, {"action_ids": NAMED}, id="with no readable match it is any named finding"),
        pytest.param(
            {"actions": None, "operations": ["DELETE"], "resources": [{"groups": ["apps"]}]},
            {"action_ids": NAMED, "operations": frozenset()},
            id="with no readable resource it is any named finding",
        ),
        pytest.param(
            {"namespaces": {"names": ["prod", 7]}},
            {"namespaces": None},
            id="namespaces that cannot be read do not narrow",
        ),
        pytest.param({"objects": {"selector": {}}}, {"objects": None}, id="objects that cannot be read do not narrow"),
        pytest.param(
            {"subjects": {"user": ["a"]}}, {"subjects": None}, id="subjects that cannot be read do not narrow"
        ),
        pytest.param(
            {"minSeverity": "Worst"},
            {"min_severity": Severity.LOW},
            id="minSeverity that cannot be read does not narrow",
        ),
        pytest.param(
            {"newField": 1, "subjects": {"users": ["a"]}},
            {"subjects": Subjects.of(users=("a",)), "action_ids": {"delete-namespace"}},
            id="what can be read still narrows",
        ),
    ],
)
def test_broken_match_covers_at_least_what_it_covered(change: JsonObject, expected: JsonObject) -> None:
    """A match that cannot be read in part is widened by that part, and no further."""
    found = policy.broken(policies.policy(changed(SOUND, {"match": change})), "why").match

    assert {name: getattr(found, name) for name in expected} == expected


def test_broken_exclude_entries_lift_nothing() -> None:
    """An exclude entry with a fault is dropped; the others stay, also the eleventh when the first is bad."""
    entries = [{"subjects": {"users": [f"u{index}"]}} for index in range(11)]
    entries[1]["newField"] = {}
    found = policy.broken(policies.policy(changed(SOUND, {"exclude": entries})), "why").exclude

    assert [entry.path for entry in found] == [f"spec.exclude[{index}]" for index in range(11) if index != 1]
