"""Ways to more power: each step, and the search against a slow model that grows a set until it grows no more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.access import paths
from interlock.core.access.book import Binding, Book, Principal, account
from interlock.core.types import JsonObject
from tests.core.access import world
from tests.core.access.world import Ask, Who
from tests.core.catalogue_cases.cluster import EVERYTHING, bound, role, rule

RBAC = world.RBAC
EVE = Principal("User", "eve")
KEEPER = "kube-system/keeper"


def told(*rules: object, place: str = "", also: tuple[Binding, ...] = ()) -> list[str] | None:
    """The way of user eve, who is bound to a role of these rules, to cluster-admin; None if there is none."""
    book = Book(
        cluster_roles={"given": role(*rules), "cluster-admin": role(EVERYTHING)},  # type: ignore[arg-type]
        bindings=(bound("given", "User/eve", place), bound("cluster-admin", KEEPER), *also),
    )
    found = paths.search(book, [EVE]).admin
    return None if found is None else [str(step) for step in found]


THROUGH = "(clusterrolebinding given-eve)"
AS_KEEPER = "and so acts as system:serviceaccount:kube-system:keeper"

WAYS = {
    "everything": ((EVERYTHING,), "", []),
    "escalate": (
        (rule("escalate update", RBAC, "clusterroles"),),
        "",
        [f"user eve may give ClusterRoles more than it has {THROUGH} and so is cluster-admin"],
    ),
    "bind": (
        (rule("bind", RBAC, "clusterroles", "cluster-admin"), rule("create", RBAC, "clusterrolebindings")),
        "",
        [f"user eve may bind ClusterRole cluster-admin in all namespaces {THROUGH} and so is cluster-admin"],
    ),
    "impersonation of masters": (
        (rule("impersonate", "core", "groups", "system:masters"), rule("impersonate", "core", "users", "x")),
        "",
        [f"user eve may impersonate group system:masters {THROUGH} and so is cluster-admin"],
    ),
    "webhooks": (
        (rule("create", "admissionregistration.k8s.io", "mutatingwebhookconfigurations"),),
        "",
        [f"user eve may change what others write by a webhook or policy {THROUGH} and so is cluster-admin"],
    ),
    "a token": (
        (rule("create", "core", "serviceaccounts/token", "keeper"),),
        "kube-system",
        [
            "user eve may create tokens of ServiceAccounts in kube-system (rolebinding kube-system/given-eve) "
            + AS_KEEPER
        ],
    ),
    "impersonation of an account": (
        (rule("impersonate", "core", "serviceaccounts"),),
        "",
        [f"user eve may impersonate ServiceAccounts {THROUGH} {AS_KEEPER}"],
    ),
    "impersonation of a user by the account's name": (
        (rule("impersonate", "core", "users", "system:serviceaccount:kube-system:keeper"),),
        "",
        [f"user eve may impersonate users {THROUGH} {AS_KEEPER}"],
    ),
    "a workload": (
        (rule("patch", "apps", "daemonsets"),),
        "",
        [f"user eve may run pods under ServiceAccounts {THROUGH} {AS_KEEPER}"],
    ),
    "a shell": (
        (rule("create", "core", "pods/exec"),),
        "",
        [f"user eve may enter pods that run under ServiceAccounts {THROUGH} {AS_KEEPER}"],
    ),
    "a kubelet": (
        (rule("get", "core", "nodes/proxy"),),
        "",
        [f"user eve may run commands in any pod by its kubelet {THROUGH} {AS_KEEPER}"],
    ),
    "a Secret that is filled": (
        (rule("create get", "core", "secrets"),),
        "",
        [f"user eve may create Secrets and read the tokens that fill them {THROUGH} {AS_KEEPER}"],
    ),
    "a certificate": (
        (
            rule("create update", "certificates.k8s.io", "certificatesigningrequests */approval"),
            rule("approve", "certificates.k8s.io", "signers", "kubernetes.io/kube-apiserver-client"),
        ),
        "",
        [f"user eve may have a certificate made for anybody {THROUGH} {AS_KEEPER}"],
    ),
    "every right in kube-system": (
        (rule("bind", RBAC, "clusterroles"), rule("create", RBAC, "rolebindings")),
        "kube-system",
        [
            "user eve may bind or write any role in kube-system (rolebinding kube-system/given-eve) " + AS_KEEPER,
        ],
    ),
    "nothing": ((), "", None),
    "Secrets that are only read": ((rule("get list", "core", "secrets"),), "", None),
    "a binding of other roles": (
        (rule("bind", RBAC, "clusterroles", "view"), rule("create", RBAC, "clusterrolebindings")),
        "",
        None,
    ),
    "escalation without writing": ((rule("escalate", RBAC, "clusterroles"),), "", None),
    "writing without escalation": ((rule("update create", RBAC, "clusterroles clusterrolebindings"),), "", None),
    "everything in a namespace where nobody else is": ((EVERYTHING,), "shop", None),
    "a token of another account": ((rule("create", "core", "serviceaccounts/token", "other"),), "kube-system", None),
    "a pod of a name, which a creation has not": ((rule("create", "core", "pods", "web-0"),), "", None),
    "groups alone": ((rule("impersonate", "core", "groups"),), "", None),
}


@pytest.mark.parametrize(("rules", "place", "expected"), WAYS.values(), ids=WAYS.keys())
def test_ways(rules: tuple[object, ...], place: str, expected: list[str] | None) -> None:
    """Each way is found and told step by step; what only looks like one is not."""
    assert told(*rules, place=place) == expected


def test_steps_follow_each_other() -> None:
    """A way through others names each of them, and is a shortest one."""
    book = Book(
        cluster_roles={
            "cluster-admin": role(EVERYTHING),
            "runner": role(rule("create", "core", "pods")),
            "minter": role(rule("create", "core", "serviceaccounts/token")),
        },
        bindings=(
            bound("runner", "Group/dev", "ci"),
            bound("minter", "ci/a", "tools"),
            bound("minter", "tools/b", "kube-system"),
            bound("cluster-admin", KEEPER),
        ),
    )
    found = paths.search(book, [EVE, Principal("Group", "dev")])

    assert found.admin is not None
    assert [str(step.becomes) for step in found.admin] == [
        "system:serviceaccount:ci:a",
        "system:serviceaccount:tools:b",
        "system:serviceaccount:kube-system:keeper",
    ]
    assert paths.search(book, [EVE]).admin is None


def test_the_nearest_come_first() -> None:
    """Among more accounts than are looked at, those of kube-system are looked at before all others."""
    many = tuple(bound("view", f"ns-{number}/a", "shop") for number in range(paths.MAX_VISITED + 1))
    book = Book(
        cluster_roles={"runner": role(rule("create", "core", "pods")), "cluster-admin": role(EVERYTHING)},
        bindings=(*many, bound("runner", "User/eve"), bound("cluster-admin", KEEPER)),
    )

    assert len(paths.search(book, [EVE]).admin or ()) == 1


def test_a_search_is_bounded() -> None:
    """A search that has looked at enough says that it is not complete, and claims nothing."""
    many = tuple(bound("runner", f"ns-{number}/a", "shop") for number in range(paths.MAX_VISITED + 1))
    book = Book(
        cluster_roles={"runner": role(rule("create", "core", "pods"))}, bindings=(*many, bound("runner", "User/eve"))
    )
    found = paths.search(book, [EVE])

    assert (found.admin, found.complete) == (None, False)


RULES = world.rules(("create", "impersonate"), ("serviceaccounts/token", "serviceaccounts", "pods"))
STATES = st.lists(world.roles(RULES) | world.bindings(), max_size=8).map(world.stored)
ROBOT = account("ci", "robot")


MEANS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "create tokens of ServiceAccounts": (("create", "", "serviceaccounts/token"),),
    "impersonate ServiceAccounts": (("impersonate", "", "serviceaccounts"),),
    "run pods under ServiceAccounts": (
        ("create", "", "pods"),
        *((verb, "", "replicationcontrollers") for verb in ("create", "update", "patch")),
        *(
            (verb, group, resource)
            for verb in ("create", "update", "patch")
            for group, resource in (("apps", "deployments"), ("apps", "replicasets"), ("batch", "jobs"))
        ),
    ),
    "enter pods that run under ServiceAccounts": (
        ("create", "", "pods/exec"),
        ("update", "", "pods/ephemeralcontainers"),
        ("patch", "", "pods/ephemeralcontainers"),
    ),
}
"""By what each step is done; a name in a rule counts only where requests have one."""

ANYTHING = Ask(world.ELSEWHERE, "any", "any", "any", "any")


def _may(objects: list[JsonObject], who: Who, means: str) -> bool:
    """Whether somebody may take this step to the one ServiceAccount of this world."""
    names = ("robot", "db") if "pods" in means else ("robot",)
    return any(
        world.allowed(
            objects, who, Ask("ci", verb, group, resource, "" if verb == "create" and "/" not in resource else name)
        )
        for verb, group, resource in MEANS[means]
        for name in names
    )


@given(STATES)
def test_search_finds_what_the_model_allows(objects: list[JsonObject]) -> None:
    """Whoever may act as an account is found to, and so is what that account may do then."""
    book = Book.of(objects)
    known = ROBOT in book.by_principal
    for name, principal in (("user eve", EVE), ("group dev", Principal("Group", "dev"))):
        who, found = world.WHO[name], paths.search(book, [principal])
        acts = known and any(_may(objects, who, means) for means in MEANS)
        if world.allowed(objects, who, ANYTHING) or (acts and world.allowed(objects, world.WHO[str(ROBOT)], ANYTHING)):
            assert found.admin is not None, name
        if acts and found.admin is None:
            assert ROBOT in found.others, name


@given(STATES)
def test_steps_are_what_the_model_allows(objects: list[JsonObject]) -> None:
    """Every step of every way that is told may really be taken, and the last one leads to every right."""
    book = Book.of(objects)
    for name, principal in (("user eve", EVE), ("group dev", Principal("Group", "dev"))):
        found = paths.search(book, [principal])
        for step in (step for path in (found.admin or (), *found.others.values()) for step in path):
            means = step.does.removesuffix(" in ci")
            if means in MEANS and step.becomes == ROBOT:
                assert _may(objects, world.WHO[str(step.who)], means), step
        if found.admin == ():
            assert world.allowed(objects, world.WHO[name], ANYTHING), name
