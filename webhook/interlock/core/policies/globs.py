"""Names with `*`, as policies write them.

A pattern is compared with the whole text; `*` stands for any run of characters, the empty one too, and nothing else is
special: names of Kubernetes hold neither `?` nor brackets, user names may hold both and mean them literally.
No regular expressions: a stored pattern must not be able to cost more than one pass over a name for each of its parts.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

WILDCARD = "*"


@dataclass(frozen=True, slots=True)
class Globs:
    """A union of patterns.

    Attributes:
        patterns: as written, in the order written.
        literals: those without a wildcard.
        prefixes: those with one at their end, without it; most are, and all of them are compared at once.
        parts: the others, split at their wildcards.
    """

    patterns: tuple[str, ...]
    literals: frozenset[str] = field(repr=False)
    prefixes: tuple[str, ...] = field(repr=False)
    parts: tuple[tuple[str, ...], ...] = field(repr=False)

    @classmethod
    def of(cls, patterns: Iterable[str]) -> Self:
        """Compile patterns."""
        written = tuple(patterns)
        split = [tuple(pattern.split(WILDCARD)) for pattern in written if WILDCARD in pattern]
        return cls(
            patterns=written,
            literals=frozenset(pattern for pattern in written if WILDCARD not in pattern),
            prefixes=tuple(parts[0] for parts in split if not any(parts[1:])),
            parts=tuple(parts for parts in split if any(parts[1:])),
        )

    @property
    def literal(self) -> bool:
        """Whether no pattern has a wildcard, so that `literals` says it all."""
        return not self.prefixes and not self.parts

    @property
    def everything(self) -> bool:
        """Whether some pattern matches any text."""
        return "" in self.prefixes

    def match(self, text: str) -> bool:
        """Whether some pattern matches the whole text."""
        if text in self.literals or text.startswith(self.prefixes):
            return True
        return bool(self.parts) and any(_fits(parts, text) for parts in self.parts)


def _fits(parts: tuple[str, ...], text: str) -> bool:
    """Whether the text is the parts in this order with anything between them."""
    first, *middle, last = parts
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    position, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True
