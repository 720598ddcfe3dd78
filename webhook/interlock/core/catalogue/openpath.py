"""Family `privilege`: a write that opens a way to more power, graded by where the way leads."""

from collections.abc import Iterator

from interlock.core import text
from interlock.core.access import granting, paths
from interlock.core.access.book import Book, Held, Principal
from interlock.core.access.paths import Path
from interlock.core.catalogue import target
from interlock.core.catalogue.entry import Entry, RoleBook, Seen
from interlock.core.catalogue.grants import RULES
from interlock.core.types import Request, Severity

FAMILY = "privilege"
KUBE_SYSTEM = "kube-system"
MAX_SEARCHES = 32
"""Subjects of one write for whom ways are looked for, before and after it (about 30 ms each in a large cluster)."""


def _open_path(request: Request, roles: RoleBook) -> Iterator[Seen]:
    by_whom: dict[Principal, list[Held]] = {}
    for grant in granting.grants(request, roles.access):
        if grant.who is not None:
            by_whom.setdefault(grant.who, []).append(Held(grant.rules, grant.place, "this write"))
    for who, given in list(by_whom.items())[:MAX_SEARCHES]:
        opened = _opened(roles.access, who, given)
        if opened is not None:
            path, severity = opened
            way = text.listed(path, "; ")
            way += ", which is cluster-admin" if severity is Severity.CRITICAL and path[-1].becomes else ""
            yield Seen(f"opens a way for {text.printable(str(who))}: {way}", target.reach(request), severity)


def _opened(book: Book, who: Principal, also: list[Held]) -> tuple[Path, Severity] | None:
    """The way that the write opens, and how bad it is where it leads; None if it opens none.

    Whoever is given cluster-admin itself needs no way, and who had one before is given nothing new.
    """
    before = paths.search(book, [who])
    after = paths.search(book, [who], also=also)
    if before.admin is not None or after.admin == ():
        return None
    if after.admin:
        return after.admin, Severity.CRITICAL
    new = [path for each, path in after.others.items() if each not in before.others]
    if not new:
        return None
    into = next((path for path in new if _in_kube_system(path)), None)
    return (into, Severity.HIGH) if into else (new[0], Severity.MEDIUM)


def _in_kube_system(path: Path) -> bool:
    last = path[-1].becomes
    return last is not None and last.account is not None and last.account[0] == KUBE_SYSTEM


OPEN_PATH = (
    Entry(
        id="open-path",
        family=FAMILY,
        title="Open a way by which somebody becomes cluster-admin, or acts as somebody else",
        severity=Severity.HIGH,
        raised="Critical where the way ends at cluster-admin; High at a ServiceAccount of kube-system; Medium at any "
        "other that holds something.",
        rules=RULES,
        misses="Ways that roles and bindings do not show: tokens in Secrets that can be read, nodes, applications that "
        "act for others; constrained impersonation, which grant-escalation finds. `interlock paths` shows the ways "
        "that are open already.",
        example="kubectl create rolebinding ci --clusterrole=edit --user=eve -n kube-system",
        references=("T1098.006", "T1078"),
        goes_round=("grant-admin",),
        detect=_open_path,
    ),
)
