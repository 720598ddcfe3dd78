"""Label selectors."""

import pytest

from interlock.core.selectors import LabelSelector, Operator, Requirement


@pytest.mark.parametrize(
    ("operator", "values", "matching"),
    [
        (Operator.IN, {"a", "b"}, ["a"]),
        (Operator.NOT_IN, {"a"}, ["c", None]),
        (Operator.EXISTS, set(), ["a", "c"]),
        (Operator.DOES_NOT_EXIST, set(), [None]),
    ],
)
def test_operators(operator: Operator, values: set[str], matching: list[str | None]) -> None:
    """They mean what the Kubernetes API means, for a missing label (None) as well."""
    requirement = Requirement(key="k", operator=operator, values=frozenset(values))

    assert [v for v in ("a", "c", None) if requirement.match({} if v is None else {"k": v})] == matching


def test_all_requirements_must_hold() -> None:
    """A selector is a conjunction."""
    selector = LabelSelector(
        requirements=(
            Requirement(key="a", operator=Operator.EXISTS),
            Requirement(key="b", operator=Operator.EXISTS),
        )
    )

    assert [selector.match(labels) for labels in ({"a": "", "b": ""}, {"a": ""}, {})] == [True, False, False]
