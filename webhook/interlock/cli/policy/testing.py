"""`interlock policy test`: the cases of suites, decided as the guard decides, compared with what they expect."""

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.options import Colour, When
from interlock.cli.painting import painter
from interlock.cli.policy import junit, report, trial
from interlock.cli.policy.suite import KIND, Suite
from interlock.cli.policy.trial import SuiteTried
from interlock.errors import InterlockError, UsageError

UNREADABLE = 2  # exit code, as for wrong arguments


class Output(StrEnum):
    """How to print."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"


def try_policies(
    paths: Annotated[
        list[Path], typer.Argument(metavar="DIRECTORY|FILE...", help=f"Files of kind {KIND}, or directories of them.")
    ],
    *,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="text, one JSON object, or JUnit XML.")
    ] = Output.TEXT,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also findings and messages of cases that passed.")
    ] = False,
    colour: Colour = When.AUTO,
) -> None:
    """Try policies offline, on requests that nobody sends, and compare what the guard would decide with expectations.

    Exit code: 0 if every case is as expected, 1 if one is not, 2 if a suite cannot be read.
    """
    suites, broken = _suites(paths)
    if not suites and not broken:
        broken = [UsageError(f"{', '.join(map(str, paths))}: got no {KIND}, expected at least one")]
    tried = asyncio.run(_all(suites))
    if output is Output.TEXT and tried:
        report.text(tried, painter(colour.value), verbose=verbose)
    elif output is not Output.TEXT:
        typer.echo(report.json(tried, broken) if output is Output.JSON else junit.report(tried, broken))
    for error in broken:
        typer.echo(error.diagnostics(), err=True)
    raise typer.Exit(UNREADABLE if broken else 0 if report.passed(tried) else 1)


def _suites(paths: list[Path]) -> tuple[list[Suite], list[InterlockError]]:
    """Every suite that can be read, and what is wrong with the others."""
    suites, broken = list[Suite](), list[InterlockError]()
    for file, named in trial.files(paths):
        try:
            suites += trial.suites(file, named=named)
        except InterlockError as error:
            broken.append(error)
    return suites, broken


async def _all(suites: list[Suite]) -> list[SuiteTried]:
    return [await trial.tried(suite) for suite in suites]
