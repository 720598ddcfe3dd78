"""`hack/verify`: everything that can be known about the checkout without running the product.

All checks run, also after one has failed, and each failure ends with the command that repairs it or, where a person has
to think, the one that shows it again. Nothing is changed, nothing is downloaded.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from devtools import docstrings, generated, locks, programs
from devtools.errors import ToolError
from devtools.venv import ROOT, VENV


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing to know.

    Attributes:
        name: as printed.
        complaints: looks, and returns what is wrong; empty when nothing is.
        repair: the command that puts it right or shows it again.
    """

    name: str
    complaints: Callable[[], str]
    repair: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a check found, and how long it took."""

    check: Check
    complaints: str
    seconds: float


def main() -> int:
    """Run every check, print what each found, and return the exit code."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        results = list(pool.map(_look, CHECKS))
    for result in results:
        _report(result)
    failed = [result.check.name for result in results if result.complaints]
    print(f"verify: {len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def _look(check: Check) -> Result:
    started = time.monotonic()
    complaints = check.complaints()
    return Result(check=check, complaints=complaints, seconds=time.monotonic() - started)


def _report(result: Result) -> None:
    verdict = "FAIL" if result.complaints else "ok"
    print(f"{verdict:<4} {result.check.name:<16} {result.seconds:5.1f} s")
    if result.complaints:
        print(f"{result.complaints.rstrip()}\n     to repair: {result.check.repair}\n")


def _program(name: str, *arguments: str) -> Callable[[], str]:
    """A check that is a program of `.venv`: what it prints on failure is the complaint."""

    def complaints() -> str:
        try:
            programs.capture(VENV / "bin" / name, *arguments)
        except programs.FailedError as failed:
            return failed.output or str(failed)
        return ""

    return complaints


def _stale_locks() -> str:
    stale = [lock.path.relative_to(ROOT) for lock in locks.LOCKS if not lock.current()]
    return "\n".join(f"{path} was not made from its sources as they are now" for path in stale)


def _stale_generated_files() -> str:
    try:
        return "\n".join(f"{file.path.relative_to(ROOT)} is not what its source says" for file in generated.stale())
    except ToolError as unusable:
        return str(unusable)


# The slow ones first, so that they overlap with the rest.
CHECKS = (
    Check(name="mypy", complaints=_program("mypy"), repair=".venv/bin/mypy"),
    Check(name="ruff check", complaints=_program("ruff", "check", "."), repair="hack/update format"),
    Check(name="ruff format", complaints=_program("ruff", "format", "--diff", "."), repair="hack/update format"),
    Check(name="import contracts", complaints=_program("lint-imports"), repair=".venv/bin/lint-imports"),
    Check(name="codespell", complaints=_program("codespell"), repair=".venv/bin/codespell --write-changes"),
    Check(name="yamllint", complaints=_program("yamllint", "--strict", "."), repair=".venv/bin/yamllint ."),
    Check(name="docstrings", complaints=lambda: "\n".join(docstrings.violations()), repair="hack/verify"),
    Check(name="locks", complaints=_stale_locks, repair="hack/update requirements"),
    Check(name="generated files", complaints=_stale_generated_files, repair="hack/update generated"),
)
