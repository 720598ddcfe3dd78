"""Family `privilege`: bindings and roles."""

from dataclasses import replace

from interlock.core.types import JsonObject, Request
from tests.core.catalogue_cases.case import Case, delete
from tests.support.policies import request

RBAC = "rbac.authorization.k8s.io"


def write(
    operation: str, resource: str, name: str, new: JsonObject, old: JsonObject | None = None, *, kind: str
) -> Request:
    """A write of an RBAC object, in namespace shop where it is not cluster-scoped."""
    namespace = "" if resource.startswith("cluster") else "shop"
    review = request(operation, resource, group=RBAC, name=name, namespace=namespace, new=new, old=old)
    return replace(review, kind=kind)


def binding(role: str, *subjects: JsonObject, kind: str = "ClusterRole") -> JsonObject:
    """What a binding says."""
    return {"roleRef": {"apiGroup": RBAC, "kind": kind, "name": role}, "subjects": list(subjects)}


def user(name: str) -> JsonObject:
    """A subject."""
    return {"kind": "User", "apiGroup": RBAC, "name": name}


def group(name: str) -> JsonObject:
    """A subject."""
    return {"kind": "Group", "apiGroup": RBAC, "name": name}


def account(name: str, namespace: str = "") -> JsonObject:
    """A subject."""
    return {"kind": "ServiceAccount", "name": name} | ({"namespace": namespace} if namespace else {})


def rules(*each: JsonObject, **metadata: object) -> JsonObject:
    """What a role says."""
    return {"metadata": metadata, "rules": list(each)}


def rule(verbs: str, groups: str, resources: str, **more: object) -> JsonObject:
    """One rule; words are separated by blanks, the core group is `core`."""
    named = ["" if each == "core" else each for each in groups.split()]
    return {"verbs": verbs.split(), "apiGroups": named, "resources": resources.split()} | more


READS = rule("get list", "core", "pods")
EVERYTHING = rule("*", "*", "*")
FOR_EDIT = {f"{RBAC}/aggregate-to-edit": "true"}


CRB, RB, CR, R = "clusterrolebindings", "rolebindings", "clusterroles", "roles"


def bind(review_binding: JsonObject, old: JsonObject | None = None, *, everywhere: bool = False) -> Request:
    """The write of a binding, an update if there is an old one."""
    kind, resource = ("ClusterRoleBinding", CRB) if everywhere else ("RoleBinding", RB)
    return write("UPDATE" if old else "CREATE", resource, "b", review_binding, old, kind=kind)


def grant(review_role: JsonObject, old: JsonObject | None = None, *, everywhere: bool = False) -> Request:
    """The write of a role, an update if there is an old one."""
    kind, resource = ("ClusterRole", CR) if everywhere else ("Role", R)
    return write("UPDATE" if old else "CREATE", resource, "r", review_role, old, kind=kind)


GRANT_ADMIN: dict[str, Case] = {
    "cluster-admin everywhere": (
        "grant-admin",
        bind(binding("cluster-admin", user("eve")), everywhere=True),
        ["Critical, reaches all: bind User eve to ClusterRole cluster-admin in all namespaces"],
    ),
    "cluster-admin in one namespace": (
        "grant-admin",
        bind(binding("cluster-admin", group("dev"))),
        ["Critical, reaches shop: bind Group dev to ClusterRole cluster-admin in shop"],
    ),
    "admin in one namespace": (
        "grant-admin",
        bind(binding("admin", account("robot"))),
        ["High, reaches shop: bind ServiceAccount shop/robot to ClusterRole admin in shop"],
    ),
    "edit everywhere": (
        "grant-admin",
        bind(binding("edit", account("robot", "ci")), everywhere=True),
        ["Critical, reaches all: bind ServiceAccount ci/robot to ClusterRole edit in all namespaces"],
    ),
    "a new subject of an old binding, and only that one": (
        "grant-admin",
        bind(binding("edit", user("ann"), user("bob")), binding("edit", user("ann"))),
        ["High, reaches shop: bind User bob to ClusterRole edit in shop"],
    ),
    "many subjects are counted": (
        "grant-admin",
        bind(binding("edit", *(user(f"u{number}") for number in range(5)))),
        ["High, reaches shop: bind User u0, User u1, User u2 and 2 more to ClusterRole edit in shop"],
    ),
    "a role that lets its holder escalate": (
        "grant-admin",
        bind(binding("climber", user("eve")), everywhere=True),
        ["Critical, reaches all: bind User eve to ClusterRole climber in all namespaces, which grants bind roles.*"],
    ),
    "a Role of the namespace that lets its holder impersonate": (
        "grant-admin",
        bind(binding("proxy", user("eve"), kind="Role")),
        ["Critical, reaches shop: bind User eve to Role proxy in shop, which grants impersonate users"],
    ),
    "a role of another name that grants everything": (
        "grant-admin",
        bind(binding("owner-of-all", user("eve"))),
        ["Critical, reaches shop: bind User eve to ClusterRole owner-of-all in shop, which grants * *.*"],
    ),
    "a role with a narrow wildcard": (
        "grant-admin",
        bind(binding("widgets-all", user("eve"))),
        ["High, reaches shop: bind User eve to ClusterRole widgets-all in shop, which grants * widgets.example.org"],
    ),
    "a role that nobody knows": (
        "grant-admin",
        bind(binding("later", user("eve")), everywhere=True),
        ["High, reaches all: bind User eve to ClusterRole later in all namespaces, whose rules are not known here"],
    ),
    "a role too large to look at": (
        "grant-admin",
        bind(binding("vast", user("eve"))),
        ["High, reaches shop: bind User eve to ClusterRole vast in shop, which has more than 20000 grants"],
    ),
    "a binding whose role changed gives it to all": (
        "grant-admin",
        bind(binding("edit", user("ann")), binding("view", user("ann"))),
        ["High, reaches shop: bind User ann to ClusterRole edit in shop"],
    ),
    "a name that forges a line": (
        "grant-admin",
        bind(binding("edit", user("eve\nallowed by ann"))),
        ["High, reaches shop: bind User eve\\nallowed by ann to ClusterRole edit in shop"],
    ),
    "not an ordinary role": ("grant-admin", bind(binding("view", user("eve")), everywhere=True), []),
    "not a Role that has a powerful role's name": (
        "grant-admin",
        bind(binding("cluster-admin", user("eve"), kind="Role")),
        [],
    ),
    "not a subject that goes": (
        "grant-admin",
        bind(binding("edit", user("ann")), binding("edit", user("ann"), user("bob"))),
        [],
    ),
    "not a label on a binding": (
        "grant-admin",
        bind(binding("edit", user("ann")) | {"metadata": {"labels": {"a": "b"}}}, binding("edit", user("ann"))),
        [],
    ),
    "not a ServiceAccount whose namespace is now spelled out": (
        "grant-admin",
        bind(binding("edit", account("robot", "shop")), binding("edit", account("robot"))),
        [],
    ),
    "not a binding of nobody": ("grant-admin", bind(binding("cluster-admin"), everywhere=True), []),
    "not a deletion": ("grant-admin", delete(CRB, "b", binding("cluster-admin", user("eve")), group=RBAC), []),
}

GRANT_ANONYMOUS: dict[str, Case] = {
    "anonymous, to any role": (
        "grant-anonymous",
        bind(binding("view", user("ann"), user("system:anonymous")), everywhere=True),
        ["Critical, reaches all: bind User system:anonymous to ClusterRole view in all namespaces"],
    ),
    "unauthenticated": (
        "grant-anonymous",
        bind(binding("view", group("system:unauthenticated"))),
        ["Critical, reaches shop: bind Group system:unauthenticated to ClusterRole view in shop"],
    ),
    "all authenticated users": (
        "grant-anonymous",
        bind(binding("view", group("system:authenticated")), everywhere=True),
        ["High, reaches all: bind Group system:authenticated to ClusterRole view in all namespaces"],
    ),
    "all ServiceAccounts of a namespace, newly": (
        "grant-anonymous",
        bind(binding("view", group("system:serviceaccounts:ci")), binding("view")),
        ["High, reaches shop: bind Group system:serviceaccounts:ci to ClusterRole view in shop"],
    ),
    "not one ServiceAccount": ("grant-anonymous", bind(binding("view", account("default", "ci"))), []),
    "not a user with a group's name": ("grant-anonymous", bind(binding("view", user("system:authenticated"))), []),
    "not who was bound before": (
        "grant-anonymous",
        bind(
            binding("view", user("ann"), group("system:authenticated")),
            binding("view", group("system:authenticated")),
        ),
        [],
    ),
}

GRANT_WILDCARD: dict[str, Case] = {
    "everything": (
        "grant-wildcard",
        grant(rules(EVERYTHING), everywhere=True),
        ["Critical, reaches all: let ClusterRole r newly grant * *.*"],
    ),
    "every verb on one resource": (
        "grant-wildcard",
        grant(rules(rule("*", "apps", "deployments"))),
        ["High, reaches shop: let Role r in shop newly grant * deployments.apps"],
    ),
    "every resource for reading": (
        "grant-wildcard",
        grant(rules(rule("get list", "core", "*")), everywhere=True),
        ["High, reaches all: let ClusterRole r newly grant get *, list *"],
    ),
    "every group": (
        "grant-wildcard",
        grant(rules(rule("get", "*", "pods"))),
        ["High, reaches shop: let Role r in shop newly grant get pods.*"],
    ),
    "every URL": (
        "grant-wildcard",
        grant(rules({"verbs": ["get"], "nonResourceURLs": ["*"]}), everywhere=True),
        ["High, reaches all: let ClusterRole r newly grant get *"],
    ),
    "one more in a role that had some": (
        "grant-wildcard",
        grant(rules(READS, rule("*", "core", "pods")), rules(READS)),
        ["High, reaches shop: let Role r in shop newly grant * pods"],
    ),
    "names do not shrink a wildcard away": (
        "grant-wildcard",
        grant(rules(rule("*", "core", "secrets", resourceNames=["db"]))),
        ["High, reaches shop: let Role r in shop newly grant * secrets db"],
    ),
    "from some names to all": (
        "grant-wildcard",
        grant(rules(rule("*", "core", "secrets")), rules(rule("*", "core", "secrets", resourceNames=[""]))),
        ["High, reaches shop: let Role r in shop newly grant * secrets"],
    ),
    "a label that lets old rules flow into edit": (
        "grant-wildcard",
        grant(rules(EVERYTHING, labels=FOR_EDIT), rules(EVERYTHING), everywhere=True),
        ["Critical, reaches all: let ClusterRole r newly grant * *.*"],
    ),
    "a role that begins to collect others'": (
        "grant-wildcard",
        grant({"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}}, rules(), everywhere=True),
        ["Critical, reaches all: let ClusterRole r newly grant whatever other ClusterRoles hold, chosen by label"],
    ),
    "a role too large to compare": (
        "grant-wildcard",
        grant(rules(rule("get", "core", "pods", resourceNames=["x"] * 20_001))),
        ["High, reaches shop: let Role r in shop newly grant more than can be compared (20000 grants)"],
    ),
    "not what it granted before": ("grant-wildcard", grant(rules(EVERYTHING, READS), rules(EVERYTHING)), []),
    "not what a wildcard covered before": (
        "grant-wildcard",
        grant(rules(rule("*", "core", "pods")), rules(EVERYTHING)),
        [],
    ),
    "not less than before": ("grant-wildcard", grant(rules(READS), rules(EVERYTHING)), []),
    "not all subresources of one name": ("grant-wildcard", grant(rules(rule("get", "*x", "*/scale pods/*"))), []),
    "not a URL with everything below": (
        "grant-wildcard",
        grant(rules({"verbs": ["get"], "nonResourceURLs": ["/metrics/*"]}), everywhere=True),
        [],
    ),
    "not a name that is a star": ("grant-wildcard", grant(rules(rule("get", "core", "pods", resourceNames=["*"]))), []),
    "not a label that says false": (
        "grant-wildcard",
        grant(rules(EVERYTHING, labels={f"{RBAC}/aggregate-to-edit": "false"}), rules(EVERYTHING), everywhere=True),
        [],
    ),
    "not a role that collected before": (
        "grant-wildcard",
        grant(
            {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}, "rules": [READS]},
            {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}},
            everywhere=True,
        ),
        [],
    ),
}

GRANT_ESCALATION: dict[str, Case] = {
    "escalate and bind": (
        "grant-escalation",
        grant(rules(rule("escalate bind", RBAC, "roles"))),
        [f"Critical, reaches shop: let Role r in shop newly grant escalate roles.{RBAC}, bind roles.{RBAC}"],
    ),
    "impersonate": (
        "grant-escalation",
        grant(rules(rule("impersonate", "core", "users groups")), everywhere=True),
        ["Critical, reaches all: let ClusterRole r newly grant impersonate users, impersonate groups"],
    ),
    "impersonate with extra": (
        "grant-escalation",
        grant(rules(rule("impersonate", "authentication.k8s.io", "userextras/scopes")), everywhere=True),
        ["Critical, reaches all: let ClusterRole r newly grant impersonate userextras/scopes.authentication.k8s.io"],
    ),
    "constrained impersonation": (
        "grant-escalation",
        grant(rules(rule("impersonate:user-info", "authentication.k8s.io", "users")), everywhere=True),
        ["Critical, reaches all: let ClusterRole r newly grant impersonate:user-info users.authentication.k8s.io"],
    ),
    "what constrained impersonation may do": (
        "grant-escalation",
        grant(rules(rule("impersonate-on:user-info:delete", "core", "pods"))),
        ["Critical, reaches shop: let Role r in shop newly grant impersonate-on:user-info:delete pods"],
    ),
    "every verb on roles": (
        "grant-escalation",
        grant(rules(rule("*", RBAC, "clusterroles")), everywhere=True),
        [f"Critical, reaches all: let ClusterRole r newly grant * clusterroles.{RBAC}"],
    ),
    "everything": (
        "grant-escalation",
        grant(rules(EVERYTHING), everywhere=True),
        ["Critical, reaches all: let ClusterRole r newly grant * *.*"],
    ),
    "not ordinary verbs on roles": ("grant-escalation", grant(rules(rule("get create update", RBAC, "roles"))), []),
    "not escalate on what knows no escalation": (
        "grant-escalation",
        grant(rules(rule("escalate", "core", "pods"))),
        [],
    ),
    "not every verb on pods": ("grant-escalation", grant(rules(rule("*", "core", "pods"))), []),
    "not what it granted before": (
        "grant-escalation",
        grant(rules(READS, rule("bind", RBAC, "roles")), rules(rule("bind escalate", RBAC, "*"))),
        [],
    ),
    "not a verb that only begins so": ("grant-escalation", grant(rules(rule("impersonated", "core", "users"))), []),
}

BINDINGS = (*GRANT_ADMIN.items(), *GRANT_ANONYMOUS.items())
ROLES = (*GRANT_WILDCARD.items(), *GRANT_ESCALATION.items())
