"""Columns as kubectl prints them: as wide as their widest cell, never wrapped or cut, so that they can be piped."""

from collections.abc import Iterator, Sequence

GAP = "   "


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lay out header and rows, line by line."""
    everything = [header, *rows]
    widths = [max(len(row[column]) for row in everything) for column in range(len(header))]
    for row in everything:
        yield GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
