"""Label selectors, with the meaning that the Kubernetes API gives them (meta/v1 LabelSelector).

`matchLabels` and `matchExpressions` must all hold. `NotIn` and `DoesNotExist` hold for an object without the label.
What an unknown set of labels means is decided in core.policies.match, one way for match and the other for exclude.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from interlock.core import unstructured


class Operator(StrEnum):
    """How a requirement compares."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"

    @property
    def takes_values(self) -> bool:
        """Whether the requirement has values."""
        return self in {Operator.IN, Operator.NOT_IN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One condition on one label."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def match(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels meet it."""
        match self.operator:
            case Operator.IN:
                return labels.get(self.key) in self.values
            case Operator.NOT_IN:
                return labels.get(self.key) not in self.values
            case Operator.EXISTS:
                return self.key in labels
            case Operator.DOES_NOT_EXIST:
                return self.key not in labels


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSelector:
    """Requirements that must all hold; matchLabels are `In` with one value."""

    requirements: tuple[Requirement, ...]

    def match(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels meet every requirement."""
        return all(requirement.match(labels) for requirement in self.requirements)


def stored(selector: object) -> LabelSelector:
    """A selector as an API server has stored it, and so has checked it; an operator that nobody knows is left out."""
    exact = unstructured.mapping(selector, "matchLabels").items()
    return LabelSelector(
        requirements=(
            *(Requirement(key=key, operator=Operator.IN, values=frozenset({str(value)})) for key, value in exact),
            *(
                Requirement(
                    key=unstructured.text(each, "key"),
                    operator=Operator(unstructured.text(each, "operator")),
                    values=frozenset(unstructured.texts(each, "values")),
                )
                for each in unstructured.items(selector, "matchExpressions")
                if unstructured.text(each, "operator") in tuple(Operator)
            ),
        )
    )
