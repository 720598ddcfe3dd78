"""What came of suites as JUnit XML, as CI systems take it.

One testsuite for each suite and one testcase for each case; a file that cannot be read is a testcase with an error.
There are no times in it, so that the same policies and cases make the same bytes.
"""

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as Xml

from interlock.cli.policy.trial import SuiteTried, Tried
from interlock.core.text import printable
from interlock.errors import InterlockError

MAX_LINE_CHARACTERS = 8192
"""As much as a person is ever told at once."""


def report(tried: Sequence[SuiteTried], broken: Sequence[InterlockError]) -> str:
    """The whole document.

    Args:
        tried: suites.
        broken: why others could not be tried.
    """
    every = [case for one in tried for case in one.cases]
    root = Xml.Element("testsuites", {"name": "interlock policy test", **_counts(every, errors=len(broken))})
    for one in tried:
        _suite(root, one)
    for number, error in enumerate(broken, start=1):
        _unreadable(root, f"unreadable {number}", error)
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True)


def _suite(root: Xml.Element, one: SuiteTried) -> None:
    file = str(one.suite.file)
    suite = Xml.SubElement(root, "testsuite", {"name": _xml(one.suite.name), "file": file, **_counts(one.cases)})
    for tried in one.cases:
        place = {"name": _xml(tried.case.name), "classname": _xml(one.suite.name), "file": file}
        case = Xml.SubElement(suite, "testcase", place)
        if tried.differences:
            _failed(case, "failure", [*map(str, tried.differences), *_findings(tried), *tried.message.splitlines()])


def _unreadable(root: Xml.Element, name: str, error: InterlockError) -> None:
    suite = Xml.SubElement(root, "testsuite", {"name": name, **_counts((), errors=1)})
    case = Xml.SubElement(suite, "testcase", {"name": "can be read", "classname": name})
    _failed(case, "error", error.diagnostics().splitlines())


def _failed(case: Xml.Element, kind: str, lines: Sequence[str]) -> None:
    Xml.SubElement(case, kind, {"message": _xml(lines[0])}).text = "\n".join(map(_xml, lines))


def _findings(tried: Tried) -> Iterator[str]:
    return (f"found {each.action} ({each.severity.title}): {each.evidence}" for each in tried.decision.findings)


def _counts(cases: Sequence[Tried], *, errors: int = 0) -> dict[str, str]:
    failed = sum(not case.passed for case in cases)
    return {"tests": str(len(cases) + errors), "failures": str(failed), "errors": str(errors)}


def _xml(line: str) -> str:
    """A line that XML can hold."""
    return printable(line, MAX_LINE_CHARACTERS)
