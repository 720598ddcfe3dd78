r"""Label and field selectors as clients of the Kubernetes API write them, in one string.

The grammar of labels is apimachinery's (`labels.Parse`): ``a=b``, ``a==b``, ``a!=b``, ``a in (b,c)``,
``a notin (b,c)``, ``a``, ``!a``, joined by commas. ``a>1`` and ``a<1`` compare numbers, which no label of an
AuditRecord holds, and are refused. That of fields is `fields.ParseSelector`: ``a=b``, ``a==b``, ``a!=b``, with ``\``,
``\,`` and ``\=`` for what would otherwise divide; only the fields of `FIELDS` can be asked for.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from interlock.core.selectors import LabelSelector, Operator, Requirement
from interlock.core.types import JsonObject
from interlock.core.unstructured import text
from interlock.errors import BadInput

FIELDS: Mapping[str, Callable[[JsonObject], str]] = {
    "metadata.name": lambda made: text(made, "metadata", "name"),
    "metadata.namespace": lambda made: text(made, "metadata", "namespace"),
    "about": lambda made: text(made, "about"),
    "action": lambda made: text(made, "action"),
    "mode": lambda made: text(made, "mode"),
    "operation": lambda made: text(made, "operation"),
    "policy": lambda made: text(made, "policy"),
    "reason": lambda made: text(made, "reason"),
    "severity": lambda made: text(made, "severity"),
    "target.group": lambda made: text(made, "target", "group"),
    "target.name": lambda made: text(made, "target", "name"),
    "target.resource": lambda made: text(made, "target", "resource"),
    "user": lambda made: text(made, "user", "name"),
    "user.name": lambda made: text(made, "user", "name"),
    "verdict": lambda made: text(made, "verdict"),
}

MAX_SELECTOR_RUNES = 4096
"""Longer ones are nobody's question; a URL of 8 KiB holds one."""

_KEY = r"(?:[A-Za-z0-9][-A-Za-z0-9_.]*/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?"
_VALUE = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_LABEL = re.compile(
    rf"\s*(?:"
    rf"!\s*(?P<absent>{_KEY})"
    rf"|(?P<key>{_KEY})(?:\s+(?P<set>in|notin)\s*\((?P<values>[^()]*)\)|\s*(?P<sign>==|=|!=)\s*(?P<value>{_VALUE}))?"
    rf")\s*(?:,(?=\s*\S)|$)"
)
_SIGNS = {"=": Operator.IN, "==": Operator.IN, "!=": Operator.NOT_IN, "in": Operator.IN, "notin": Operator.NOT_IN}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRequirement:
    """One field that must, or must not, have a value."""

    field: str
    value: str
    equal: bool

    def match(self, made: JsonObject) -> bool:
        """Whether an AuditRecord meets it."""
        return (FIELDS[self.field](made) == self.value) is self.equal


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a client asks for; everything must hold."""

    labels: LabelSelector
    fields: tuple[FieldRequirement, ...]

    @property
    def everything(self) -> bool:
        """Whether every AuditRecord is asked for."""
        return not self.fields and not self.labels.requirements

    @property
    def name(self) -> str:
        """The one name that is asked for, which is what access is asked for as well; empty for any."""
        names = [each.value for each in self.fields if each.field == "metadata.name" and each.equal]
        return names[0] if len(names) == 1 else ""

    def match(self, made: JsonObject) -> bool:
        """Whether an AuditRecord is asked for."""
        return all(field.match(made) for field in self.fields) and self.labels.match(made["metadata"]["labels"])


def parse(*, labels: str, fields: str) -> Selection:
    """Read both selectors of a request; empty ones select everything.

    Raises:
        BadInput: not in the grammar, or a field that cannot be asked for.
    """
    _bounded("labelSelector", labels)
    _bounded("fieldSelector", fields)
    return Selection(
        labels=LabelSelector(requirements=tuple(_label_requirements(labels))),
        fields=tuple(map(_field_requirement, _field_terms(fields))),
    )


def _bounded(field: str, selector: str) -> None:
    if len(selector) > MAX_SELECTOR_RUNES:
        raise BadInput(field=field, got=f"{len(selector)} characters", expected=f"at most {MAX_SELECTOR_RUNES}")


def _label_requirements(selector: str) -> Iterator[Requirement]:
    at = 0
    while selector[at:].strip():
        found = _LABEL.match(selector, at)
        if found is None:
            raise BadInput(
                field="labelSelector",
                got=repr(selector[at : at + 80]),
                expected="a=b, a!=b, a in (b,c), a notin (b,c), a or !a, joined by commas",
            )
        yield _label_requirement(found)
        at = found.end()


def _label_requirement(found: re.Match[str]) -> Requirement:
    if found["absent"]:
        return Requirement(key=found["absent"], operator=Operator.DOES_NOT_EXIST)
    if found["set"]:
        values = frozenset(value.strip() for value in found["values"].split(","))
        return Requirement(key=found["key"], operator=_SIGNS[found["set"]], values=values)
    if found["sign"]:
        return Requirement(key=found["key"], operator=_SIGNS[found["sign"]], values=frozenset({found["value"]}))
    return Requirement(key=found["key"], operator=Operator.EXISTS)


def _field_terms(selector: str) -> Iterator[str]:
    """The terms between commas that no backslash escapes."""
    yield from re.findall(r"(?:[^,\\]|\\.|\\$)+", selector, re.DOTALL)


def _field_requirement(term: str) -> FieldRequirement:
    found = re.match(r"((?:[^=!\\]|\\.|!(?!=))*)(!=|==|=)(.*)", term, re.DOTALL)
    if found is None:
        raise BadInput(field="fieldSelector", got=repr(term[:80]), expected="field=value or field!=value")
    name, sign, value = found.groups()
    if name not in FIELDS:
        known = ", ".join(FIELDS)
        raise BadInput(field="fieldSelector", got=f"field {name[:80]!r}", expected=f"one of {known}")
    return FieldRequirement(field=name, value=_unescaped(value), equal=sign != "!=")


def _unescaped(value: str) -> str:
    found = re.fullmatch(r"(?:[^,=\\]|\\[\\,=])*", value, re.DOTALL)
    if found is None:
        raise BadInput(field="fieldSelector", got=repr(value[:80]), expected=r"backslashes before \ , and = in values")
    return re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
