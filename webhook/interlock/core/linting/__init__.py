"""What is legal in policies and probably not meant, or less protection than it looks: rules, and their problems.

`RULES` is the whole table; `interlock policy lint` and its documentation are made from it. A new rule is a `Rule` with
a function in the module of its subject, listed here.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from interlock.core.linting.exceptions import excepted, unused
from interlock.core.linting.reach import REACH
from interlock.core.linting.rounds import ROUNDS
from interlock.core.linting.rule import Linted, Problem, Rule, Surroundings
from interlock.core.linting.strength import STRENGTH
from interlock.core.linting.times import TIMES

__all__ = ["RULES", "Linted", "Problem", "Rule", "lint"]

RULES: tuple[Rule, ...] = (*REACH, *ROUNDS, *STRENGTH, *TIMES)


def lint(policies: Sequence[Linted], now: datetime) -> list[Problem]:
    """Every problem of these policies, those that an annotation excepts included, in order of policies and rules.

    Args:
        policies: all that are in force together: what one leaves open, another may close.
        now: the instant at which windows are looked at.
    """
    around = Surroundings(policies=tuple(each.policy for each in policies), now=now)
    return [problem for linted in policies for problem in _of_one(linted, around)]


def _of_one(linted: Linted, around: Surroundings) -> Iterator[Problem]:
    for rule in RULES:
        for path, said in rule.find(linted.policy, around):
            yield Problem(
                rule=rule,
                policy=linted.policy.name,
                place=linted.place,
                path=path,
                said=said,
                excepted=excepted(linted, rule),
            )
    yield from unused(linted, RULES)
