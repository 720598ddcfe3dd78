"""`interlock catalogue`: the actions that Interlock has a name for, and the identities of Kubernetes itself.

The same tables as a page for readers: `markdown` makes webhook/docs/catalogue.md, which `hack/update generated` writes
and `hack/verify` compares.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated

import orjson
import typer
import yaml

from interlock.core.catalogue import ENTRIES, FAMILIES, Entry, Rule, select
from interlock.core.systems import IDENTITIES, SystemIdentity
from interlock.core.types import JsonObject

_CORE = "core"
_EVERYTHING = {
    "`*` (*)": "every resource",
    "`*/*` (*)": "every resource and subresource",
    "`*/scale` (*)": "`scale` of every resource",
}
_TECHNIQUES = "https://attack.mitre.org/techniques"

_PAGE = """\
# Catalogue of dangerous actions

Made from the tables in `webhook/interlock/core` by `hack/update generated`; do not edit. The same as a command:
`interlock catalogue`.

A policy names actions in `spec.match.actions`: by id (`delete-namespace`), by family (`destruction`) or all (`"*"`).
Every request also has one *plain* finding, `create`, `update`, `delete` or `connect`, graded Low, which
`spec.match.operations` with `resources` selects.

What a finding reaches decides whether `spec.match.namespaces` meets it: an object's namespace; a Namespace itself; a
PersistentVolume the namespace of its claim, bound or released; a ClusterRole, ClusterRoleBinding,
CustomResourceDefinition or Node all namespaces; any other object without a namespace none.

"Admission misses" says what cannot be seen from a review. Reads (get, list, watch) never reach admission at all.

Some entries are about who does it: endpoints, tokens, certificates and nodes are a controller's or a kubelet's daily
work. These pass over the ordinary work of system identities, listed at the end; whoever may impersonate one is passed
over as well, and `grant-escalation` finds who is given that.
"""

_IDENTITIES_PAGE = """\
## System identities

Requests under these user names go to a webhook entry of their own, so that they pass while no guard answers. A guard
that answers judges them like anybody's, except deletions that only go on with another one: of what already terminates,
of what is in a terminating namespace, of what belonged to an owner that is going. `systemIdentities: Ordinary` in
`spec.exclude` exempts from a policy what is listed here as ordinary work. Who may impersonate an identity can also
forge what its ordinary work is told by, so exclude no more than a policy needs.
"""


class Output(StrEnum):
    """How to print."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


def catalogue(
    terms: Annotated[list[str] | None, typer.Argument(metavar="[ACTION|FAMILY]...", help="Only these.")] = None,
    *,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print.")] = Output.TABLE,
    identities: Annotated[bool, typer.Option("--identities", help="The system identities instead.")] = False,
) -> None:
    """Print the actions that policies can name, or the identities of Kubernetes itself.

    Raises:
        BadParameter: a term is no action and no family.
    """
    rows = (
        [_identity(identity) for identity in IDENTITIES]
        if identities
        else [_entry(each) for each in _chosen(terms or [])]
    )
    if output is Output.JSON:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
    elif output is Output.YAML:
        typer.echo(yaml.safe_dump(rows, sort_keys=False, allow_unicode=True, width=120), nl=False)
    else:
        columns = ("name", "title", "users") if identities else ("action", "family", "severity", "title")
        typer.echo(_table(rows, columns))


def markdown() -> str:
    """The page webhook/docs/catalogue.md."""
    families = [line for family in FAMILIES for line in _family_page(family)]
    identities = [line for identity in IDENTITIES for line in _identity_page(identity)]
    return "\n".join([_PAGE, *families, _IDENTITIES_PAGE, *identities]).rstrip("\n") + "\n"


def _chosen(terms: Sequence[str]) -> list[Entry]:
    try:
        wanted = {entry.id for term in terms for entry in select(term)}
    except KeyError as error:
        known = ", ".join([*FAMILIES, *(entry.id for entry in ENTRIES)])
        raise typer.BadParameter(f"got {error.args[0]}, expected any of {known}") from error
    return [entry for entry in ENTRIES if not terms or entry.id in wanted]


def _entry(entry: Entry) -> JsonObject:
    return {
        "action": entry.id,
        "family": entry.family,
        "severity": entry.severity.title,
        "title": entry.title,
        "raised": entry.raised,
        "needs": [_rule(rule) for rule in entry.rules],
        "misses": entry.misses,
        "example": entry.example,
        "references": list(entry.references),
        "test": _test(entry),
        "goesRound": list(entry.goes_round),
    }


def _test(entry: Entry) -> str:
    """The command that shows in a checkout what is found of an entry and what is not."""
    return f"hack/test unit -- -k {entry.id}"


def _rule(rule: Rule) -> JsonObject:
    return {
        "operations": [each.value for each in rule.operations],
        "groups": list(rule.groups),
        "resources": list(rule.resources),
        **({"when": rule.when.value} if rule.when else {}),
    }


def _identity(identity: SystemIdentity) -> JsonObject:
    return {
        "name": identity.name,
        "title": identity.title,
        "users": _users(identity),
        "ordinaryWork": _works(identity),
    }


def _users(identity: SystemIdentity) -> list[str]:
    prefixed = [f"{identity.prefix}NAME in group {identity.group}"] if identity.prefix else []
    return [*identity.users, *prefixed]


def _works(identity: SystemIdentity) -> list[str]:
    others = ["that of every controller below"] if identity.stands_in_for else []
    return list(dict.fromkeys([*others, *(work.title for work in identity.work)]))


def _table(rows: Sequence[JsonObject], columns: Sequence[str]) -> str:
    """Columns as kubectl prints them, never wrapped or cut."""
    cells = [[column.upper() for column in columns], *([_cell(row[column]) for column in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    padded = ("   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)
    return "\n".join(line.rstrip() for line in padded)


def _cell(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _family_page(family: str) -> Iterator[str]:
    yield f"## Family `{family}`\n"
    for entry in select(family):
        yield f"### `{entry.id}`\n"
        yield f"{entry.title}.\n"
        yield f"- Severity: {entry.severity.title}." + (f" {entry.raised}" if entry.raised else "")
        yield f"- Needs: {_needs(entry)}"
        yield f"- Admission misses: {entry.misses}"
        yield f"- Example: `{entry.example}`"
        yield f"- Shown by: `{_test(entry)}`"
        if entry.goes_round:
            yield f"- Another way to: {', '.join(f'`{each}`' for each in entry.goes_round)}"
        if entry.references:
            yield f"- MITRE ATT&CK: {', '.join(map(_technique, entry.references))}"
        yield ""


def _needs(entry: Entry) -> str:
    rules = "; ".join(_reviews(rule) for rule in entry.rules)
    return f"{rules}." if rules else "UPDATE of what the policy's own match speaks of."


def _reviews(rule: Rule) -> str:
    resources = ", ".join(f"`{resource}`" for resource in rule.resources)
    groups = ", ".join(group or _CORE for group in rule.groups)
    what = f"{', '.join(rule.operations)} of {resources} ({groups})"
    for everything, said in _EVERYTHING.items():
        what = what.replace(everything, said)
    return f"{what}, where {rule.when}" if rule.when else what


def _technique(reference: str) -> str:
    return f"[{reference}]({_TECHNIQUES}/{reference.replace('.', '/')}/)"


def _identity_page(identity: SystemIdentity) -> Iterator[str]:
    yield f"### {identity.title[0].upper()}{identity.title[1:]}\n"
    yield "- Users: " + ", ".join(f"`{user}`" for user in _users(identity)).replace(" in group ", "` in group `")
    yield "- Ordinary work: " + "; ".join(_works(identity)) + "."
    yield ""
