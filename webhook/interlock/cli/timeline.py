"""`kubectl interlock timeline`: who did what over time, from AuditRecords, with the rights of whoever asks.

    alice   3 denied, 1 allowed
      2026-11-25 +01:00
      22:01:38   Deny    prod-shop   delete-namespace   namespaces prod-shop   protect-production   x4

Grouped by person, by namespace, or not at all; `--follow` goes on with what comes, a line for each change. Times are
those of the terminal's own zone, with its distance from UTC. What is printed holds no evidence, so that everybody who
may list AuditRecords sees the same.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from interlock.cli import auditrecords
from interlock.cli.auditrecords import Moment
from interlock.cli.kubectl import Kubectl
from interlock.cli.options import Colour, Context, Kubeconfig, When
from interlock.cli.painting import Cell, Painter, painter
from interlock.cli.telling import errors_told
from interlock.core import times
from interlock.core.text import printable
from interlock.errors import UsageError
from interlock.wiring import clock

INDENT = "  "
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
STYLES = {"Deny": "bold red", "Hold": "magenta", "Warn": "yellow", "Allow": "green"}
WORDS = {"Deny": "denied", "Hold": "held", "Warn": "warned about", "Allow": "allowed"}


class By(StrEnum):
    """What moments are grouped by."""

    PERSON = "person"
    NAMESPACE = "namespace"
    TIME = "time"


def timeline(  # noqa: PLR0913  one parameter per argument of the command, as typer wants it
    *,
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Only this namespace; else all.")] = "",
    user: Annotated[str, typer.Option(help="Only what this user did.")] = "",
    since: Annotated[str, typer.Option(help="From when on: 30m, 2h, 7d ago, or 2026-11-25T22:00:00Z.")] = "",
    by: Annotated[By, typer.Option(help="What to group by; time is no group at all.")] = By.PERSON,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    selector: Annotated[str, typer.Option("--selector", "-l", help="Labels, as for kubectl get.")] = "",
    field_selector: Annotated[str, typer.Option(help="Fields, as for kubectl get: verdict=Deny.")] = "",
    colour: Colour = When.AUTO,
    kubeconfig: Kubeconfig = "",
    context: Context = "",
) -> None:
    """Print who did what over time."""
    with errors_told():
        begin = _begin(since)
        fields = ",".join(part for part in (field_selector, f"user={user}" if user else "") if part)
        source = auditrecords.Source(
            kubectl=Kubectl(kubeconfig=kubeconfig, context=context),
            namespace=namespace,
            labels=selector,
            fields=fields,
        )
        listed = source.list()
        paint = painter(colour.value)
        for warning in listed.warnings:
            typer.echo(warning, err=True)
        moments = sorted((each for each in listed.moments if begin is None or each.time >= begin), key=_order)
        _print(moments, by, paint)
        if follow:
            for moment in source.follow(listed.version):
                paint.line(_cells(moment, By.TIME, dated=True))
        elif not moments:
            typer.echo("nothing was recorded" if begin is None else f"nothing was recorded since {times.write(begin)}")


def _begin(since: str) -> datetime | None:
    """From when on to tell.

    Raises:
        UsageError: neither a duration nor an instant.
    """
    if not since:
        return None
    if found := re.fullmatch(r"([0-9]{1,6})([smhd])", since):
        return clock.now() - timedelta(**{UNITS[found[2]]: int(found[1])})
    try:
        begin = datetime.fromisoformat(since)
    except ValueError:
        begin = None
    if begin is None or begin.tzinfo is None:
        raise UsageError(f"--since: got {since!r}, expected 30m, 2h, 7d or an instant such as 2026-11-25T22:00:00Z")
    return begin


def _order(moment: Moment) -> tuple[datetime, str]:
    return moment.time, moment.record


def _print(moments: Sequence[Moment], by: By, paint: Painter) -> None:
    if by is By.TIME:
        _print_days(moments, by, paint, indent="")
        return
    key: Callable[[Moment], str] = (lambda each: each.user) if by is By.PERSON else (lambda each: each.namespace)
    for name in sorted({key(each) for each in moments}):
        group = [each for each in moments if key(each) == name]
        paint.line([Cell(name or "(nobody)", "bold cyan"), Cell(_summary(group), "dim")])
        _print_days(group, by, paint, indent=INDENT)
        paint.line([])


def _print_days(moments: Sequence[Moment], by: By, paint: Painter, *, indent: str) -> None:
    """Lines of one group, its days apart, its columns one below the other."""
    day = ""
    widths = _widths([_cells(each, by) for each in moments])
    for moment in moments:
        if (today := moment.time.astimezone().strftime("%Y-%m-%d %z")) != day:
            day = today
            paint.line([Cell(f"{indent}{day[:-2]}:{day[-2:]}", "dim")])
        paint.line(_padded(_cells(moment, by), widths), indent=indent)


def _cells(moment: Moment, by: By, *, dated: bool = False) -> list[Cell]:
    """One moment; what its group says already is left out."""
    local = moment.time.astimezone()
    cells = [
        Cell(local.strftime("%Y-%m-%d %H:%M:%S" if dated else "%H:%M:%S"), "dim"),
        Cell(moment.verdict, STYLES.get(moment.verdict, "")),
        *([] if by is By.PERSON else [Cell(moment.user, "cyan")]),
        *([] if by is By.NAMESPACE else [Cell(moment.namespace)]),
        Cell(moment.action, "bold"),
        Cell(moment.target),
        Cell(moment.policy, "dim"),
        Cell("" if moment.count == "1" else f"x{moment.count}", "bold"),
    ]
    return [Cell(printable(cell.text), cell.style) for cell in cells]  # as wide as it is shown


def _widths(rows: Sequence[Sequence[Cell]]) -> list[int]:
    return [max(len(cell.text) for cell in column) for column in zip(*rows, strict=True)]


def _padded(cells: Iterable[Cell], widths: Iterable[int]) -> Iterator[Cell]:
    return (Cell(cell.text.ljust(width), cell.style) for cell, width in zip(cells, widths, strict=True))


def _summary(group: Iterable[Moment]) -> str:
    """How often which verdict, the worst first."""
    counts = Counter(each.verdict for each in group for _ in range(each.times))
    known = [f"{counts.pop(verdict)} {word}" for verdict, word in WORDS.items() if verdict in counts]
    return ", ".join([*known, *(f"{count} {verdict}" for verdict, count in sorted(counts.items()))])
