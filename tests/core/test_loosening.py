"""A policy change that is said not to loosen lets nothing through; what cannot be told is said to loosen."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from interlock.core import snapshot
from interlock.core.decide import decide
from interlock.core.policies.loosening import differences, loosens
from interlock.core.types import Decision, JsonObject, NamespaceView, Request, User
from tests.support.policies import SOUND, changed, find, named, parsed, policy, request

NOW = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)  # a Tuesday
OPEN = {"name": "now", "weekly": {"days": ["Tue"], "start": "00:00", "end": "24:00"}}
OTHER = {"name": "later", "weekly": {"days": ["Fri"], "start": "00:00", "end": "24:00"}}
NAMESPACES = (NamespaceView(name="shop", labels={"env": "prod"}), NamespaceView(name="dev", labels={"env": "dev"}))


def _changed(change: JsonObject) -> JsonObject:
    return policy(changed({**SOUND, **BASE}, change))


BASE: JsonObject = {
    "match": {"actions": ["delete-namespace", "exec"], "namespaces": {"names": ["shop", "dev"]}},
    "exclude": [{"subjects": {"users": ["root"]}}],
    "windows": {"timeZone": "Europe/Berlin", "allow": [OPEN, OTHER], "outside": "Deny"},
}

TIGHTER = {
    "another description": {"description": "other", "message": "other"},
    "one more action": {"match": {"actions": ["delete-namespace", "exec", "attach"]}},
    "one more namespace": {"match": {"namespaces": {"names": ["shop", "dev", "prod-*"]}}},
    "all namespaces": {"match": {"namespaces": None}},
    "no exclusion": {"exclude": None},
    "one window less": {"windows": {"allow": [OPEN]}},
    "a freeze": {"windows": {"freeze": [OTHER]}},
    "no windows": {"windows": None},
}

LOOSER = {
    "observe": {"mode": "Observe"},
    "a milder verdict": {"verdict": "Warn"},
    "a lower severity": {"severity": "High"},
    "one action less": {"match": {"actions": ["exec"]}},
    "one namespace less": {"match": {"namespaces": {"names": ["shop"]}}},
    "a selector": {"match": {"namespaces": {"selector": {"matchLabels": {"env": "prod"}}}}},
    "only some users": {"match": {"subjects": {"users": ["alice"]}}},
    "a higher threshold": {"match": {"minSeverity": "Critical"}},
    "one more exclusion": {"exclude": [{"subjects": {"users": ["root"]}}, {"subjects": {"users": ["eve"]}}]},
    "one more window": {"windows": {"allow": [OPEN, OTHER, {**OTHER, "name": "third"}]}},
    "always open but for a freeze": {"windows": {"allow": None, "freeze": [OTHER]}},
    "another zone": {"windows": {"timeZone": "Asia/Tokyo"}},
    "a milder outside": {"windows": {"outside": "Warn"}},
    "protection may be left": {"leaveProtection": "Disabled"},
    "records may be lost": {"audit": {"durability": "Batch"}},
    "nothing that compiles": {"verdict": "Perhaps"},
}


@pytest.mark.parametrize("change", TIGHTER.values(), ids=TIGHTER.keys())
def test_tighter(change: JsonObject) -> None:
    """These changes do not loosen; undone, each that changes what is decided does."""
    assert loosens(policy({**SOUND, **BASE}), _changed(change)) is False


@pytest.mark.parametrize("change", LOOSER.values(), ids=LOOSER.keys())
def test_looser(change: JsonObject) -> None:
    """These changes loosen."""
    assert loosens(policy({**SOUND, **BASE}), _changed(change)) is True


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("Enforce", True), ("Observe", True), ("Disabled", False)],
    ids=["enforcing", "observing", "disabled"],
)
def test_deletion(mode: str, *, expected: bool) -> None:
    """Deleting a policy loosens, unless it was disabled; creating one never does."""
    stored = policy({**SOUND, "mode": mode})

    assert (loosens(stored, None), loosens(None, stored)) == (expected, False)


def test_repairing_a_broken_policy_loosens() -> None:
    """A stored policy that does not compile fails closed for what it covers, so whatever follows covers less."""
    assert loosens(policy({**SOUND, "verdict": "Perhaps"}), policy(SOUND)) is True


def test_differences() -> None:
    """Maps are compared key by key, lists and values as a whole; nothing is an empty text."""
    old = {"mode": "Enforce", "match": {"actions": ["exec"], "minSeverity": "Low"}}
    new = {"mode": "Observe", "match": {"actions": ["exec", "attach"]}, "message": "no"}

    assert list(differences(old, new)) == [
        ("spec.match.actions", '["exec"]', '["exec","attach"]'),
        ("spec.match.minSeverity", '"Low"', ""),
        ("spec.message", "", '"no"'),
        ("spec.mode", '"Enforce"', '"Observe"'),
    ]


def test_a_change_beside_a_grace_loosens() -> None:
    """A window less, or a freeze more, can leave an opening to end with another window, whose grace lasts longer."""
    graceful = {**OPEN, "overrun": {"grace": "1h"}}
    old, fewer = (_changed({"windows": {"allow": allow}}) for allow in ([graceful, OTHER], [graceful]))
    frozen = _changed({"windows": {"allow": [graceful, OTHER], "freeze": [{**OTHER, "allowOverrun": "Enabled"}]}})

    assert (loosens(old, fewer), loosens(old, frozen), loosens(old, old)) == (True, True, False)


# ------------------------------------------------------------------------------------------ against the decision itself


def _sublist(*values: Any) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique_by=str)


NAMES = st.one_of(
    st.none(),
    _sublist("shop", "dev", "s*").map(lambda names: {"names": names}),
    st.sampled_from([{"selector": {"matchLabels": {"env": env}}} for env in ("prod", "dev")]),
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "mode": st.sampled_from(["Enforce", "Observe", "Disabled"]),
    "severity": st.sampled_from(["Medium", "High", "Critical"]),
    "verdict": st.sampled_from(["Deny", "Warn", "Allow"]),
    "exclude": st.one_of(st.none(), _sublist(*({"subjects": {"users": [user]}} for user in ("alice", "bob")))),
    "windows": st.one_of(
        st.none(),
        st.fixed_dictionaries(
            {"timeZone": st.just("UTC"), "outside": st.sampled_from(["Deny", "Warn"])},
            optional={"allow": _sublist(OPEN, OTHER), "freeze": _sublist(OPEN, OTHER)},
        ).filter(lambda windows: len(windows) > 2),
    ),
    "actions": _sublist("delete-namespace", "exec", "destruction", "*"),
    "minSeverity": st.sampled_from([None, "Medium", "Critical"]),
    "namespaces": NAMES,
    "objects": NAMES,
    "subjects": st.one_of(st.none(), _sublist("alice", "bob", "*").map(lambda users: {"users": users})),
}
MATCH = ("actions", "minSeverity", "namespaces", "objects", "subjects")


def _spec(fields: JsonObject) -> JsonObject:
    """A spec of such fields; leaving protection is not compared, see the module under test."""
    spec = {name: value for name, value in fields.items() if name not in MATCH and value is not None}
    match = {name: fields[name] for name in MATCH if fields[name] is not None}
    return {**spec, "match": match, "leaveProtection": "Disabled"}


@st.composite
def _changes(draw: st.DrawFn) -> tuple[JsonObject, JsonObject]:
    """A spec, and the same with up to three fields drawn anew."""
    old = {name: draw(strategy) for name, strategy in FIELDS.items()}
    again = draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=3, unique=True))
    return _spec(old), _spec(old | {name: draw(FIELDS[name]) for name in again})


REQUESTS = [
    request(operation, resource, namespace=place, name=place if resource == "namespaces" else "web", user=user, old=old)
    for operation, resource in (("DELETE", "namespaces"), ("CONNECT", "pods/exec"), ("DELETE", "pods"))
    for place in ("shop", "dev")
    for user in (User(name="alice"), User(name="bob"))
    for old in (named({"env": "prod"}), named({"env": "dev"}))
]


def _decided(spec: JsonObject, review: Request) -> Decision:
    view = snapshot.build(policies=[parsed(**{**dict.fromkeys(SOUND), **spec})], namespaces=NAMESPACES)
    return decide(review, find(review), view, NOW)


@given(_changes())
def test_no_verdict_is_weaker_where_nothing_loosens(change: tuple[JsonObject, JsonObject]) -> None:
    """Whatever is asked, a change that does not loosen gives the same verdict or a stricter one."""
    old, new = change
    if loosens(policy(old), policy(new)):
        return
    event("does not loosen")
    for review in REQUESTS:
        before, after = _decided(old, review), _decided(new, review)
        assert after.verdict >= before.verdict, review
        assert after.recorded >= (before.recorded and bool(before.verdict)), review
