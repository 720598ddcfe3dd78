"""The verdict over all findings and policies: the truth table, and what must hold whatever the policies."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core import snapshot
from interlock.core.decide import decide
from interlock.core.policies import match, policy
from interlock.core.policies.match import View
from interlock.core.policies.policy import Policy
from interlock.core.types import (
    Decision,
    Durability,
    Finding,
    JsonObject,
    Mode,
    NamespaceView,
    PolicyOutcome,
    Reach,
    Request,
    Severity,
    User,
    Verdict,
)
from tests.support import policies
from tests.support.policies import SOUND, changed, find, named, namespace_request, parsed, request

NOW = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)  # a Tuesday
SHOP = namespace_request("DELETE", "shop", old=named({"env": "prod"}))

OPEN = {"timeZone": "UTC", "allow": [{"name": "day", "weekly": {"days": ["Tue"], "start": "08:00", "end": "18:00"}}]}
CLOSED = {"timeZone": "UTC", "freeze": [{"name": "day", "weekly": {"days": ["Tue"], "start": "08:00", "end": "18:00"}}]}


def decided(*stored: Policy, review: Request = SHOP, continuation: str = "") -> Decision:
    """What these policies decide on a review now."""
    found = find(review)
    view = snapshot.build(policies=stored, namespaces=[NamespaceView(name="shop", labels={"env": "prod"})])
    return decide(review, found, view, NOW, continuation=continuation)


# ----------------------------------------------------------------------------------------------------- the truth table

TABLE = [
    # windows, outside, verdict: yields
    ("none", None, "Deny", Verdict.DENY),
    ("none", None, "Warn", Verdict.WARN),
    ("none", None, "Allow", Verdict.ALLOW),
    ("closed", None, None, Verdict.DENY),
    ("closed", "Deny", None, Verdict.DENY),
    ("closed", "Deny", "Deny", Verdict.DENY),
    ("closed", "Deny", "Warn", Verdict.DENY),
    ("closed", "Deny", "Allow", Verdict.DENY),
    ("closed", "Warn", None, Verdict.WARN),
    ("closed", "Warn", "Deny", Verdict.WARN),
    ("closed", "Warn", "Warn", Verdict.WARN),
    ("closed", "Warn", "Allow", Verdict.WARN),
    ("open", "Deny", None, Verdict.NOTHING),
    ("open", "Deny", "Deny", Verdict.DENY),
    ("open", "Deny", "Warn", Verdict.WARN),
    ("open", "Deny", "Allow", Verdict.ALLOW),
    ("open", "Warn", None, Verdict.NOTHING),
    ("open", "Warn", "Deny", Verdict.DENY),
    ("open", "Warn", "Warn", Verdict.WARN),
    ("open", "Warn", "Allow", Verdict.ALLOW),
]


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize(("window", "outside", "verdict", "yields"), TABLE)
def test_truth_table(window: str, outside: str | None, verdict: str | None, yields: Verdict, mode: Mode) -> None:
    """What one applying policy yields, and what becomes of that in each mode."""
    windows = {"none": None, "open": OPEN, "closed": CLOSED}[window]
    spec: JsonObject = {"mode": mode.value, "verdict": verdict, "windows": windows and {**windows, "outside": outside}}
    decision = decided(parsed(**spec))

    assert [outcome.yields for outcome in decision.outcomes] == ([] if mode is Mode.DISABLED else [yields])
    assert decision.verdict is (yields if mode is Mode.ENFORCE else Verdict.NOTHING)
    assert decision.would_have is (yields if mode is Mode.OBSERVE else Verdict.NOTHING)
    assert decision.recorded is (mode is not Mode.DISABLED)
    assert decision.allowed is (decision.verdict is not Verdict.DENY)


def test_a_whole_decision() -> None:
    """Verdict, findings, outcomes in order, windows, durability: all that answers and records are made of."""
    deny = parsed("deny", windows=CLOSED, verdict=None, message="ask")
    warn = parsed("warn", severity="Low", verdict="Warn")
    watch = parsed("watch", mode="Observe")
    lifted = parsed("lifted", exclude=[{"subjects": {"users": ["alice"]}}])
    window = deny.windows.state(NOW) if deny.windows else None

    def outcome(of: Policy, yields: Verdict, **more: object) -> PolicyOutcome:
        return PolicyOutcome(
            policy=of.name,
            uid=of.uid,
            generation=of.generation,
            digest=of.digest,
            mode=of.mode,
            severity=of.severity,
            finding="delete-namespace",
            yields=yields,
            **{"durability": of.durability, **more},  # type: ignore[arg-type]
        )

    assert decided(watch, lifted, warn, deny) == Decision(
        verdict=Verdict.DENY,
        severity=Severity.CRITICAL,
        findings=find(SHOP),
        outcomes=(
            outcome(deny, Verdict.DENY, window=window, message="ask"),
            outcome(warn, Verdict.WARN, while_open=Verdict.WARN),
            outcome(watch, Verdict.DENY, while_open=Verdict.DENY),
            outcome(
                lifted,
                Verdict.DENY,
                while_open=Verdict.DENY,
                excluded_by="spec.exclude[0]",
                durability=Durability.BATCH,
            ),
        ),
        recorded=True,
        durability=Durability.BLOCKING_STRICT,
        would_have=Verdict.DENY,
    )


def test_the_grade_is_that_of_the_policies_that_gave_the_verdict() -> None:
    """A more serious policy that only warns does not make a denial more serious."""
    assert decided(parsed("deny", severity="Low"), parsed("warn", verdict="Warn")).severity is Severity.LOW


def test_nothing_is_decided_where_no_policy_applies() -> None:
    """No policy, no record; the grade is the worst finding's."""
    assert decided() == Decision(
        verdict=Verdict.NOTHING,
        severity=Severity.CRITICAL,
        findings=find(SHOP),
        outcomes=(),
        recorded=False,
        durability=Durability.BATCH,
    )


def test_a_continuation_asks_no_policy() -> None:
    """What only goes on with something decided passes, unrecorded, saying why."""
    decision = decided(parsed(), continuation="the namespace is terminating")

    assert (decision.verdict, decision.outcomes, decision.recorded) == (Verdict.NOTHING, (), False)
    assert decision.continuation == "the namespace is terminating"


def test_a_dry_run_is_judged_alike_and_never_recorded() -> None:
    """The verdict is the real one; only the record is missing."""
    real, dry = decided(parsed()), decided(parsed(), review=replace(SHOP, dry_run=True))

    assert replace(real, recorded=False) == dry


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        pytest.param([("Enforce", "Critical", None)], "BlockingStrict", id="by severity"),
        pytest.param([("Enforce", "Low", None)], "Blocking", id="by lower severity"),
        pytest.param([("Enforce", "Low", "Batch"), ("Enforce", "Low", None)], "Blocking", id="the strictest of two"),
        pytest.param([("Observe", "Critical", None)], "Blocking", id="Observe alone is at most Blocking"),
        pytest.param(
            [("Observe", "Critical", None), ("Enforce", "Low", "Batch")],
            "Batch",
            id="Observe does not count beside Enforce",
        ),
    ],
)
def test_durability_is_the_strictest_among_enforcing_policies(
    stored: list[tuple[str, str, str | None]], expected: str
) -> None:
    """Observe never stops anything, not even through the ledger."""
    made = [
        parsed(f"p{index}", mode=mode, severity=severity, audit=written and {"durability": written})
        for index, (mode, severity, written) in enumerate(stored)
    ]

    assert decided(*made).durability is Durability(expected)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({}, ["spec.exclude[1]"], id="one that would have denied"),
        pytest.param({"verdict": "Warn"}, ["spec.exclude[1]"], id="one that would have warned"),
        pytest.param({"verdict": "Allow"}, [], id="but not one that would have allowed"),
        pytest.param({"verdict": None, "windows": OPEN}, [], id="nor one whose window is open"),
        pytest.param({"mode": "Observe"}, [], id="nor one that observes"),
        pytest.param({"exclude": [{"subjects": {"users": ["bob"]}}]}, None, id="nor one that is not lifted"),
    ],
)
def test_exclusions_that_decided_are_recorded(change: JsonObject, expected: list[str] | None) -> None:
    """An exclusion is worth a record where an enforcing policy would have said something, and never waits for it."""
    lists = [{"subjects": {"users": ["bob"]}}, {"subjects": {"users": ["alice"]}}]
    decision = decided(parsed(**{"exclude": lists, **change}))

    if expected is None:
        assert decision.verdict is Verdict.DENY
        return
    assert [outcome.excluded_by for outcome in decision.outcomes] == expected
    assert (decision.verdict, decision.recorded) == (Verdict.NOTHING, bool(expected))
    assert decision.durability is Durability.BATCH


def test_a_policy_with_one_finding_left_applies() -> None:
    """Lifting one finding of a request does not lift the others."""
    rules = {"operations": ["DELETE"], "resources": [{"groups": [""], "resources": ["namespaces"]}]}
    decision = decided(parsed(match=rules, exclude=[{"actions": ["delete-namespace"]}]))

    assert [(outcome.finding, outcome.excluded_by) for outcome in decision.outcomes] == [("delete", "")]


def test_ordinary_work_of_system_identities_is_not_recorded() -> None:
    """It goes on all the time; its exclusion leaves no trace, also beside another that holds."""
    scheduler = User(name="system:kube-scheduler")
    rules = {"actions": None, "operations": ["CREATE"], "resources": [{"groups": [""], "resources": ["pods/binding"]}]}
    review = request("CREATE", "pods/binding", user=scheduler)
    ordinary, other = {"systemIdentities": "Ordinary"}, {"subjects": {"users": ["system:*"]}}

    assert decided(parsed(match=rules), review=review).verdict is Verdict.DENY
    assert not decided(parsed(match=rules, exclude=[ordinary]), review=review).recorded
    assert not decided(parsed(match=rules, exclude=[other, ordinary]), review=review).recorded
    assert decided(parsed(match=rules, exclude=[other]), review=review).recorded


def test_a_broken_policy_denies_what_its_match_covers() -> None:
    """A stored policy that does not compile yields its strictest verdict, with its error, for that and nothing else."""
    obj = policies.policy(changed(SOUND, {"windows": {**OPEN, "timeZone": "Mars/Base"}}), name="broken")
    stored = policy.broken(obj, "spec.windows.timeZone: ...")
    decision = decided(stored)

    assert [(o.yields, o.error, o.window) for o in decision.outcomes] == [
        (Verdict.DENY, "spec.windows.timeZone: ...", None)
    ]
    assert decided(stored, review=request("DELETE", "pods")).outcomes == ()


# ---------------------------------------------------------------------------------------- whatever the policies

NAMESPACES = ("shop", "play", "prod-1", "kube-system")
RULES = st.sampled_from(["pods", "*", "*/*", "pods/*", "*/status", "namespaces", "clusterrolebindings"])
GLOBS = st.sampled_from(["*", "shop", "prod-*", "play", "web-*"])


@st.composite
def names(draw: st.DrawFn) -> JsonObject:
    """Names, labels, or both."""
    selector: JsonObject = {"selector": {"matchLabels": {"env": draw(st.sampled_from(["prod", "dev"]))}}}
    listed: JsonObject = {"names": draw(st.lists(GLOBS, min_size=1, max_size=2))}
    return draw(st.sampled_from([selector, listed, {**selector, **listed}]))


@st.composite
def scopes(draw: st.DrawFn, *, exclude: bool) -> JsonObject:
    """A match, or an exclude entry."""
    actions: JsonObject = {
        "actions": draw(st.lists(st.sampled_from(["*", "delete-namespace", "exec", "privilege"]), min_size=1))
    }
    graded: JsonObject = {**actions, "minSeverity": draw(st.sampled_from(["Low", "High", "Critical"]))}
    operations = draw(st.lists(st.sampled_from(["CREATE", "UPDATE", "DELETE", "CONNECT"]), min_size=1, max_size=3))
    rules: JsonObject = {"operations": operations, "resources": [{"groups": ["*"], "resources": [draw(RULES)]}]}
    which = draw(st.sampled_from([actions, graded, rules, {**actions, **rules}, *([{}] if exclude else [])]))
    where = {"namespaces": draw(names())} if draw(st.booleans()) else {}
    what = {"objects": draw(names())} if draw(st.booleans()) else {}
    users = draw(st.lists(st.sampled_from(["alice", "b*"]), min_size=1, max_size=2))
    who = {"subjects": {"users": users}} if exclude or draw(st.booleans()) else {}
    return {**which, **where, **what, **who}


@st.composite
def stored_policies(draw: st.DrawFn) -> list[Policy]:
    """Up to six policies."""
    specs = []
    for _ in range(draw(st.integers(0, 6))):
        spec: JsonObject = {
            "severity": draw(st.sampled_from(["Low", "Medium", "High", "Critical"])),
            "mode": draw(st.sampled_from(["Enforce", "Enforce", "Observe", "Disabled"])),
            "verdict": draw(st.sampled_from(["Deny", "Warn", "Allow"])),
            "match": draw(scopes(exclude=False)),
        }
        excluded = draw(st.lists(scopes(exclude=True), max_size=2))
        windows = draw(st.sampled_from([None, OPEN, CLOSED]))
        specs.append(
            {**spec, **({"exclude": excluded} if excluded else {}), **({"windows": windows} if windows else {})}
        )
    return [policy.parse(policies.policy(spec, name=f"p{index}")) for index, spec in enumerate(specs)]


@st.composite
def reviews(draw: st.DrawFn) -> tuple[Request, tuple[Finding, ...]]:
    """A request and what is found in it, with a named finding of any reach now and then."""
    labels = st.sampled_from([{}, {"env": "prod"}, {"env": "dev"}]).map(named)
    operation = draw(st.sampled_from(["CREATE", "UPDATE", "DELETE", "CONNECT"]))
    resource = draw(st.sampled_from(["pods", "pods/exec", "pods/status", "namespaces", "clusterrolebindings"]))
    name = draw(st.sampled_from(NAMESPACES))
    review = request(
        operation,
        resource,
        name=name if resource == "namespaces" else "web-0",
        namespace="" if resource == "clusterrolebindings" else name,
        user=User(name=draw(st.sampled_from(["alice", "bob"]))),
        old=draw(labels),
        new=draw(labels),
    )
    reach = draw(st.sampled_from([Reach.everywhere(), Reach.nowhere(), Reach.of("shop", "play"), Reach.of("prod-1")]))
    grant = Finding(
        action="grant-admin",
        family="privilege",
        severity=draw(st.sampled_from([Severity.HIGH, Severity.CRITICAL])),
        evidence="grants",
        reach=reach,
    )
    return review, (*find(review), *([grant] if draw(st.booleans()) else []))


def decided_on(stored: list[Policy], case: tuple[Request, tuple[Finding, ...]]) -> Decision:
    """What policies in this order decide."""
    known = [NamespaceView(name="shop", labels={"env": "prod"}), NamespaceView(name="play", labels={"env": "dev"})]
    return decide(*case, snapshot.build(policies=stored, namespaces=known), NOW)


@given(stored_policies(), reviews(), st.randoms())
def test_order_does_not_matter(stored: list[Policy], case: tuple[Request, tuple[Finding, ...]], random: Random) -> None:
    """Policies and findings are sets: the same decision in any order of them."""
    review, findings = case
    shuffled, mixed = list(stored), list(findings)
    random.shuffle(shuffled)
    random.shuffle(mixed)
    one, other = decided_on(stored, case), decided_on(shuffled, (review, tuple(mixed)))

    assert one == other


@given(stored_policies(), reviews())
def test_another_policy_never_weakens(stored: list[Policy], case: tuple[Request, tuple[Finding, ...]]) -> None:
    """The strictest wins: with a policy less, the verdict is the same or laxer; one that observes changes none."""
    whole = decided_on(stored, case)

    for index, dropped in enumerate(stored):
        less = decided_on(stored[:index] + stored[index + 1 :], case)
        assert less.verdict <= whole.verdict
        assert dropped.mode is Mode.ENFORCE or less.verdict is whole.verdict


@given(stored_policies(), reviews())
def test_the_index_finds_every_policy_that_selects(
    stored: list[Policy], case: tuple[Request, tuple[Finding, ...]]
) -> None:
    """Looking policies up misses none that looking at each of them would find."""
    review, findings = case
    view = View.of(review, {})
    selecting = {p.name for p in stored if p.mode is not Mode.DISABLED and match.selected(p.match, findings, view)}
    found = snapshot.build(policies=stored).policies.candidates(review, findings)

    assert selecting <= {p.name for p in found}
    assert [p.name for p in found] == sorted(p.name for p in found)


@pytest.mark.parametrize(
    ("namespaces", "reach", "found"),
    [
        pytest.param({"names": ["shop"]}, Reach.of("shop", "play"), True, id="named literally and reached"),
        pytest.param({"names": ["shop"]}, Reach.of("play"), False, id="named literally and not reached"),
        pytest.param({"names": ["shop"]}, Reach.everywhere(), True, id="named literally where all are reached"),
        pytest.param({"names": ["shop"]}, Reach.nowhere(), False, id="named literally where none is reached"),
        pytest.param({"names": ["play", "sh*"]}, Reach.of("shop"), True, id="named by a pattern beside a literal name"),
        pytest.param({"selector": {"matchLabels": {"a": "b"}}}, Reach.of("shop"), True, id="selected by label"),
        pytest.param(None, Reach.nowhere(), True, id="unconstrained"),
    ],
)
def test_policies_are_looked_up_by_namespace(namespaces: JsonObject | None, reach: Reach, *, found: bool) -> None:
    """Where all names are literal, only their namespaces lead to the policy."""
    stored = parsed(match={"actions": ["grant-admin"], "namespaces": namespaces})
    grant = Finding(action="grant-admin", family="privilege", severity=Severity.HIGH, evidence="grants", reach=reach)
    index = snapshot.build(policies=[stored]).policies

    assert index.candidates(request(), [grant]) == ((stored,) if found else ())


@pytest.mark.parametrize("resource", ["pods", "pods/exec", "nodes"])
@pytest.mark.parametrize("pattern", ["pods", "pods/exec", "pods/*", "*", "*/exec", "*/*", "nodes"])
@pytest.mark.parametrize("group", ["", "*", "apps"])
def test_policies_are_looked_up_by_resource(group: str, pattern: str, resource: str) -> None:
    """A plain finding leads to the policies whose rules cover it, and only to them."""
    rule = {"groups": [group], "resources": [pattern]}
    stored = parsed(match={"actions": None, "operations": ["DELETE"], "resources": [rule]})
    review = request("DELETE", resource)
    covered = stored.match.covers(find(review)[-1], review)

    assert snapshot.build(policies=[stored]).policies.candidates(review, find(review)[-1:]) == (stored,) * covered


def test_the_index_lists_policies_by_name() -> None:
    """All of them whatever their mode, the candidates among them in the same order."""
    index = snapshot.build(policies=[parsed("b", mode="Disabled"), parsed("c"), parsed("a")]).policies

    assert [one.name for one in index.policies] == ["a", "b", "c"]
    assert [one.name for one in index.candidates(SHOP, find(SHOP))] == ["a", "c"]


def test_policies_that_cannot_match_are_not_looked_at() -> None:
    """Among many policies for other namespaces and resources the lookup returns only the one for this one."""
    rules = {"actions": None, "operations": ["DELETE"], "resources": [{"groups": [""], "resources": ["pods"]}]}
    elsewhere = [parsed(f"ns-{i}", match={**rules, "namespaces": {"names": [f"ns-{i}"]}}) for i in range(200)]
    other = [
        parsed(f"kind-{i}", match={**rules, "resources": [{"groups": [f"g{i}"], "resources": ["*"]}]})
        for i in range(200)
    ]
    wanted = parsed("wanted", match={**rules, "namespaces": {"names": ["shop"]}})
    index = snapshot.build(policies=[*elsewhere, *other, wanted]).policies
    review = request("DELETE", "pods", namespace="shop")

    assert index.candidates(review, find(review)) == (wanted,)


def test_the_window_is_that_of_the_instant_given() -> None:
    """Nothing but the argument says what time it is."""
    stored = snapshot.build(policies=[parsed(verdict=None, windows=CLOSED)])
    later = NOW + timedelta(hours=6)

    assert [decide(SHOP, find(SHOP), stored, now).verdict for now in (NOW, later)] == [Verdict.DENY, Verdict.NOTHING]
