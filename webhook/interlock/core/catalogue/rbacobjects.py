"""Family `privilege`: roles and bindings as things that are labelled, changed and deleted, and who does that."""

from collections.abc import Iterator

from interlock.core import bindings, rbac, text, unstructured
from interlock.core.access import granting
from interlock.core.access.book import EVERYWHERE, Book, Principal
from interlock.core.bindings import CLUSTER_ROLE, SERVICE_ACCOUNT
from interlock.core.catalogue import target
from interlock.core.catalogue.entry import Entry, RoleBook, Seen
from interlock.core.catalogue.grants import RULES
from interlock.core.catalogue.guards import did
from interlock.core.catalogue.needs import any_write, changes, deletes, writes
from interlock.core.rbac import GROUP
from interlock.core.systems import identity_of
from interlock.core.types import JsonObject, Operation, Request, RoleRule, Severity

FAMILY = "privilege"
BUILT_IN = frozenset({"cluster-admin", "admin", "edit", "view"})
MASTERS = "system:masters"
AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
KINDS = ("clusterroles", "roles", "clusterrolebindings", "rolebindings")


def _by_label(request: Request, roles: RoleBook) -> Iterator[Seen]:
    collecting = [name for name in granting.collected_by(request, roles.access) if name != request.name]
    rules = rbac.rules_of(request.object)
    if collecting and rules:
        count = sum(map(rbac.atom_count, rules))
        dangerous = rbac.comparable(rules) and any(rbac.powers(rules))
        what = f"{text.counted(count, 'grant')} of {target.titled(request)}"
        yield Seen(
            f"let {what} flow into {text.listed(collecting)}, and so to everybody who is bound to that",
            target.reach(request),
            Severity.CRITICAL if dangerous or not rbac.comparable(rules) else None,
        )


def _system(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if not (request.name.startswith("system:") or request.name in BUILT_IN):
        return
    if request.operation is Operation.DELETE or _said(request.object) != _said(request.old_object):
        yield Seen(f"{did(request)}, which Kubernetes itself relies on", target.reach(request))


def _said(state: JsonObject | None) -> list[object]:
    fields = ("rules", "aggregationRule", "roleRef", "subjects")
    update = unstructured.mapping(state, "metadata", "annotations").get(AUTOUPDATE)
    return [update, *((state or {}).get(field) for field in fields)]


def _deleted(request: Request, roles: RoleBook) -> Iterator[Seen]:
    last = request.resource == "clusterrolebindings" and _last_administrators(request, roles.access)
    more = ", the last binding that makes administrators" if last else ""
    yield Seen(f"delete {target.titled(request)}{more}", target.reach(request), Severity.HIGH if last else None)


def _last_administrators(request: Request, book: Book) -> bool:
    """Whether nobody is bound to cluster-admin any more; members of system:masters need no binding."""
    role = bindings.role_reference(request.old_object)
    if (role.kind, role.name) != (CLUSTER_ROLE, "cluster-admin"):
        return False
    others = (each for each in book.by_role.get(("", "cluster-admin"), ()) if each.namespace == EVERYWHERE)
    return not any(each.name != request.name and each.subjects for each in others)


def _by_account(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if request.user.service_account and identity_of(request.user) is None:
        yield Seen(
            f"{did(request)} by ServiceAccount {text.printable(request.user.service_account)}", target.reach(request)
        )


def _beyond(request: Request, roles: RoleBook) -> Iterator[Seen]:
    user = request.user
    if MASTERS in user.groups or identity_of(user) is not None:
        return
    mine = [Principal("User", user.name), *(Principal("Group", group) for group in user.groups)]
    for grant in granting.grants(request, roles.access)[:1]:
        owned = roles.access.rules_for(mine, grant.place)
        new, reach = _unheld(grant.rules, grant.held), target.reach(request)
        if not rbac.comparable(new, owned):
            yield Seen(
                f"gives {grant.whom} more than can be compared with what the author holds", target.reach(request)
            )
        elif lacking := list(rbac.newly_granted(new, owned)):
            who, what = text.printable(user.name), text.listed(lacking)
            yield Seen(f"gives {grant.whom} what {who} does not hold: {what}", reach)


def _unheld(rules: tuple[RoleRule, ...], held: tuple[RoleRule, ...]) -> list[RoleRule]:
    known = frozenset(held)
    return [rule for rule in rules if rule not in known]


def _default_account(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    for subject in bindings.new_subjects(request):
        if subject.kind == SERVICE_ACCOUNT and subject.name == "default":
            role = bindings.role_reference(request.object)
            yield Seen(
                f"bind every pod of {text.printable(subject.namespace)} that names no ServiceAccount to {role}",
                target.reach(request),
            )


RBAC_OBJECTS = (
    Entry(
        id="grant-by-label",
        family=FAMILY,
        title="Label a ClusterRole so that another one, such as admin, edit or view, collects its rules",
        severity=Severity.HIGH,
        raised="Critical where its rules have a wildcard or let their holder escalate, bind or impersonate.",
        rules=(writes(GROUP, "clusterroles"),),
        misses="Rules that are added to the labelled ClusterRole later (the other grant rows find these).",
        example="kubectl label clusterrole extra rbac.authorization.k8s.io/aggregate-to-view=true",
        references=("T1098.006",),
        goes_round=("grant-admin",),
        detect=_by_label,
    ),
    Entry(
        id="grant-default-account",
        family=FAMILY,
        title="Bind the ServiceAccount that pods have which name none",
        severity=Severity.MEDIUM,
        rules=(writes(GROUP, "clusterrolebindings", "rolebindings"),),
        misses="Which pods these are.",
        example="kubectl create rolebinding all --clusterrole=view --serviceaccount=prod-shop:default -n prod-shop",
        references=("T1098.006",),
        detect=_default_account,
    ),
    Entry(
        id="grant-beyond-own",
        family=FAMILY,
        title="Give somebody more than the author holds, by the verbs escalate or bind",
        severity=Severity.CRITICAL,
        rules=RULES,
        misses="Members of system:masters, who hold everything; rights by other authorizers than RBAC.",
        example="kubectl create clusterrolebinding up --clusterrole=cluster-admin --user=eve --as=role-manager",
        references=("T1098.006", "T1078"),
        detect=_beyond,
    ),
    Entry(
        id="change-system-role",
        family=FAMILY,
        title="Change or delete a role or binding of Kubernetes itself: system:…, cluster-admin, admin, edit, view",
        severity=Severity.CRITICAL,
        rules=(changes(GROUP, *KINDS),),
        misses="What the API server puts back when it starts, unless the autoupdate annotation says no.",
        example="kubectl edit clusterrole system:node",
        references=("T1098.006", "T1531"),
        detect=_system,
    ),
    Entry(
        id="delete-role",
        family=FAMILY,
        title="Delete a role or binding, which locks somebody out",
        severity=Severity.MEDIUM,
        raised="High for the last binding of anybody to cluster-admin.",
        rules=(deletes(GROUP, *KINDS),),
        misses="Subjects that are taken out of a binding by an update.",
        example="kubectl delete rolebinding admins -n prod-shop",
        references=("T1531",),
        detect=_deleted,
    ),
    Entry(
        id="account-writes-rbac",
        family=FAMILY,
        title="Write roles or bindings as a ServiceAccount",
        severity=Severity.HIGH,
        rules=(any_write(GROUP, *KINDS),),
        misses="Whether it is an operator's day-to-day work: exclude those whose work it is.",
        example="kubectl create rolebinding b --clusterrole=edit --user=eve --as=system:serviceaccount:ci:deployer",
        references=("T1098.006",),
        detect=_by_account,
    ),
)
