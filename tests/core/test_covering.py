"""Whether one policy surely speaks of what another does: wherever it is said to, no request tells otherwise."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from interlock.core.linting import covering
from interlock.core.policies import match
from interlock.core.policies.globs import Globs
from interlock.core.policies.match import View
from interlock.core.policies.scope import Match
from interlock.core.types import Finding, NamespaceView, Reach, Severity, User
from tests.support.policies import named, parsed, request

WORDS = st.sampled_from(["a", "ab", "b"])
FEW = st.sampled_from([["a*"], ["*"], ["a", "b*"], ["ab"]])
PATTERNS = st.lists(st.text("ab*", min_size=1, max_size=4), min_size=1, max_size=3)
LABELS = st.dictionaries(st.sampled_from(["k", "l"]), st.sampled_from(["x", "y"]), max_size=2)


@given(wide=PATTERNS, narrow=PATTERNS, text=st.text("ab", max_size=5))
def test_names(wide: list[str], narrow: list[str], text: str) -> None:
    """What the narrower patterns match, the wider ones match."""
    wider, narrower = Globs.of(wide), Globs.of(narrow)

    assert not (covering.globs(wider, narrower) and narrower.match(text)) or wider.match(text)


def _optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


EXPRESSIONS = st.lists(
    st.sampled_from(
        [
            {"key": "k", "operator": "In", "values": ["x"]},
            {"key": "k", "operator": "NotIn", "values": ["x"]},
            {"key": "l", "operator": "Exists"},
            {"key": "l", "operator": "DoesNotExist"},
        ]
    ),
    min_size=1,
    max_size=2,
)
NAMES = st.builds(lambda names: {"names": names}, FEW) | st.builds(
    lambda expressions: {"selector": {"matchExpressions": expressions}}, EXPRESSIONS
)
SUBJECTS = st.builds(lambda users: {"users": users}, FEW) | st.just({"groups": ["a"]})
RESOURCES = st.lists(
    st.sampled_from(["pods", "pods/exec", "pods/*", "*", "*/*", "*/exec", "nodes"]), min_size=1, max_size=2
)
GROUPS = st.sampled_from([[""], ["apps"], ["*"], ["", "apps"]])


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """A policy's match, as it is written."""
    one = draw(st.sampled_from(["namespaces", "objects", "subjects"]))
    parts = {"namespaces": NAMES, "objects": NAMES, "subjects": SUBJECTS}
    spec: dict[str, Any] = {name: draw(parts[name]) if name == one else None for name in parts}
    if draw(st.booleans()):
        spec["actions"] = draw(st.sampled_from([["exec"], ["interactive"], ["*"]]))
        spec["minSeverity"] = draw(_optional(st.sampled_from(["Medium", "High"])))
    else:
        spec["operations"] = draw(st.sampled_from([["UPDATE"], ["UPDATE", "DELETE"]]))
        spec["resources"] = [{"groups": draw(GROUPS), "resources": draw(RESOURCES)}]
    return spec


def compiled(spec: dict[str, Any]) -> Match:
    """The match, compiled."""
    return parsed(match={"actions": None} | spec).match


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Match, Match]:
    """Two matches that have most in common, so that one often covers the other."""
    narrow, other = draw(specs()), draw(specs())
    wide = dict(narrow)
    for field in ("namespaces", "objects", "subjects"):
        wide[field] = draw(st.sampled_from([narrow[field], other[field]]))
    return compiled(wide), compiled(narrow)


FINDING = Finding(action="exec", family="interactive", severity=Severity.HIGH, evidence="", reach=Reach.of("a"))
FINDINGS = st.sampled_from(
    [
        FINDING,
        replace(FINDING, severity=Severity.MEDIUM, reach=Reach.of("ab", "b")),
        replace(FINDING, action="attach", reach=Reach.everywhere()),
        replace(FINDING, action="update", family="plain", severity=Severity.LOW, reach=Reach.nowhere()),
        replace(FINDING, action="update", family="plain", severity=Severity.LOW),
    ]
)


@st.composite
def views(draw: st.DrawFn) -> View:
    """A request of which policies may be asked."""
    review = request(
        draw(st.sampled_from(["UPDATE", "DELETE"])),
        draw(st.sampled_from(["pods", "pods/exec", "nodes", "pods/status"])),
        group=draw(st.sampled_from(["", "apps"])),
        name=draw(WORDS),
        namespace="a",
        user=User(name=draw(WORDS), groups=("a",)),
        old=named(draw(LABELS)),
        new=named(draw(LABELS)),
    )
    known = draw(st.dictionaries(st.sampled_from(["a", "ab", "b"]), LABELS, max_size=3))
    return View.of(review, {name: NamespaceView(name=name, labels=labels) for name, labels in known.items()})


@given(pair=pairs() | st.tuples(specs().map(compiled), specs().map(compiled)), view=views(), finding=FINDINGS)
def test_matches(pair: tuple[Match, Match], view: View, finding: Finding) -> None:
    """What the narrower match selects, the wider one selects."""
    wide, narrow = pair
    covers = covering.findings(wide, narrow) and covering.place(wide, narrow)

    assert not (covers and match.selected(narrow, [finding], view)) or match.selected(wide, [finding], view)


@given(wide=specs().map(compiled))
def test_a_match_covers_itself(wide: Match) -> None:
    """Every match covers itself, so that two of the same are told."""
    assert covering.findings(wide, wide)
    assert covering.place(wide, wide)
