"""Reading `match` and the entries of `exclude` of a DangerPolicy; violations are noted in the field.

The bounds are those of the CRD's schema (crds/dangerpolicies.yaml), which needs them for its cost estimate.
"""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from enum import StrEnum
from typing import NamedTuple

from interlock.core import catalogue
from interlock.core.policies.fields import Field, Fields, union
from interlock.core.policies.globs import Globs
from interlock.core.policies.scope import Exclusion, Match, Names, ResourceRule, Subjects
from interlock.core.selectors import LabelSelector, Operator, Requirement
from interlock.core.types import Operation, Severity

MAX_ACTIONS = 64
MAX_RESOURCE_RULES = 16
MAX_RESOURCES = 32
MAX_NAMES = 64
MAX_LABELS = 16
MAX_LABEL_VALUES = 32
MAX_EXCLUSIONS = 32

MAX_NAME_CHARACTERS = 253  # a DNS subdomain, the longest name of an object; user and group names are held to it too
MAX_LABEL_CHARACTERS = 317  # 253 of prefix, a slash, 63 of name

MATCH_FIELDS = ("actions", "minSeverity", "operations", "resources", "namespaces", "objects", "subjects")
EXCLUDE_FIELDS = (*MATCH_FIELDS, "systemIdentities")

LEAVE_PROTECTION = "leave-protection"
"""Catalogue id of the finding that core.policies.leaving makes; every policy judges its own, no other can match it."""

_NAMESPACE = re.compile(r"[a-z0-9*]([-a-z0-9*]{0,61}[a-z0-9*])?")
_ACCOUNT = re.compile(r"[a-z0-9*][-a-z0-9*]*/[a-z0-9*][-a-z0-9*.]*")
_GROUP = re.compile(r"\*|([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?")
_RESOURCE = re.compile(r"(\*|[a-z0-9]([-a-z0-9.]*[a-z0-9])?)(/(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?))?")
_LABEL_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")

SEVERITIES = {severity.title: severity for severity in reversed(Severity)}


class Actions(NamedTuple):
    """Terms as written, the ids that they stand for, and the kinds that those speak of."""

    terms: tuple[str, ...]
    ids: frozenset[str]
    kinds: tuple[ResourceRule, ...]


class SystemIdentities(StrEnum):
    """Which work of system identities an exclude entry lifts."""

    ORDINARY = "Ordinary"


def match(field: Field) -> Match:
    """Read `spec.match`."""
    fields = field.fields(MATCH_FIELDS)
    found = _match(fields)
    if (
        isinstance(field.value, dict)
        and field.value
        and not (fields["actions"].present or fields["operations"].present)
    ):
        field.refuse("at least one of actions, operations", got="neither actions nor operations")
    if found.action_ids == {LEAVE_PROTECTION}:
        fields["actions"].refuse("another action: leaving is judged by each policy itself, see spec.leaveProtection")
    return found


def exclusion(field: Field) -> Exclusion:
    """Read one entry of `spec.exclude`."""
    fields = field.fields(EXCLUDE_FIELDS)
    ordinary = fields["systemIdentities"].one_of(SystemIdentities)
    return Exclusion(path=field.path, scope=_match(fields), ordinary_work=ordinary is SystemIdentities.ORDINARY)


def _match(fields: Fields) -> Match:
    terms, ids, kinds = actions_of(union(fields["actions"], _action, at_most=MAX_ACTIONS))
    resources = _resources(fields)
    severity = fields["minSeverity"].chosen(SEVERITIES)
    if severity is not None and not fields["actions"].present:
        fields["minSeverity"].refuse("actions beside it: only named findings are graded")
    return Match(
        actions=terms,
        action_ids=ids,
        min_severity=severity or Severity.LOW,
        operations=frozenset(union(fields["operations"], _operation, at_most=len(Operation))),
        resources=resources,
        kinds=(*resources, *kinds),
        namespaces=_names(fields["namespaces"], namespaces=True),
        objects=_names(fields["objects"], namespaces=False),
        subjects=_subjects(fields["subjects"]),
    )


def _operation(field: Field) -> Operation | None:
    return field.one_of(Operation)


def actions_of(terms: Sequence[str]) -> Actions:
    """Look terms up in the catalogue.

    Raises:
        KeyError: no entry and no family has one of these names.
    """
    entries = [entry for term in terms for entry in catalogue.select(term)]
    kinds = (ResourceRule(groups=rule.groups, resources=rule.resources) for entry in entries for rule in entry.rules)
    return Actions(tuple(terms), frozenset(entry.id for entry in entries), tuple(dict.fromkeys(kinds)))


def _action(field: Field) -> str | None:
    term = field.text(at_most=MAX_NAME_CHARACTERS)
    try:
        return term if term and catalogue.select(term) else None
    except KeyError:
        field.refuse(_known_action(term))
        return None


def _known_action(term: str) -> str:
    known = [*(entry.id for entry in catalogue.ENTRIES), *catalogue.FAMILIES]
    close = get_close_matches(term, known, n=1)
    hint = f" such as {close[0]}" if close else ""
    return f'an action or family of the catalogue{hint}, or "*" (see `interlock catalogue`)'


def _resources(fields: Fields) -> tuple[ResourceRule, ...]:
    operations, resources = fields["operations"], fields["resources"]
    if operations.present and not resources.present:
        resources.refuse("the resources that operations speak of")
    if resources.present and not operations.present:
        operations.refuse("the operations on resources")
    return union(resources, _resource_rule, at_most=MAX_RESOURCE_RULES)


def _resource_rule(field: Field) -> ResourceRule | None:
    fields = field.fields(("groups", "resources"))
    groups = union(fields.required("groups", 'API groups, "" for core'), _group, at_most=MAX_RESOURCES)
    resources = union(
        fields.required("resources", "resources such as pods or pods/exec"), _resource, at_most=MAX_RESOURCES
    )
    return ResourceRule(groups=groups, resources=resources)


def _group(field: Field) -> str | None:
    expected = 'an API group without version, "" for core, or "*"'
    if field.value in ("core", "v1"):
        field.refuse(expected)
        return None
    return field.spelled(_GROUP, expected)


def _resource(field: Field) -> str | None:
    return (
        field.spelled(_RESOURCE, 'a plural resource such as pods or pods/exec, "*", "*/*", "pods/*" or "*/scale"')
        or None
    )


def _names(field: Field, *, namespaces: bool) -> Names | None:
    if not field.present:
        return None
    fields = field.fields(("names", "selector"))
    names = union(fields["names"], _namespace if namespaces else _name, at_most=MAX_NAMES)
    return Names(names=Globs.of(names) if names else None, selector=_selector(fields["selector"]))


def _namespace(field: Field) -> str | None:
    return field.spelled(_NAMESPACE, "the name of a namespace, in which * stands for any characters") or None


def _name(field: Field) -> str | None:
    return field.text(at_most=MAX_NAME_CHARACTERS) or None


def _subjects(field: Field) -> Subjects | None:
    if not field.present:
        return None
    fields = field.fields(("users", "groups", "serviceAccounts"))
    return Subjects.of(
        users=union(fields["users"], _name, at_most=MAX_NAMES),
        groups=union(fields["groups"], _name, at_most=MAX_NAMES),
        service_accounts=union(fields["serviceAccounts"], _account, at_most=MAX_NAMES),
    )


def _account(field: Field) -> str | None:
    return field.spelled(_ACCOUNT, "namespace/name, in which * stands for any characters") or None


def _selector(field: Field) -> LabelSelector | None:
    if not field.present:
        return None
    fields = field.fields(("matchLabels", "matchExpressions"))
    expressions = union(fields["matchExpressions"], _requirement, at_most=MAX_LABELS)
    return LabelSelector(requirements=(*_match_labels(fields["matchLabels"]), *expressions))


def _match_labels(field: Field) -> tuple[Requirement, ...]:
    found = []
    members = list(field.members()) if field.present else []
    if len(members) > MAX_LABELS:
        field.refuse(f"at most {MAX_LABELS} labels", got=f"{len(members)} labels")
    for key, value in members:
        if not _LABEL_KEY.fullmatch(key):
            value.refuse("a label key", got=f'"{key}"')
        found.append(Requirement(key=key, operator=Operator.IN, values=frozenset({_label_value(value)})))
    return tuple(found)


def _requirement(field: Field) -> Requirement | None:
    fields = field.fields(("key", "operator", "values"))
    key = fields.required("key", "a label key").spelled(_LABEL_KEY, "a label key")
    operator = fields.required("operator", f"one of {', '.join(Operator)}").one_of(Operator)
    values = union(fields["values"], _label_value, at_most=MAX_LABEL_VALUES)
    if operator is None:
        return None
    if operator.takes_values and not fields["values"].present:
        fields["values"].refuse(f"values for {operator}")
    if fields["values"].present and not operator.takes_values:
        fields["values"].refuse(f"no values for {operator}")
    return Requirement(key=key, operator=operator, values=frozenset(values))


def _label_value(field: Field) -> str:
    return field.spelled(_LABEL_VALUE, "a label value")
