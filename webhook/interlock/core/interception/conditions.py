"""Coverage as a CEL expression for a webhook's `matchConditions`.

A condition that fails to evaluate rejects every request under failurePolicy Fail, so only what is certain is used:
`request` (an AdmissionRequest whose empty fields are absent: `has` asks for namespace and subResource first), string
functions of the standard library, and one-element lists with `exists` to give a value a name. There is no
`namespaceObject` here: it is accepted when written and then fails every request.
"""

import re
from collections.abc import Iterable, Mapping

import orjson

from interlock.core.catalogue import When
from interlock.core.catalogue.when import DEFAULT, KEEPING_MARKS, KUBE_SYSTEM, MANAGED_MARKS, METADATA, OWN, OWN_LABEL
from interlock.core.interception.coverage import Group
from interlock.core.interception.targets import ANY, Targets, rules
from interlock.core.policies.globs import WILDCARD
from interlock.core.systems import SystemIdentity
from interlock.core.types import SERVICE_ACCOUNT_PREFIX, JsonObject

NOTHING = "false"
_OWNERS = "metadata.ownerReferences"
GIVES_OWNER = (
    f"request.operation == 'UPDATE' && has(object.{_OWNERS}) && object.{_OWNERS}.exists(new,"
    f" !(has(oldObject.{_OWNERS}) && oldObject.{_OWNERS}.exists(old, old.uid == new.uid)))"
)
"""Whether an object gets an owner that it had not."""

EVER = "true"
NAMESPACE = "(has(request.namespace) ? request.namespace : '')"
SUBRESOURCE = "(has(request.subResource) ? request.subResource : '')"


_REMOVED_OR_CHANGED = (
    "(has(oldObject.metadata.{0}) && mark in oldObject.metadata.{0} && !(has(object.metadata.{0})"
    " && mark in object.metadata.{0} && object.metadata.{0}[mark] == oldObject.metadata.{0}[mark]))"
)
_CARRIED = "(has(oldObject.metadata.{0}) && mark in oldObject.metadata.{0})"


def _some_mark(known: Iterable[str], what: str) -> str:
    """Whether this is true of a mark among labels or annotations; `what` has the place for `{0}`."""
    listed = ", ".join(quoted(mark) for mark in known)
    return f"[{listed}].exists(mark, {any_of(what.format(place) for place in METADATA)})"


def quoted(text: str) -> str:
    """A CEL string literal; JSON's escapes are also CEL's."""
    return orjson.dumps(text).decode()


def any_of(parts: Iterable[str]) -> str:
    """A disjunction; `false` of none."""
    return " || ".join(f"({part})" for part in parts) or NOTHING


WHEN: Mapping[When, str] = {
    When.ALWAYS: EVER,
    When.FINALIZER_GOES: "request.operation == 'UPDATE' && has(oldObject.metadata.finalizers)"
    " && oldObject.metadata.finalizers.exists(each, !(has(object.metadata.finalizers)"
    " && each in object.metadata.finalizers))",
    When.KEEPING_MARK_CHANGES: "request.operation == 'UPDATE' && " + _some_mark(KEEPING_MARKS, _REMOVED_OR_CHANGED),
    When.MANAGED: "(request.operation == 'UPDATE' || request.operation == 'DELETE')"
    f" && !request.userInfo.username.startsWith({quoted(SERVICE_ACCOUNT_PREFIX)})"
    f" && {_some_mark(MANAGED_MARKS, _CARRIED)}",
    When.ORPHANS: "request.operation == 'DELETE' && has(request.options)"
    " && ((has(request.options.propagationPolicy) && request.options.propagationPolicy == 'Orphan')"
    " || (has(request.options.orphanDependents) && request.options.orphanDependents == true))",
    When.IN_KUBE_SYSTEM: f"{NAMESPACE} == {quoted(KUBE_SYSTEM)}",
    When.IN_DEFAULT: f"{NAMESPACE} == {quoted(DEFAULT)}",
    When.OF_INTERLOCK: "(request.operation == 'UPDATE' || request.operation == 'DELETE')"
    f" && has(oldObject.metadata.labels) && {quoted(OWN_LABEL)} in oldObject.metadata.labels"
    f" && oldObject.metadata.labels[{quoted(OWN_LABEL)}] == {quoted(OWN)}",
}
"""The conditions of catalogue rules, as the API server decides them."""


def covered(groups: Iterable[Group], *, protected: frozenset[str] = frozenset(), apart: str = "") -> str:
    """Whether a request is one that these groups need.

    Args:
        groups: of `core.interception.coverage`.
        protected: namespaces that a group reaches only where it names them exactly.
        apart: an API group that is never covered; empty for none.
    """
    body = any_of(f"{_places(group, protected)} && {_targets(group.targets)}" for group in groups)
    if body == NOTHING:
        return NOTHING
    if apart:
        body = f"request.resource.group != {quoted(apart)} && ({body})"
    return f"[{NAMESPACE}].exists(ns, [{SUBRESOURCE}].exists(sub, {body}))"


def system_identity(identities: Iterable[SystemIdentity]) -> str:
    """Whether the user is one of these."""
    return any_of(_identity(identity) for identity in identities)


def one_of(subject: str, values: Iterable[str]) -> str:
    """Whether the subject equals one of these."""
    listed = sorted(values)
    if len(listed) == 1:
        return f"{subject} == {quoted(listed[0])}"
    return f"{subject} in [{', '.join(quoted(value) for value in listed)}]"


def _identity(identity: SystemIdentity) -> str:
    name = "request.userInfo.username"
    who = [one_of(name, identity.users)] if identity.users else []
    who += [f"{name}.startsWith({quoted(identity.prefix)})"] if identity.prefix else []
    if not identity.group:
        return any_of(who)
    member = f"has(request.userInfo.groups) && {quoted(identity.group)} in request.userInfo.groups"
    return f"({any_of(who)}) && {member}"


def _places(group: Group, protected: frozenset[str]) -> str:
    """Whether `ns` is a place of this group; an object without namespace always is."""
    exact = (f"ns == {quoted(name)}" for name in sorted(group.protected & protected))
    left = protected - group.protected
    spared = f"!({one_of('ns', left)})" if left else ""
    if group.names is None:
        return f"({any_of([spared, *exact])})" if spared else "true"
    literals = {"", *(name for name in group.names if WILDCARD not in name)}
    globs = [_glob(name) for name in sorted(group.names) if WILDCARD in name]
    wide = any_of(globs)
    parts = [one_of("ns", literals)] + ([f"{spared} && ({wide})" if spared else wide] if globs else [])
    return f"({any_of(parts)})"


def _glob(pattern: str) -> str:
    """Whether `ns` matches a pattern that has a wildcard."""
    first, *middle, last = pattern.split(WILDCARD)
    if middle:
        return f"ns.matches({quoted('^' + '.*'.join(map(re.escape, (first, *middle, last))) + '$')})"
    parts = [f"ns.startsWith({quoted(first)})"] if first else []
    parts += [f"ns.endsWith({quoted(last)})"] if last else []
    parts += [f"size(ns) >= {len(first) + len(last)}"] if first and last else []
    return " && ".join(parts) or "true"


def _targets(targets: Targets) -> str:
    return f"({any_of(_rule(rule) for rule in rules(targets))})"


def _rule(rule: JsonObject) -> str:
    parts = [one_of("request.operation", rule["operations"])]
    if rule["apiGroups"] != [ANY]:
        parts.append(one_of("request.resource.group", rule["apiGroups"]))
    resources = _resources(rule["resources"])
    return " && ".join([*parts, *([resources] if resources else [])])


def _resources(patterns: Iterable[str]) -> str:
    """Whether resource and subresource are of these patterns; empty if they always are."""
    by_subresource: dict[str, set[str]] = {}
    for pattern in patterns:
        resource, _, subresource = pattern.partition("/")
        by_subresource.setdefault(subresource, set()).add(resource)
    if ANY in by_subresource.get(ANY, ()):
        return ""
    return f"({any_of(_below(sub, which) for sub, which in sorted(by_subresource.items()))})"


def _below(subresource: str, resources: set[str]) -> str:
    parts = [] if subresource == ANY else [f"sub == {quoted(subresource)}"]
    parts += [] if ANY in resources else [one_of("request.resource.resource", resources)]
    return " && ".join(parts)
