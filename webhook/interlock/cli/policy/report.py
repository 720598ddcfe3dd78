"""What came of suites, as text for people and JSON for programs."""

from collections.abc import Iterable, Sequence

import orjson

from interlock.cli.painting import Cell, Painter
from interlock.cli.policy.trial import SuiteTried, Tried
from interlock.core.rehearsal.expected import speaking
from interlock.core.text import counted
from interlock.core.types import JsonObject
from interlock.errors import InterlockError

PASS, FAIL = Cell("PASS", "bold green"), Cell("FAIL", "bold red")
INDENT = "  "


def text(tried: Sequence[SuiteTried], paint: Painter, *, verbose: bool) -> None:
    """Print suites, each with a line for every case and what differs below it, and a summary."""
    for one in tried:
        paint.line([Cell(one.suite.name, "bold"), Cell(str(one.suite.file), "dim")])
        width = max((len(case.case.name) for case in one.cases), default=0)
        for case in one.cases:
            said = Cell(verdict(case), "dim")
            paint.line([PASS if case.passed else FAIL, Cell(case.case.name.ljust(width)), said], indent=INDENT)
            _below(case, paint, verbose=verbose)
        paint.line([])
    paint.line([Cell(summary(tried), "bold green" if passed(tried) else "bold red")])


def _below(case: Tried, paint: Painter, *, verbose: bool) -> None:
    for difference in case.differences:
        if difference.what != "message":
            paint.line([Cell(str(difference), "red")], indent=INDENT * 4)
        else:
            paint.line([Cell(f"message: expected {difference.expected}, got:", "red")], indent=INDENT * 4)
            _lines(case, paint)
    if verbose or (case.differences and all(each.what != "message" for each in case.differences)):
        for finding in case.decision.findings:
            paint.line(
                [Cell(f"found {finding.action} ({finding.severity.title})", "dim"), Cell(finding.evidence)],
                indent=INDENT * 4,
            )
        if verbose:
            _lines(case, paint)


def _lines(case: Tried, paint: Painter) -> None:
    for line in case.message.splitlines() or ["nothing"]:
        paint.line([Cell(line, "dim")], indent=INDENT * 5)


def verdict(case: Tried) -> str:
    """What was decided in one line: the verdict, and the policies behind it."""
    policies = ", ".join(speaking(case.decision))
    return (
        f"{case.decision.stated.title} by {policies}" if policies else f"{case.decision.stated.title}, no policy spoke"
    )


def summary(tried: Sequence[SuiteTried]) -> str:
    """One line."""
    cases = [case for one in tried for case in one.cases]
    failed = sum(not case.passed for case in cases)
    return (
        f"{counted(len(tried), 'suite')}, {counted(len(cases), 'case')}: {len(cases) - failed} passed, {failed} failed"
    )


def passed(tried: Iterable[SuiteTried]) -> bool:
    """Whether every case of every suite did."""
    return all(case.passed for one in tried for case in one.cases)


def json(tried: Sequence[SuiteTried], broken: Sequence[InterlockError]) -> str:
    """One object."""
    suites = [
        {"name": one.suite.name, "file": str(one.suite.file), "cases": [_case(case) for case in one.cases]}
        for one in tried
    ]
    errors = [line for error in broken for line in error.diagnostics().splitlines()]
    whole = {"passed": passed(tried) and not errors, "suites": suites, "errors": errors}
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode()


def _case(case: Tried) -> JsonObject:
    decision = case.decision
    return {
        "name": case.case.name,
        "passed": case.passed,
        "verdict": decision.stated.title,
        "policies": list(speaking(decision)),
        "wouldHave": decision.would_have.title,
        "findings": [
            {
                "action": each.action,
                "severity": each.severity.title,
                "evidence": each.evidence,
                "reach": str(each.reach),
            }
            for each in decision.findings
        ],
        "message": case.message,
        "differences": [{"what": each.what, "got": each.got, "expected": each.expected} for each in case.differences],
    }
