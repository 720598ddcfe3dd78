"""What an edge test has shown, and how a list of such things is printed."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One scenario: what was done, how hard, how it ended."""

    scenario: str
    load: str
    outcome: str


def table(edges: Sequence[Edge]) -> str:
    """Lay the scenarios out in three columns, in the order in which they ran."""
    rows = [("scenario", "load", "outcome"), *((edge.scenario, edge.load, edge.outcome) for edge in edges)]
    wide, next_wide = (max(len(row[column]) for row in rows) for column in (0, 1))
    return "\n".join(f"{first:<{wide}}  {second:<{next_wide}}  {third}" for first, second, third in rows)
