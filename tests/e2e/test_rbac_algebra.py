"""The RBAC algebra against the API server's own answers: random roles and bindings, and what writes newly give."""

import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from interlock.core.access import granting
from interlock.core.access.book import Book, members
from interlock.core.access.powers import SECRETS, TOKENS
from interlock.core.rbac import Atom, covers
from interlock.core.types import JsonObject
from tests.core.access import world
from tests.core.access.test_granting import covers as is_told
from tests.core.access.world import WHO, Ask
from tests.support.api import Api
from tests.support.kubectl import Kubectl, eventually
from tests.support.policies import request

pytestmark = pytest.mark.cluster

PREFIX = "e2e-algebra-"
SPACES = (f"{PREFIX}shop", f"{PREFIX}ci")
RBAC = "/apis/rbac.authorization.k8s.io/v1"
MARK = {"e2e-algebra": "true"}
VERBS = ("get", "list", "create", "update", "patch", "*")
GROUPS = ("", "apps", "*")
RESOURCES = ("secrets", "serviceaccounts/token", "*/token", "pods", "*", "namespaces")
SUBJECTS: tuple[JsonObject, ...] = (
    {"kind": "User", "name": "eve", "apiGroup": "rbac.authorization.k8s.io"},
    {"kind": "Group", "name": "dev", "apiGroup": "rbac.authorization.k8s.io"},
    {"kind": "ServiceAccount", "name": "robot", "namespace": "ci"},
    {"kind": "Group", "name": "system:serviceaccounts:ci", "apiGroup": "rbac.authorization.k8s.io"},
)
NAMES = ("db", "robot", "other")
READY_SECONDS = 10.0  # in which an API server has seen what was written


@pytest.fixture
def api() -> Iterator[Api]:
    """Calls that kubectl is too slow for."""
    with Api(os.environ["INTERLOCK_TEST_KUBECONFIG"]) as found:
        yield found


@pytest.fixture
def dice() -> random.Random:
    """Always the same, so that what fails fails again."""
    return random.Random(8)  # noqa: S311  no secret is made of it


@pytest.fixture(scope="module")
def _spaces(kubectl: Kubectl) -> Iterator[None]:
    """Two namespaces of these tests' own."""
    for space in SPACES:
        kubectl.must("create", "namespace", space)
    yield
    kubectl("delete", "namespace", *SPACES, "--wait=false")


@pytest.fixture
def create(api: Api, kubectl: Kubectl, _spaces: None) -> Iterator[Callable[[JsonObject], JsonObject]]:
    """Create objects of RBAC, all of which are gone in the end."""

    def _create(obj: JsonObject) -> JsonObject:
        home = obj["metadata"].get("namespace")
        kind = f"{obj['kind'].lower()}s"
        path = f"{RBAC}/namespaces/{home}/{kind}" if home else f"{RBAC}/{kind}"
        status, answer = api.call("POST", path, obj)
        assert status == 201, answer
        return answer | {"kind": obj["kind"]}

    yield _create
    kubectl.must("delete", "clusterroles,clusterrolebindings", "-l", "e2e-algebra=true")
    for space in SPACES:
        kubectl.must("delete", "roles,rolebindings", "-l", "e2e-algebra=true", "-n", space)


def rule(dice: random.Random) -> JsonObject:
    """A rule."""
    found = {
        "verbs": dice.sample(VERBS, 2),
        "apiGroups": dice.sample(GROUPS, 1),
        "resources": dice.sample(RESOURCES, dice.choice([1, 2])),
    }
    return found | ({"resourceNames": [dice.choice(NAMES)]} if dice.random() < 0.4 else {})


def role(dice: random.Random, number: int) -> JsonObject:
    """A Role or ClusterRole, which others may collect."""
    home = dice.choice(["", "", *SPACES])
    labels = MARK | ({"e2e-algebra-part": "true"} if not home and number % 2 else {})
    metadata = {"name": f"{PREFIX}{number}", "labels": labels} | ({"namespace": home} if home else {})
    return {"kind": "Role" if home else "ClusterRole", "metadata": metadata, "rules": [rule(dice) for _ in range(2)]}


def binding(dice: random.Random, name: str, roles: list[JsonObject]) -> JsonObject:
    """A binding of one of the roles, or of one that does not exist."""
    chosen = dice.choice(roles)
    home = chosen["metadata"].get("namespace", dice.choice(["", *SPACES]))
    metadata = {"name": f"{PREFIX}{name}", "labels": MARK} | ({"namespace": home} if home else {})
    reference = {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": chosen["kind"],
        "name": chosen["metadata"]["name"] if dice.random() < 0.9 else f"{PREFIX}missing",
    }
    kind = "RoleBinding" if home else "ClusterRoleBinding"
    return {"kind": kind, "metadata": metadata, "roleRef": reference, "subjects": dice.sample(SUBJECTS, 2)}


def collector() -> JsonObject:
    """A ClusterRole that collects others."""
    chosen = {"clusterRoleSelectors": [{"matchLabels": {"e2e-algebra-part": "true"}}]}
    return {
        "kind": "ClusterRole",
        "metadata": {"name": f"{PREFIX}all", "labels": MARK},
        "aggregationRule": chosen,
        "rules": [],
    }


def allowed(api: Api, who: str, ask: Ask) -> bool:
    """What the API server says."""
    asker = WHO[who]
    resource, _, below = ask.resource.partition("/")
    about = {"namespace": ask.place, "verb": ask.verb, "group": ask.group, "resource": resource, "name": ask.name}
    spec: dict[str, Any] = {"resourceAttributes": about | {"subresource": below}, "groups": list(asker.groups)}
    spec |= {"user": asker.name} if asker.name else {}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    status, answer = api.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    assert status == 201, answer
    return bool(answer["status"]["allowed"])


def ours(book: Book, who: str, ask: Ask) -> bool:
    """What the algebra says."""
    principal = next(each for each in map(_principal, SUBJECTS) if str(each) == who)
    atom = Atom(verb=ask.verb, group=ask.group, resource=ask.resource, name=ask.name)
    return any(covers(each, atom) for each in book.rules_for(members(principal), ask.place))


def _principal(subject: JsonObject) -> Any:
    [found] = Book.of(
        [{"kind": "ClusterRoleBinding", "metadata": {"name": "b"}, "roleRef": {}, "subjects": [subject]}]
    ).by_principal
    return found


def book_of(kubectl: Kubectl) -> Book:
    """Every role and binding of the cluster."""
    kinds = "clusterroles,clusterrolebindings,roles,rolebindings"
    return Book.of(kubectl.get(kinds, "--all-namespaces")["items"])


def seen(api: Api, create: Callable[[JsonObject], JsonObject], number: int) -> None:
    """Wait until the API server's authorizer has seen all that was written: what is written last is seen last."""
    name = f"{PREFIX}mark-{number}"
    meta = {"name": name, "labels": MARK}
    create(
        {
            "kind": "ClusterRole",
            "metadata": meta,
            "rules": [{"verbs": ["get"], "apiGroups": [name], "resources": ["x"]}],
        }
    )
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    create({"kind": "ClusterRoleBinding", "metadata": meta, "roleRef": reference, "subjects": [SUBJECTS[0]]})
    ask = Ask("", "get", name, "x", "")
    eventually(lambda: allowed(api, "user eve", ask), seconds=READY_SECONDS, what="the authorizer has seen the writes")


ASKS = [
    Ask(place, verb, group, resource, name)
    for place in (*SPACES, "default")
    for verb in ("get", "create", "patch")
    for group, resource in (("", "secrets"), ("", "serviceaccounts/token"), ("apps", "pods"), ("", "namespaces"))
    for name in ("db", "other")
]


QUESTIONS = [(who, ask) for who in WHO for ask in ASKS]
Create = Callable[[JsonObject], JsonObject]


def answers(api: Api) -> dict[tuple[str, Ask], bool]:
    """What the API server says to every question."""
    return {each: allowed(api, *each) for each in QUESTIONS}


@pytest.fixture
def roles(kubectl: Kubectl, api: Api, create: Create, dice: random.Random) -> list[JsonObject]:
    """Random roles, some of them collected by another one, and some bindings of theirs."""
    found = [role(dice, number) for number in range(10)]
    for each in (*found, collector()):
        create(each)
    for number in range(10):
        create(binding(dice, f"bound-{number}", [*found, collector()]))
    name = f"{PREFIX}all"
    eventually(lambda: kubectl.get("clusterrole", name)["rules"], seconds=READY_SECONDS, what="rules are collected")
    seen(api, create, 0)
    return found


@pytest.mark.usefixtures("roles")
def test_who_may_do_what(api: Api, kubectl: Kubectl) -> None:
    """By the algebra, random roles and bindings give exactly what the API server says that they give."""
    book, said = book_of(kubectl), answers(api)

    assert {each: ours(book, *each) for each in QUESTIONS} == said
    assert set(said.values()) == {True, False}


def test_what_is_new(api: Api, kubectl: Kubectl, create: Create, dice: random.Random, roles: list[JsonObject]) -> None:
    """What a binding is said to give before it is written is what the API server allows afterwards."""
    told = 0
    for number in range(8):
        new = binding(dice, f"new-{number}", roles)
        home = new["metadata"].get("namespace", "")
        review = request("CREATE", f"{new['kind'].lower()}s", group=world.RBAC, namespace=home, new=new)
        grants = granting.grants(review, book_of(kubectl))
        gifts = [gift for power in (SECRETS, TOKENS) for gift in granting.gifts(grants, power)]
        was = answers(api)
        create(new)
        seen(api, create, number + 1)
        for (who, ask), now in answers(api).items():
            given = any(is_told(gift, who, ask) for gift in gifts)
            assert now or not given, (new, who, ask)
            if (ask.verb, ask.resource) in WATCHED:
                assert given or was[who, ask] or not now, (new, who, ask)
            told += given
    assert told


WATCHED = {("get", "secrets"), ("patch", "secrets"), ("create", "secrets"), ("create", "serviceaccounts/token")}
"""Questions of this test that the two powers speak of."""
