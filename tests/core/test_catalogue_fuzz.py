"""Detectors on objects that nobody would write: never an exception, and sentences that fit on a line."""

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core import catalogue, snapshot, systems
from interlock.core.review import request as requests
from interlock.core.types import JsonObject, Operation, Request
from tests import vectors
from tests.core.catalogue_cases import CASES
from tests.core.catalogue_cases.cluster import BOOK

CLUSTER = snapshot.build(access=BOOK)
REVIEWS = [
    *(review for _, (_, review, _) in CASES),
    *(requests.parse(vectors.read(name)) for name in vectors.names()),
]
KINDS = sorted(
    {
        (operation, group, resource)
        for entry in catalogue.ENTRIES
        for rule in entry.rules
        for operation, group, resource in product(rule.operations, rule.groups, rule.resources)
        if "*" not in group + resource
    }
)
"""Everything that some entry asks for by name; objects of any kind are tried under each."""

JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 10**30, 0.5, "", "*", "NaN", "1e9", "Infinity", "Delete", "\x1b[31m\n", "x" * 300,
    [], [None], [[]], ["*", 1], {}, {"": None}, {"name": []}, [{"name": {}, "key": 1}], {"spec": {"spec": []}},
)  # fmt: skip


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value: its container and its key there."""
    keys: Any = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        yield node, key
        yield from places(node[key])


def copied(node: Any) -> Any:
    """The value again, with nothing shared."""
    if isinstance(node, dict):
        return {key: copied(value) for key, value in node.items()}
    return [copied(value) for value in node] if isinstance(node, list) else node


def mutated(value: Any, dice: random.Random) -> Any:
    """A copy in which up to four things are replaced by others."""
    root = {"": copied(value)}
    for _ in range(dice.randrange(1, 5)):
        container, key = dice.choice(list(places(root)))
        container[key] = copied(dice.choice(JUNK))
    return root[""] if isinstance(root[""], dict) else {}


def changed(review: Request, dice: random.Random) -> Request:
    """A review with objects that are not what they were, maybe of another kind."""
    kept: list[JsonObject | None] = [
        mutated(value, dice) if value is not None and dice.random() < 0.8 else value  # mostly
        for value in (review.object, review.old_object, review.options)
    ]
    if dice.random() < 0.5:
        operation, group, path = dice.choice(KINDS)
        resource, _, subresource = path.partition("/")
        review = replace(review, operation=operation, group=group, resource=resource, subresource=subresource)
    return replace(review, object=kept[0], old_object=kept[1], options=kept[2])


def judged(review: Request) -> None:
    """Everything that is asked of a request before policies are; what is said fits on a line."""
    found = catalogue.find(review, CLUSTER)
    catalogue.handed(review, CLUSTER)
    systems.ordinary_work(review)
    assert all(finding.evidence.isprintable() for finding in found)


@given(st.integers(min_value=0, max_value=2**32))
def test_no_object_upsets_a_detector(seed: int) -> None:
    """Whatever an object holds, detectors find something in it or nothing, and never fail."""
    dice = random.Random(seed)  # noqa: S311  no secret is made of it
    for review in dice.sample(REVIEWS, 8):
        judged(changed(review, dice))


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_no_value_upsets_a_detector(junk: Any) -> None:
    """Under every kind that is asked for, an object of nothing but one value in every usual place is looked at."""
    state = dict.fromkeys(("metadata", "spec", "status", "data", "rules", "subjects", "roleRef", "template"), junk)
    deep = {
        "metadata": {"labels": junk, "annotations": {"a": junk}, "finalizers": junk},
        "spec": {"template": {"spec": junk}},
    }
    for operation, group, path in KINDS:
        resource, _, subresource = path.partition("/")
        for new, old in ((state, deep), (deep, state)):
            judged(
                replace(
                    REVIEWS[0],
                    operation=Operation(operation),
                    group=group,
                    resource=resource,
                    subresource=subresource,
                    object=new,
                    old_object=old,
                )
            )
