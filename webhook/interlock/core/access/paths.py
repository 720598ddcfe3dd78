"""How somebody can become more than they are: step by step, until it is cluster-admin.

A node is a principal; an edge is something that it may do by which it acts as another one, or has every right at once.
The search goes breadth first, so the path that is told is a shortest one. It follows what roles and bindings say and
nothing else, so a path that is not found may still exist: through a token in a Secret, a node, an application.
"""

from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from interlock.core import text
from interlock.core.access.abilities import Ability, Names, abilities
from interlock.core.access.book import EVERYWHERE, GROUP, USER, Book, Held, Principal, members
from interlock.core.access.powers import KUBE_SYSTEM
from interlock.core.bindings import SERVICE_ACCOUNT

MASTERS = Principal(GROUP, "system:masters")
ADMIN_ROLE = "cluster-admin"
CLIENT_SIGNERS = frozenset({"kubernetes.io/kube-apiserver-client", "kubernetes.io/*"})

MAX_VISITED = 512
"""Principals that one search looks at (about 15 ms); where there are more, no way is claimed to be absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: who does what, by which binding, and is whom then; None for cluster-admin."""

    who: Principal
    does: str
    through: str
    becomes: Principal | None

    def __str__(self) -> str:
        """``user eve may create tokens of ServiceAccounts in ops (rolebinding ops/x), so acts as …``."""
        end = "is cluster-admin" if self.becomes is None else f"acts as {text.printable(str(self.becomes))}"
        return f"{text.printable(str(self.who))} may {self.does} ({text.printable(self.through)}) and so {end}"


Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What a search found.

    Attributes:
        admin: the path to cluster-admin; None if none was found, empty for who is it already.
        others: a path to everybody else whom the start can act as.
        complete: whether the search looked at everybody within reach.
    """

    admin: Path | None
    others: Mapping[Principal, Path] = field(default_factory=dict)
    complete: bool = True


class _Powers(dict[tuple[Ability, str], tuple[Names, str]]):
    """What a principal is able to do: by ability and place, over which names and through which binding."""

    def add(self, held: Held) -> None:
        for ability, names in abilities(held.rules).items():
            known = self.get((ability, held.place), (frozenset(), held.through))
            if known[0] is not None:
                wider = None if names is None else known[0] | names
                self[ability, held.place] = (wider, known[1] if known[0] else held.through)

    def over(self, ability: Ability, place: str = EVERYWHERE) -> tuple[Names, str] | None:
        """The widest that is held of an ability in a place."""
        found = [self[key] for key in ((ability, EVERYWHERE), (ability, place)) if key in self]
        return next((each for each in found if each[0] is None), found[0] if found else None)

    def whole(self, ability: Ability, place: str = EVERYWHERE) -> str:
        """Through which binding an ability is held over all names; empty if it is not."""
        found = self.over(ability, place)
        return found[1] if found and found[0] is None else ""


class _Aim(NamedTuple):
    """As whom a step lets somebody act: users or groups, or ServiceAccounts of a place, of these names or of any."""

    kind: str
    place: str
    names: Names

    def within(self, spent: Container["_Aim"]) -> bool:
        """Whether whoever is meant was looked at before, so that a dense cluster costs no more than a sparse one."""
        wider = (self, self._replace(names=None), self._replace(place=EVERYWHERE, names=None))
        return any(each in spent for each in wider)

    def principals(self, book: Book) -> Iterator[Principal]:
        """Whoever is meant and holds anything at all; accounts of kube-system first."""
        if self.kind == SERVICE_ACCOUNT:
            yield from self._accounts(book)
        elif self.names is None:
            yield from (each for each in book.by_principal if each.kind == self.kind)
        else:
            yield from (Principal(self.kind, name) for name in sorted(self.names))

    def _accounts(self, book: Book) -> Iterator[Principal]:
        everywhere = sorted(book.accounts, key=lambda name: (name != KUBE_SYSTEM, name))
        for space in [self.place] if self.place else everywhere:
            for each in book.accounts.get(space, ()):
                if self.names is None or (each.account and each.account[1] in self.names):
                    yield each


def search(book: Book, start: Iterable[Principal], *, also: Iterable[Held] = ()) -> Reached:
    """Everybody whom somebody can act as, and how.

    Args:
        book: roles and bindings.
        start: the principal first, then groups that it is known to be in.
        also: what the start would hold besides.
    """
    first, *groups = start
    paths: dict[Principal, Path] = {first: ()}
    queue = deque([first])
    visited, spent = 0, set[_Aim]()
    while queue and visited < MAX_VISITED:
        who, visited = queue.popleft(), visited + 1
        mine = (*members(who), *(groups if who == first else ()))
        held = _Powers()
        for each in (*book.held(mine), *(also if who == first else ())):
            held.add(each)
        admin = () if MASTERS in mine else _admin(who, held)
        if admin is not None:
            return Reached(admin=(*paths[who], *admin), others=_others(paths, first))
        for does, through, aim in _edges(held):
            if not aim.within(spent):
                spent.add(aim)
                for found in aim.principals(book):
                    if found not in paths:
                        step = Step(who=who, does=does, through=through, becomes=found)
                        paths[found] = (*paths[who], step)
                        queue.append(found)
    return Reached(admin=None, others=_others(paths, first), complete=not queue)


def _others(paths: Mapping[Principal, Path], first: Principal) -> Mapping[Principal, Path]:
    return {who: path for who, path in paths.items() if who != first}


def _admin(who: Principal, held: _Powers) -> Path | None:
    """The last step to cluster-admin; empty where it is held already, None where there is none."""
    if held.whole(Ability.EVERYTHING):
        return ()
    for does, through in _ways(held):
        return (Step(who=who, does=does, through=through, becomes=None),)
    return None


def _ways(held: _Powers) -> Iterator[tuple[str, str]]:
    if (by := held.whole(Ability.ESCALATE_CLUSTER_ROLES)) and held.over(Ability.WRITE_CLUSTER_ROLES):
        yield Ability.ESCALATE_CLUSTER_ROLES, by
    bind = held.over(Ability.BIND_CLUSTER_ROLES)
    if bind and (bind[0] is None or ADMIN_ROLE in bind[0]) and held.over(Ability.WRITE_CLUSTER_BINDINGS):
        yield f"bind ClusterRole {ADMIN_ROLE} in all namespaces", bind[1]
    groups = held.over(Ability.IMPERSONATE_GROUPS)
    somebody = held.over(Ability.IMPERSONATE_USERS) or held.over(Ability.IMPERSONATE_ACCOUNTS)
    if groups and somebody and (groups[0] is None or MASTERS.name in groups[0]):
        yield f"impersonate {MASTERS}", groups[1]
    if by := held.whole(Ability.CHANGE_WRITES):
        yield Ability.CHANGE_WRITES, by


# Abilities by which somebody acts as ServiceAccounts of the place where they are held.
_AS_ACCOUNTS = (Ability.MINT_TOKENS, Ability.IMPERSONATE_ACCOUNTS, Ability.RUN_PODS, Ability.ENTER_PODS)
_BY_NAME = frozenset({Ability.MINT_TOKENS, Ability.IMPERSONATE_ACCOUNTS})


def _edges(held: _Powers) -> Iterator[tuple[str, str, _Aim]]:
    """What is done, through which binding, and as whom one acts then."""
    if users := held.over(Ability.IMPERSONATE_USERS):
        yield Ability.IMPERSONATE_USERS, users[1], _Aim(USER, "", users[0])
        if groups := held.over(Ability.IMPERSONATE_GROUPS):
            yield Ability.IMPERSONATE_GROUPS, groups[1], _Aim(GROUP, "", groups[0])
    if _certifies(held):
        by = held.whole(Ability.APPROVE_CERTIFICATES)
        yield "have a certificate made for anybody", by, _Aim(USER, "", None)
    if kubelets := held.over(Ability.COMMAND_KUBELETS):
        yield Ability.COMMAND_KUBELETS, kubelets[1], _Aim(SERVICE_ACCOUNT, EVERYWHERE, None)
    for place in dict.fromkeys(place for _, place in held):
        yield from _edges_in(held, place)


def _edges_in(held: _Powers, place: str) -> Iterator[tuple[str, str, _Aim]]:
    where = f" in {text.printable(place)}" if place else ""
    for ability in _AS_ACCOUNTS:
        if (ability, place) in held:
            names, through = held[ability, place]
            chosen = names if ability in _BY_NAME else None
            yield f"{ability}{where}", through, _Aim(SERVICE_ACCOUNT, place, chosen)
    fills, reads = held.over(Ability.FILL_SECRETS, place), held.whole(Ability.READ_SECRETS, place)
    if fills and reads:
        yield f"{Ability.FILL_SECRETS}{where}", reads, _Aim(SERVICE_ACCOUNT, place, None)
    if by := _owns(held, place):
        yield f"bind or write any role{where}", by, _Aim(SERVICE_ACCOUNT, place, None)


def _owns(held: _Powers, place: str) -> str:
    """Through which binding somebody can give themselves every right in a place; empty if they cannot."""
    binds = held.over(Ability.BIND_CLUSTER_ROLES, place)
    if binds and (binds[0] is None or ADMIN_ROLE in binds[0]) and held.over(Ability.WRITE_BINDINGS, place):
        return binds[1]
    escalates = held.whole(Ability.ESCALATE_ROLES, place)
    return escalates if held.over(Ability.WRITE_ROLES, place) else ""


def _certifies(held: _Powers) -> bool:
    signers = held.over(Ability.CHOOSE_SIGNER)
    chooses = signers is not None and (signers[0] is None or bool(CLIENT_SIGNERS & signers[0]))
    return chooses and bool(held.whole(Ability.APPROVE_CERTIFICATES)) and bool(held.over(Ability.REQUEST_CERTIFICATES))
