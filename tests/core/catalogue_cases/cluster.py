"""The roles and bindings of the cluster that the cases happen in."""

from interlock.core.access.book import Binding, Book, ClusterRole
from interlock.core.bindings import RoleReference, Subject
from interlock.core.selectors import stored
from interlock.core.types import RoleRule

FOR_ADMIN = {"rbac.authorization.k8s.io/aggregate-to-admin": "true"}
EVERYTHING = RoleRule(verbs=("*",), groups=("*",), resources=("*",))


def rule(verbs: str, groups: str, resources: str, *names: str) -> RoleRule:
    """A rule; words are separated by blanks, the core group is `core`."""
    named = tuple("" if each == "core" else each for each in groups.split())
    return RoleRule(verbs=tuple(verbs.split()), groups=named, resources=tuple(resources.split()), resource_names=names)


def role(*rules: RoleRule) -> ClusterRole:
    """A ClusterRole."""
    return ClusterRole(rules=rules)


def bound(role_name: str, who: str, place: str = "", *, kind: str = "ClusterRole") -> Binding:
    """A binding of ``User/eve``, ``Group/dev`` or ``namespace/account``."""
    home, _, name = who.partition("/")
    subject = (
        Subject(kind=home, name=name)
        if home in {"User", "Group"}
        else Subject(kind="ServiceAccount", name=name, namespace=home)
    )
    reference = RoleReference(kind=kind, name=role_name)
    return Binding(namespace=place, name=f"{role_name}-{name}", role=reference, subjects=(subject,))


BOOK = Book(
    cluster_roles={
        "cluster-admin": role(EVERYTHING),
        "admin": ClusterRole(
            rules=(rule("get list", "core", "configmaps"),), selectors=(stored({"matchLabels": FOR_ADMIN}),)
        ),
        "view": role(rule("get list", "core", "pods")),
        "climber": role(rule("bind", "*", "roles")),
        "widgets-all": role(rule("*", "example.org", "widgets")),
        "owner-of-all": role(EVERYTHING),
        "vast": role(rule("get", "core", "pods", *(("x",) * 20_001))),
        "secret-reader": role(rule("get list", "core", "secrets")),
        "node-reader": role(rule("get", "core", "nodes/proxy")),
        "runner": role(rule("create", "core", "pods")),
        "minter": role(rule("create", "core", "serviceaccounts/token")),
        "collector": ClusterRole(selectors=(stored({"matchLabels": {"collect": "yes"}}),)),
    },
    roles={
        ("shop", "proxy"): (rule("impersonate", "core", "users"),),
        ("shop", "cluster-admin"): (rule("get", "core", "pods"),),
        ("shop", "one-secret"): (rule("get", "core", "secrets", "db"),),
    },
    bindings=(
        bound("cluster-admin", "Group/system:masters"),
        bound("cluster-admin", "kube-system/installer"),
        bound("owner-of-all", "tools/manager"),
        bound("minter", "ops/tokens", "tools"),
        bound("runner", "ci/deployer", "ci"),
        bound("secret-reader", "Group/readers", "shop"),
        bound("collector", "ci/deployer"),
        bound("waiting", "Group/dev", "shop", kind="Role"),
    ),
)
