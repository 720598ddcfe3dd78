"""The table of values in the chart's README, made from the comments in values.yaml.

values.yaml is the one place where a value is explained: the comment lines right above a key are its text. A key without
a comment belongs to the default of the key above it that has one. Pure: text in, text out.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from devtools.errors import ToolError

BEGIN = "<!-- Made from values.yaml by `hack/update generated`; do not edit. -->\n"
END = "<!-- End of what is made from values.yaml. -->\n"

_INDENT = 2  # spaces a level
_KEY = re.compile(r"( *)([A-Za-z]+):")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One explained key.

    Attributes:
        path: the keys that lead to it, from the top.
        text: its comment as one paragraph.
    """

    path: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        """As on a command line, for example ``guard.replicas``."""
        return ".".join(self.path)


def readme(text: str, values: str) -> str:
    """The README with the part between the two marks made anew.

    Raises:
        ToolError: a mark is missing, or stands there twice.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ToolError(f"charts/interlock/README.md: expected the lines {BEGIN.strip()} and {END.strip()} once each")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{table(values)}\n{END}{rest.partition(END)[2]}"


def table(values: str) -> str:
    """The values as a Markdown table, sections and leaves in the order of the file."""
    found = entries(values)
    defaults = yaml.safe_load(values)
    rows = [_row(entry, found, defaults) for entry in found]
    return "\n".join(["| value | default | meaning |", "|---|---|---|", *rows]) + "\n"


def entries(values: str) -> tuple[Entry, ...]:
    """Every key that has a comment right above it."""
    return tuple(_entries(values.splitlines()))


def is_section(entry: Entry, among: Sequence[Entry]) -> bool:
    """Whether keys below it are explained one by one."""
    depth = len(entry.path)
    return any(len(other.path) > depth and other.path[:depth] == entry.path for other in among)


def _entries(lines: Sequence[str]) -> Iterator[Entry]:
    path: list[str] = []
    comment: list[str] = []
    for line in lines:
        if line.lstrip().startswith("#"):
            comment.append(line.strip().removeprefix("#").strip())
            continue
        if key := _KEY.match(line):
            path[len(key[1]) // _INDENT :] = [key[2]]
            if comment:
                yield Entry(path=tuple(path), text=" ".join(comment))
        comment = []


def _row(entry: Entry, among: Sequence[Entry], defaults: dict[str, Any]) -> str:
    text = entry.text.replace("|", "\\|")
    if is_section(entry, among):
        return f"| **`{entry.name}`** | | {text} |"
    return f"| `{entry.name}` | `{json.dumps(_at(defaults, entry.path))}` | {text} |"


def _at(values: dict[str, Any], path: Sequence[str]) -> object:
    found: Any = values
    for key in path:
        found = found[key]
    return found
