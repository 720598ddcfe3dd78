"""The catalogue, row by row: what must be found, how it is graded, what it reaches; near misses that must not be."""

import pytest

from interlock.core import catalogue, rbac, snapshot
from interlock.core.access.book import Book
from interlock.core.types import Operation, Request, Severity
from tests.core.catalogue_cases import CASES
from tests.core.catalogue_cases.case import delete
from tests.core.catalogue_cases.cluster import BOOK, bound
from tests.support.policies import request

ROLES = snapshot.build(access=BOOK)


def found(action: str, review: Request) -> list[str]:
    """The findings of one action: severity, reach, evidence."""
    return [
        f"{finding.severity.title}, reaches {finding.reach}: {finding.evidence}"
        for finding in catalogue.find(review, ROLES)
        if finding.action == action
    ]


@pytest.mark.parametrize(
    ("action", "review", "expected"),
    [case for _, case in CASES],
    ids=[f"{case[0]}: {sentence}" for sentence, case in CASES],
)
def test_row(action: str, review: Request, expected: list[str]) -> None:
    """What a row speaks of is found, graded and placed; what only looks like it is not."""
    assert found(action, review) == expected


def test_the_last_administrators() -> None:
    """A binding to cluster-admin weighs more once nobody else is bound to it."""
    only = Book(bindings=(bound("cluster-admin", "User/ann"), bound("cluster-admin", "User/bob", "shop")))
    binding = {"roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}}
    review = delete(
        "clusterrolebindings", "cluster-admin-ann", binding, group=rbac.GROUP, kind="ClusterRoleBinding", namespace=""
    )

    [finding, _] = catalogue.find(review, snapshot.build(access=only))

    assert (finding.action, finding.severity) == ("delete-role", Severity.HIGH)
    assert finding.evidence == (
        "delete ClusterRoleBinding cluster-admin-ann, the last binding that makes administrators"
    )


def test_every_row_is_tested() -> None:
    """Every row has a case that is found and one that is not; `leave-protection` is found where policies are known."""
    tested = {(action, bool(expected)) for _, (action, _, expected) in CASES}

    wanted = {(entry.id, hit) for entry in catalogue.ENTRIES for hit in (True, False)}
    assert wanted - tested == {("leave-protection", True), ("leave-protection", False)}


# ------------------------------------------------------------------------------------------------------- the table


def test_ids_are_unique() -> None:
    """An id names one row, and no family has an id's name."""
    names = [*(entry.id for entry in catalogue.ENTRIES), *catalogue.FAMILIES, catalogue.EVERY]

    assert len(set(names)) == len(names)


def test_ways_round_are_rows() -> None:
    """What a row goes round is another row."""
    ids = {entry.id for entry in catalogue.ENTRIES}

    assert [e.id for e in catalogue.ENTRIES if not set(e.goes_round) <= ids - {e.id}] == []


SELECTED = {
    "an id": ("exec", ["exec"]),
    "a family": ("defence", [entry.id for entry in catalogue.ENTRIES if entry.family == "defence"]),
    "all": ("*", [entry.id for entry in catalogue.ENTRIES]),
}


@pytest.mark.parametrize(("term", "expected"), SELECTED.values(), ids=SELECTED.keys())
def test_select(term: str, expected: list[str]) -> None:
    """A term means one row, a family's, or all."""
    assert [entry.id for entry in catalogue.select(term)] == expected


@pytest.mark.parametrize("term", ["", "plain", "delete", "Exec", "delete-*"])
def test_select_nothing(term: str) -> None:
    """What is no id and no family is refused; plain findings are no actions."""
    with pytest.raises(KeyError):
        catalogue.select(term)


def test_rows_are_complete() -> None:
    """Every row says what it is, what it needs and what admission misses; leaving needs what a policy says."""
    for entry in catalogue.ENTRIES:
        assert all((entry.title, entry.misses, entry.example, entry.references)), entry.id
        assert (entry.rules == (), entry.detect is None) == ((entry.id == "leave-protection",) * 2), entry.id


def test_rules_say_what_they_cover() -> None:
    """A star covers every resource and no subresource; a subresource is covered by its own name only."""
    everything = catalogue.Rule(operations=(Operation.DELETE,), groups=("*",), resources=("*",))
    scale = catalogue.Rule(operations=(Operation.UPDATE,), groups=("apps",), resources=("deployments/scale",))
    reviews = [
        delete("widgets", "w", group="example.org"),
        delete("pods/ephemeralcontainers", "p"),
        request("UPDATE", "widgets"),
        request("UPDATE", "deployments/scale", group="apps"),
        request("UPDATE", "deployments", group="apps"),
        request("UPDATE", "deployments/scale", group="extensions"),
    ]

    assert [everything.covers(review) for review in reviews] == [True, False, False, False, False, False]
    assert [scale.covers(review) for review in reviews] == [False, False, False, True, False, False]
