"""The results as a table for people and as JSON for programs, both with the ratios to the no-op server."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from devtools.bench.admission import NOOP, Result

HEADINGS = (
    "scenario", "policies", "conns", "p50 µs", "p99 µs", "answers/s", "CPU µs", "x no-op", "rec/commit", "RSS MiB",
)  # fmt: skip
_WIDTHS = (17, 19, 5, 9, 9, 9, 7, 7, 10, 7)

WANTED_GROWTH = 1.2  # CPU per review, from the smallest to the largest crowd that cannot match
WANTED_MICROS = 2_000  # CPU per review at the largest crowd that must be evaluated

Baseline = Mapping[tuple[str, int], Result]


def table(results: Sequence[Result]) -> str:
    """For people."""
    baseline = _baseline(results)
    lines = [_line(HEADINGS), *(_line(_cells(result, baseline)) for result in results), "", *_conclusions(results)]
    return "\n".join([machine(), "", *lines])


def as_json(results: Sequence[Result]) -> str:
    """For programs: units are in the names."""
    baseline = _baseline(results)
    rows = [asdict(result) | {"cpu_times_noop": round(_times(result, baseline), 2)} for result in results]
    return json.dumps({"machine": machine(), "results": [_rounded(row) for row in rows]}, indent=2)


def _baseline(results: Sequence[Result]) -> Baseline:
    return {(result.scenario, result.connections): result for result in results if result.crowd == NOOP}


def _times(result: Result, baseline: Baseline) -> float:
    return result.cpu_micros / baseline[result.scenario, result.connections].cpu_micros


def _cells(result: Result, baseline: Baseline) -> tuple[str, ...]:
    around = NOOP if result.crowd == NOOP else f"{result.policies:,} {result.crowd}"
    return (
        result.scenario,
        around,
        str(result.connections),
        f"{result.p50_micros:,.0f}",
        f"{result.p99_micros:,.0f}",
        f"{result.per_second:,.0f}",
        f"{result.cpu_micros:,.0f}",
        f"{_times(result, baseline):.1f}",
        f"{result.records_per_commit:.1f}" if result.records_per_commit else "-",
        f"{result.resident_mib:.0f}",
    )


def _line(cells: Sequence[str]) -> str:
    """Names to the left, numbers to the right."""
    padded = [
        cell.ljust(width) if column < 2 else cell.rjust(width)  # noqa: PLR2004  scenario and policies are names
        for column, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=True))
    ]
    return " ".join(padded)


def _conclusions(results: Sequence[Result]) -> list[str]:
    """The two figures that are promised, on the most connections: there the guard is busy all the time."""
    busy = [result for result in results if result.connections == max(each.connections for each in results)]
    fewest, most = _ends([result for result in busy if result.crowd == "cannot match"])
    growth = [many.cpu_micros / few.cpu_micros for few, many in zip(fewest, most, strict=True)]
    _, evaluated = _ends([result for result in busy if result.crowd == "evaluated"])
    cost = [result.cpu_micros for result in evaluated]
    between = f"{fewest[0].policies:,} to {most[0].policies:,} policies that cannot match"
    grows = f"{median(growth):.2f} and {max(growth):.2f} times, wanted at most {WANTED_GROWTH}"
    costs = f"{median(cost):,.0f} and {max(cost):,.0f} µs, wanted under {WANTED_MICROS:,}"
    return [
        f"CPU per review, scenarios' median and worst, on {busy[0].connections} connections:",
        f"  {between}: grows {grows}",
        f"  {evaluated[0].policies:,} policies evaluated: {costs}",
    ]


def _ends(row: Sequence[Result]) -> tuple[list[Result], list[Result]]:
    """The results with the fewest policies, and those with the most, in order of scenarios."""
    sizes = [result.policies for result in row]
    few, many = ([each for each in row if each.policies == size] for size in (min(sizes), max(sizes)))
    return few, many


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {key: round(value, 2) if isinstance(value, float) else value for key, value in row.items()}


def machine() -> str:
    """What it was measured on."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
