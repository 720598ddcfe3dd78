"""Trying the cases of suites: what came of each, as values."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from interlock.cli.policy import suite, yamlfiles
from interlock.cli.policy.suite import Case, Suite
from interlock.core.rehearsal import expected
from interlock.core.rehearsal.expected import Difference
from interlock.core.review import explain
from interlock.core.types import Decision
from interlock.errors import UsageError

RECORD = "of a test"
"""Stands in a message where the record's name would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of one case.

    Attributes:
        message: what the person is told; empty if nothing.
    """

    case: Case
    decision: Decision
    message: str
    differences: tuple[Difference, ...]

    @property
    def passed(self) -> bool:
        """Whether everything is as expected."""
        return not self.differences


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteTried:
    """What came of one suite."""

    suite: Suite
    cases: tuple[Tried, ...]


def files(paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """These files, and those below these directories that can be suites; whether each was named itself."""
    for path in paths:
        if path.is_dir():
            yield from ((each, False) for each in yamlfiles.below(path, suite.KIND))
        else:
            yield path, True


def suites(file: Path, *, named: bool) -> list[Suite]:
    """The suites of a file; none if it was not named itself and holds something else.

    Raises:
        BadSuite: one cannot be tried.
        BadInput: the file cannot be read.
        UsageError: it was named, and holds no suite.
    """
    found = [suite.read(file, document) for document in yamlfiles.documents(file) if suite.is_suite(document)]
    if named and not found:
        raise UsageError(f"{file}: got no {suite.KIND}, expected a file with one, or a directory")
    return found


async def tried(one: Suite) -> SuiteTried:
    """Try every case of a suite, as the guard would decide it."""
    return SuiteTried(suite=one, cases=tuple([await _case(one, case) for case in one.cases]))


async def _case(one: Suite, case: Case) -> Tried:
    decision = await one.world.decide(case.request, case.now)
    message = told(case, decision)
    return Tried(
        case=case,
        decision=decision,
        message=message,
        differences=tuple(expected.differences(case.expected, decision, message)),
    )


def told(case: Case, decision: Decision) -> str:
    """What the person is told: the denial, else the warnings."""
    if not decision.allowed:
        return explain.denial(case.request, decision, receipt=None, record_id=RECORD, fault="", now=case.now)
    return "\n".join(explain.warnings(case.request, decision, record_id=""))
