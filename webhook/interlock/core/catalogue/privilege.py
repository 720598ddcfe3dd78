"""Family `privilege`: somebody becomes more powerful, by a binding or by what a role grants.

Only what a write newly gives counts: new subjects of a binding, atoms of a role that the role did not cover before
(`interlock.core.rbac`). A patch or an apply arrives as the CREATE or UPDATE that it is. The API server's own escalation
check has passed before, or was skipped for system:masters and holders of `escalate` and `bind`.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from interlock.core import bindings, rbac, text
from interlock.core.access import granting
from interlock.core.access.book import key_of
from interlock.core.bindings import RoleReference, Subject
from interlock.core.catalogue import target
from interlock.core.catalogue.entry import Entry, RoleBook, Rule, Seen
from interlock.core.rbac import Atom, RoleChange
from interlock.core.types import Operation, Request, RoleRule, Severity

FAMILY = "privilege"
CLUSTER_ADMIN = "cluster-admin"
ADMIN_ROLES = frozenset({CLUSTER_ADMIN, "admin", "edit"})
MAX_NAMED = 3
"""Subjects or atoms that evidence names; the rest is counted."""


def _writes(*resources: str) -> tuple[Rule, ...]:
    return (Rule(operations=(Operation.CREATE, Operation.UPDATE), groups=(rbac.GROUP,), resources=resources),)


_BINDINGS = _writes("clusterrolebindings", "rolebindings")
_ROLES = _writes("clusterroles", "roles")


def _grant_admin(request: Request, roles: RoleBook) -> Iterator[Seen]:
    subjects = bindings.new_subjects(request)
    role = bindings.role_reference(request.object)
    graded = _power_of(request, role, roles) if subjects else None
    if graded is not None:
        severity, why = graded
        yield Seen(f"{_bound(request, subjects, role)}{why}", target.reach(request), severity)


def _power_of(request: Request, role: RoleReference, roles: RoleBook) -> tuple[Severity, str] | None:
    """How powerful the role is, and why, as the end of a sentence; None if it is an ordinary one."""
    if role.kind == bindings.CLUSTER_ROLE and role.name in ADMIN_ROLES:
        everywhere = role.name == CLUSTER_ADMIN or not request.namespace
        return (Severity.CRITICAL if everywhere else Severity.HIGH), ""
    rules = _rules_of(request, role, roles)
    if rules is None:
        return Severity.HIGH, ", whose rules are not known here"
    if not rbac.comparable(rules):
        return Severity.HIGH, f", which has more than {rbac.MAX_ATOMS} grants"
    powers = tuple(rbac.powers(rules))
    return (_grade(powers), f", which grants {_listed(powers, len(powers))}") if powers else None


def _rules_of(request: Request, role: RoleReference, roles: RoleBook) -> tuple[RoleRule, ...] | None:
    return roles.access.rules(key_of(role, request.namespace))


def _grade(powers: Iterable[Atom]) -> Severity:
    return Severity.CRITICAL if any(atom.boundless or atom.escalating for atom in powers) else Severity.HIGH


def _bound(request: Request, subjects: tuple[Subject, ...], role: RoleReference) -> str:
    where = f"in {text.printable(request.namespace)}" if request.namespace else "in all namespaces"
    return f"bind {_listed(subjects, len(subjects))} to {role} {where}"


def _listed(things: Iterable[object], count: int) -> str:
    named = ", ".join(text.printable(str(thing)) for thing in islice(things, MAX_NAMED))
    return named if count <= MAX_NAMED else f"{named} and {count - MAX_NAMED} more"


def _grant_anonymous(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    subjects = tuple(subject for subject in bindings.new_subjects(request) if subject.anybody or subject.crowd)
    if subjects:
        severity = Severity.CRITICAL if any(subject.anybody for subject in subjects) else None
        yield Seen(_bound(request, subjects, bindings.role_reference(request.object)), target.reach(request), severity)


def _change(request: Request, roles: RoleBook) -> RoleChange:
    return RoleChange.between(*request.states, flows=bool(granting.collected_by(request, roles.access)))


def _grant_wildcard(request: Request, roles: RoleBook) -> Iterator[Seen]:
    change = _change(request, roles)
    if rbac.newly_aggregating(request.object, request.old_object):
        yield _granting(request, "whatever other ClusterRoles hold, chosen by label", Severity.CRITICAL)
    elif not change.comparable:
        yield _granting(request, f"more than can be compared ({rbac.MAX_ATOMS} grants)", None)
    elif wild := tuple(atom for atom in change.granted() if atom.wild):
        boundless = any(atom.boundless for atom in wild)
        yield _granting(request, _listed(wild, len(wild)), Severity.CRITICAL if boundless else None)


def _grant_escalation(request: Request, roles: RoleBook) -> Iterator[Seen]:
    change = _change(request, roles)
    if not change.comparable:
        yield _granting(request, f"more than can be compared ({rbac.MAX_ATOMS} grants)", None)
    elif escalating := tuple(atom for atom in change.granted() if atom.escalating):
        yield _granting(request, _listed(escalating, len(escalating)), None)


def _granting(request: Request, what: str, severity: Severity | None) -> Seen:
    return Seen(f"let {target.titled(request)} newly grant {what}", target.reach(request), severity)


PRIVILEGE = (
    Entry(
        id="grant-admin",
        family=FAMILY,
        title="Bind somebody to cluster-admin, admin, edit or another powerful role",
        severity=Severity.HIGH,
        raised="Critical for cluster-admin, for admin and edit in all namespaces, for a role that grants everything or "
        "lets its holder escalate, bind or impersonate. High for admin and edit in one namespace, for other wildcards, "
        "and for a role whose rules are not known.",
        rules=_BINDINGS,
        misses="Attempts that the API server refuses itself; who is in a group; roles that become powerful after the "
        "binding (grant-wildcard and grant-escalation find that).",
        example="kubectl create clusterrolebinding eve --clusterrole=cluster-admin --user=eve",
        references=("T1098.006",),
        detect=_grant_admin,
    ),
    Entry(
        id="grant-wildcard",
        family=FAMILY,
        title="Write a Role or ClusterRole rule with `*` in verbs, resources, apiGroups or nonResourceURLs",
        severity=Severity.HIGH,
        raised="Critical where every verb on every resource or URL is granted, or a ClusterRole begins to collect the "
        "rules of others by label.",
        rules=_ROLES,
        misses="Who holds the role, also through bindings that name it before it exists; rules that name all things "
        "one by one.",
        example="kubectl create clusterrole all --verb='*' --resource='*'",
        references=("T1098.006",),
        goes_round=("grant-admin",),
        detect=_grant_wildcard,
    ),
    Entry(
        id="grant-escalation",
        family=FAMILY,
        title="Let a role escalate, bind or impersonate (also impersonate:* and impersonate-on:*)",
        severity=Severity.CRITICAL,
        rules=_ROLES,
        misses="Who holds the role; the use of impersonation itself, which only the API server's audit log shows.",
        example="kubectl create clusterrole proxy --verb=impersonate --resource=users,groups",
        references=("T1098.006",),
        goes_round=("grant-admin",),
        detect=_grant_escalation,
    ),
    Entry(
        id="grant-anonymous",
        family=FAMILY,
        title="Bind everybody: anonymous, all authenticated users, or all ServiceAccounts",
        severity=Severity.HIGH,
        raised="Critical for system:anonymous and system:unauthenticated, who need no credential.",
        rules=_BINDINGS,
        misses="Groups of an identity provider that hold everybody under another name.",
        example="kubectl create clusterrolebinding open --clusterrole=view --group=system:unauthenticated",
        references=("T1098.006", "T1078.001"),
        detect=_grant_anonymous,
    ),
)
