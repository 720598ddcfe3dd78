"""Lines of coloured cells: on a terminal, where colour was asked for, and nowhere else; never wrapped or cut."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import typer

from interlock.cli.columns import GAP
from interlock.core.text import printable


@dataclass(frozen=True, slots=True)
class Cell:
    """A piece of a line: its text, and its style in rich's words."""

    text: str
    style: str = ""


class Painter(Protocol):
    """Prints lines."""

    def line(self, cells: Iterable[Cell], *, indent: str = "") -> None:
        """Print one line; nothing in a cell can move the cursor."""


def painter(colour: str) -> Painter:
    """Make one.

    Args:
        colour: auto, always or never.
    """
    if colour == "always" or (colour == "auto" and sys.stdout.isatty()):
        from rich.console import Console  # noqa: PLC0415  a tenth of a second, for those who look
        from rich.text import Text  # noqa: PLC0415

        console = Console(force_terminal=True, highlight=False, soft_wrap=True)
        return _Rich(lambda cells: console.print(Text.assemble(*cells)))
    return _Plain()


class _Plain:
    def line(self, cells: Iterable[Cell], *, indent: str = "") -> None:
        typer.echo(f"{indent}{GAP.join(printable(cell.text) for cell in cells)}".rstrip())


class _Rich:
    def __init__(self, show: Callable[[list[tuple[str, str]]], None]) -> None:
        self._show = show

    def line(self, cells: Iterable[Cell], *, indent: str = "") -> None:
        pieces = [(printable(cell.text), cell.style) for cell in cells]
        parts = [piece for number, piece in enumerate(pieces) for piece in ([(GAP, "")] if number else []) + [piece]]
        self._show([(indent, ""), *parts])
