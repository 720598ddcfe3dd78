"""What the write of a role or a binding newly gives, to whom, and where.

    binding written                 the role's rules, to its new subjects
    role written                    its new rules, to everybody who is bound to it already (a binding may have waited)
    ClusterRole written, collected  the same, to everybody who is bound to a ClusterRole that collects it by its labels;
                                    a new label gives all that stands in it

What somebody held before in the same place is subtracted by whoever asks for a power (`core.access.powers`). A binding
to a role that does not exist gives nothing yet.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from interlock.core import bindings, rbac, text, unstructured
from interlock.core.access import powers
from interlock.core.access.book import Binding, Book, Principal, RoleKey, Rules, key_of, members, principal
from interlock.core.access.powers import EVERY_RESOURCE, Given, Power
from interlock.core.types import Request

MAX_HOLDERS = 64
"""Subjects of whom it is worked out what they held before; all others are taken for somebody who held nothing."""


PHRASES_KEPT = 256
"""Phrases about what is given that are remembered: most writes give one of a few roles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a write gives to one principal, in one place.

    Attributes:
        who: None where nobody is bound to the role yet.
        role: the role, for a sentence about whoever will be bound to it.
        place: a namespace, or empty for everywhere.
        rules: that now hold.
        held: that they held there before.
    """

    who: Principal | None
    role: str
    place: str
    rules: Rules
    held: Rules

    @property
    def whom(self) -> str:
        """The principal for a sentence."""
        return text.printable(str(self.who)) if self.who else f"whoever is bound to {self.role}"


def grants(request: Request, book: Book) -> tuple[Grant, ...]:
    """What the write gives; nothing for any other request."""
    if request.group != rbac.GROUP or request.object is None or request.subresource:
        return ()
    if request.resource in {"rolebindings", "clusterrolebindings"}:
        return tuple(_by_binding(request, book))
    if request.resource in {"roles", "clusterroles"}:
        return tuple(_by_role(request, book))
    return ()


def _by_binding(request: Request, book: Book) -> Iterator[Grant]:
    reference = bindings.role_reference(request.object)
    rules = book.rules(key_of(reference, request.namespace)) or ()
    new = bindings.new_subjects(request) if rules else ()
    for who in dict.fromkeys(map(principal, new[:MAX_HOLDERS])):
        held = book.rules_for(members(who), request.namespace)
        yield Grant(who=who, role=str(reference), place=request.namespace, rules=rules, held=held)
    if len(new) > MAX_HOLDERS:
        yield Grant(who=None, role=f"{reference} here", place=request.namespace, rules=rules, held=())


def _by_role(request: Request, book: Book) -> Iterator[Grant]:
    title = f"{text.printable(request.kind)} {text.printable(request.name)}"
    before = rbac.rules_of(request.old_object)
    rules = rbac.rules_of(request.object)
    known = frozenset(before)
    new = tuple(rule for rule in rules if rule not in known)
    key = (request.namespace, request.name)
    holders = list(_holders(book, [key]))
    if new:
        yield from _to(holders, book, new, title, already=before)
    if not holders and new:
        yield Grant(who=None, role=title, place=request.namespace, rules=new, held=before)
    if not request.namespace:
        collecting = book.collecting(unstructured.strings(request.object, "metadata", "labels"))
        keys: list[RoleKey] = [("", name) for name in sorted(collecting - {request.name})]
        yield from _to(_holders(book, keys), book, rules, title)
        for name in collected_by(request, book):
            if not book.by_role.get(("", name)):
                held = book.rules(("", name)) or ()
                yield Grant(who=None, role=f"ClusterRole {text.printable(name)}", place="", rules=rules, held=held)


def collected_by(request: Request, book: Book) -> tuple[str, ...]:
    """ClusterRoles that newly collect a ClusterRole by the labels that the request gives it, sorted."""
    before, after = (unstructured.strings(state, "metadata", "labels") for state in request.states)
    newly = book.collecting(after) - (book.collecting(before) if request.old_object else frozenset())
    return tuple(sorted(newly | (rbac.aggregates_to(request.object) - rbac.aggregates_to(request.old_object))))


def _holders(book: Book, keys: Iterable[RoleKey]) -> Iterator[Binding]:
    return (binding for key in keys for binding in book.by_role.get(key, ()))


def _to(holders: Iterable[Binding], book: Book, rules: Rules, role: str, *, already: Rules = ()) -> Iterator[Grant]:
    places = dict.fromkeys(
        (principal(subject), binding.namespace) for binding in holders for subject in binding.subjects
    )
    for who, place in list(places)[:MAX_HOLDERS]:
        held = (*already, *book.rules_for(members(who), place))
        yield Grant(who=who, role=role, place=place, rules=rules, held=held)
    for place in dict.fromkeys(place for _, place in list(places)[MAX_HOLDERS:]):
        yield Grant(who=None, role=role, place=place, rules=rules, held=already)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """What of a power some principals are given in a place, all of them the same."""

    whom: tuple[str, ...]
    place: str
    given: tuple[Given, ...]

    def __str__(self) -> str:
        """One sentence, for example ``gives user eve get on all secrets in shop``."""
        what = _phrase(self.given)
        where = f"in {text.printable(self.place)}" if self.place else "in all namespaces"
        return f"gives {text.listed(self.whom, ' and ')} {what} {where}"


@lru_cache(maxsize=PHRASES_KEPT)
def _phrase(given: tuple[Given, ...]) -> str:
    return text.listed(list(_merged(given)), " and ")


def _merged(given: Iterable[Given]) -> Iterator[str]:
    """Phrases, one for all resources over which the same verbs are given whole."""
    whole: dict[tuple[str, ...], list[str]] = {}
    for each in given:
        if each.names is None:
            whole.setdefault(each.verbs, []).append(each.what)
        else:
            yield str(each)
    for verbs, resources in whole.items():
        named = [EVERY_RESOURCE] if EVERY_RESOURCE in resources else resources
        yield f"{', '.join(verbs)} on all {text.listed(named)}"


def gifts(found: Iterable[Grant], power: Power) -> Iterator[Gift]:
    """What of a power grants give, those who are given the same together."""
    together: dict[tuple[str, tuple[Given, ...]], list[str]] = {}
    for grant in found:
        if given := powers.given(power, grant.rules, grant.held, grant.place):
            together.setdefault((grant.place, given), []).append(grant.whom)
    for (place, given), whom in together.items():
        yield Gift(whom=tuple(dict.fromkeys(whom)), place=place, given=given)
