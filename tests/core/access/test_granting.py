"""What a write newly gives, against a slow model that asks before and after the write whether it is allowed."""

from hypothesis import assume, given
from hypothesis import strategies as st

from interlock.core.access import granting, powers
from interlock.core.access.book import Book
from interlock.core.access.granting import Gift
from interlock.core.access.powers import Power, Right
from interlock.core.types import JsonObject, Request, Severity
from tests.core.access import world
from tests.core.access.world import Ask
from tests.support.policies import request

POWER = Power(
    rights=(
        Right(verbs=("get", "list"), group="", resources=("secrets",)),
        Right(verbs=("create",), group="", resources=("serviceaccounts/token",)),
    ),
    everywhere=Severity.CRITICAL,
)
OF_CLUSTER = Power(
    rights=(Right(verbs=("get",), group="", resources=("nodes/proxy",), cluster=True),), everywhere=Severity.CRITICAL
)
RULES = world.rules(("get", "list", "create"), ("secrets", "serviceaccounts/token", "*/token", "pods", "nodes/proxy"))
ROLES, BINDINGS = world.roles(RULES), world.bindings()
STATES = st.lists(ROLES | BINDINGS, max_size=6).map(world.stored)
ASKS = [*world.asks(("get", "list"), ("secrets",)), *world.asks(("create",), ("serviceaccounts/token",))]
OF_NODES = [Ask("", "get", "", "nodes/proxy", name) for name in ("db", "other")]


def write(new: JsonObject, objects: list[JsonObject]) -> Request:
    """The review of a write: an update if there is such an object, in which a binding keeps its role."""
    kind, home, name = world.key(new)
    old = next((each for each in objects if world.key(each) == (kind, home, name)), None)
    operation = "UPDATE" if old else "CREATE"
    review = request(operation, f"{kind.lower()}s", group=world.RBAC, name=name, namespace=home, old=old, new=new)
    assume(old is None or old.get("roleRef") == new.get("roleRef"))
    return review


def covers(gift: Gift, who: str, ask: Ask) -> bool:
    """Whether a gift says that this may now be done."""
    names = {who, *(f"group {group}" for group in world.WHO[who].groups)}
    return (
        not names.isdisjoint(gift.whom)
        and gift.place in {"", ask.place}
        and any(
            ask.verb in each.verbs and ask.resource == each.resource and (each.names is None or ask.name in each.names)
            for each in gift.given
        )
    )


@given(STATES, ROLES | BINDINGS)
def test_all_that_is_new_is_told(objects: list[JsonObject], new: JsonObject) -> None:
    """Whatever is allowed after a write and was not before, to anybody, is in what the write is said to give."""
    review = write(new, objects)
    after = world.stored([*objects, new])
    found = list(granting.gifts(granting.grants(review, Book.of(objects)), POWER))
    for who, asker in world.WHO.items():
        for ask in ASKS:
            if world.allowed(after, asker, ask) and not world.allowed(objects, asker, ask):
                assert any(covers(gift, who, ask) for gift in found), (who, ask)


@given(STATES, ROLES | BINDINGS)
def test_all_that_is_told_is_new(objects: list[JsonObject], new: JsonObject) -> None:
    """What a write is said to give is allowed after it, and something of it was not before."""
    review = write(new, objects)
    after = world.stored([*objects, new])
    for gift in granting.gifts(granting.grants(review, Book.of(objects)), POWER):
        told = [(who, ask) for who in world.WHO if who in gift.whom for ask in ASKS if covers(gift, who, ask)]
        assert all(world.allowed(after, world.WHO[who], ask) for who, ask in told), gift
        for who in {who for who, _ in told}:
            assert not all(world.allowed(objects, world.WHO[who], ask) for each, ask in told if each == who), gift


@given(STATES, ROLES | BINDINGS)
def test_what_has_no_namespace(objects: list[JsonObject], new: JsonObject) -> None:
    """Resources without a namespace are given by ClusterRoleBindings and by nothing else."""
    review = write(new, objects)
    after = world.stored([*objects, new])
    found = list(granting.gifts(granting.grants(review, Book.of(objects)), OF_CLUSTER))
    for who, asker in world.WHO.items():
        newly = [a for a in OF_NODES if world.allowed(after, asker, a) and not world.allowed(objects, asker, a)]
        told = [ask for ask in OF_NODES if any(covers(gift, who, ask) for gift in found)]
        assert set(newly) <= set(told), who


def test_a_sentence_is_bounded() -> None:
    """However many are given something, a sentence names three of them and counts the rest."""
    subjects = [{"kind": "User", "name": f"u{number}"} for number in range(granting.MAX_HOLDERS + 9)]
    binding = {"metadata": {}, "roleRef": {"kind": "ClusterRole", "name": "all"}, "subjects": subjects}
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    book = Book.of([world.role("ClusterRole", "all", [everything])])
    review = request("CREATE", "clusterrolebindings", group=world.RBAC, namespace="", new=binding)

    [gift] = granting.gifts(granting.grants(review, book), powers.SECRETS)

    assert str(gift) == (
        "gives user u0 and user u1 and user u2 and 62 more get, list, watch on all secrets in all namespaces"
    )


def test_nobody_hides_behind_others() -> None:
    """Whoever comes after more subjects than are looked at is taken for somebody who held nothing."""
    holders = [{"kind": "User", "name": f"u{number}"} for number in range(granting.MAX_HOLDERS)]
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    before = {"kind": "ClusterRoleBinding", "metadata": {"name": "a"}, "subjects": holders}
    before |= {"roleRef": {"kind": "ClusterRole", "name": "all"}}
    book = Book.of([world.role("ClusterRole", "all", [everything]), before])
    subjects = [*holders, {"kind": "User", "name": "eve"}]
    binding = {"metadata": {}, "roleRef": {"kind": "ClusterRole", "name": "all"}, "subjects": subjects}
    review = request("CREATE", "clusterrolebindings", group=world.RBAC, namespace="", new=binding)

    [gift] = granting.gifts(granting.grants(review, book), powers.SECRETS)

    assert gift.whom == ("whoever is bound to ClusterRole all here",)
