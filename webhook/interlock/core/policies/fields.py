"""Reading an object field by field, keeping every violation with its path, what was there and what would be accepted.

A `Field` is a value with its place. Its readers never raise: what is wrong is noted in the list that all fields of one
object share, and a harmless value stands in, so that one reading finds every violation. Whoever started the reading
looks at the list at the end.

Empty lists and objects are violations here: an empty one reads as "all" to one person and as "none" to the next.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar

import orjson

from interlock.core.text import shortened
from interlock.errors import BadInput

SHOWN_CHARACTERS = 60
"""How much of a refused value is repeated in the message."""

KINDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Field:
    """A value at its place in an object.

    Attributes:
        value: as decoded from JSON; None if absent.
        path: as in Kubernetes, for example ``spec.exclude[0].subjects``.
        violations: found so far in the whole object; shared by all its fields.
    """

    value: Any
    path: str
    violations: list[BadInput]

    @property
    def present(self) -> bool:
        """Whether it is there."""
        return self.value is not None

    def below(self, name: str) -> "Field":
        """The field of this name inside; absent if this is no object."""
        inner = self.value.get(name) if isinstance(self.value, dict) else None
        return Field(inner, f"{self.path}.{name}" if self.path else name, self.violations)

    def refuse(self, expected: str, *, got: str = "") -> None:
        """Note a violation; `got` is the value unless said otherwise."""
        self.violations.append(BadInput(field=self.path, got=got or _shown(self.value), expected=expected))

    def fields(self, known: Collection[str]) -> "Fields":
        """Read an object that has only known fields, at least one."""
        if self._is(dict):
            if not self.value:
                self.refuse(f"at least one of {_listed(known)}", got="an empty object")
            for name in self.value:
                if name not in known:
                    self.below(name).refuse(_hint(name, known), got="an unknown field")
        return Fields(self)

    def members(self) -> Iterator[tuple[str, "Field"]]:
        """Read an object used as a map, with at least one entry."""
        if self._is(dict):
            if not self.value:
                self.refuse("at least one entry, or no such field", got="an empty object")
            for name in self.value:
                yield name, self.below(name)

    def items(self, *, at_most: int) -> "list[Field]":
        """Read a list with at least one item and not too many."""
        if not self._is(list):
            return []
        if not self.value:
            self.refuse("at least one item, or no such field", got="an empty list")
        if len(self.value) > at_most:
            self.refuse(f"at most {at_most} items", got=f"{len(self.value)} items")
        return [Field(value, f"{self.path}[{index}]", self.violations) for index, value in enumerate(self.value)]

    def text(self, *, at_most: int) -> str:
        """Read a text that is not empty and not too long."""
        if not self._is(str):
            return ""
        if not 0 < len(self.value) <= at_most:
            self.refuse(f"a text of 1 to {at_most} characters", got=f"{len(self.value)} characters")
        return str(self.value)

    def spelled(self, pattern: re.Pattern[str], expected: str) -> str:
        """Read a text that fits a pattern as a whole; empty if it does not."""
        if not self._is(str):
            return ""
        if not pattern.fullmatch(self.value):
            self.refuse(expected)
            return ""
        return str(self.value)

    def one_of(self, kind: type[E]) -> E | None:
        """Read a word of a closed list."""
        return self.chosen({member.value: member for member in kind})

    def chosen(self, choices: dict[str, T]) -> T | None:
        """Read a word and give back what it stands for."""
        if not self._is(str):
            return None
        if self.value not in choices:
            self.refuse(f"one of {_listed(choices)}")
        return choices.get(self.value)

    def _is(self, kind: type) -> bool:
        """Whether the value is present and of this kind; another kind is a violation, absence is not."""
        if self.present and type(self.value) is not kind:
            self.refuse(KINDS[kind], got=KINDS.get(type(self.value), "another kind of value"))
        return type(self.value) is kind


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one object; those of something that is no object are all absent."""

    of: Field

    def __getitem__(self, name: str) -> Field:
        return self.of.below(name)

    @property
    def readable(self) -> bool:
        """Whether there is an object with something in it, so that what it lacks is worth saying."""
        return isinstance(self.of.value, dict) and bool(self.of.value)

    def required(self, name: str, expected: str) -> Field:
        """The field of this name; its absence from a readable object is a violation."""
        found = self[name]
        if not found.present and self.readable:
            found.refuse(expected, got="nothing")
        return found


def union(field: Field, read: Callable[[Field], T | None], *, at_most: int) -> tuple[T, ...]:
    """Read a list item by item; items that cannot be read are left out (and are violations)."""
    return tuple(value for item in field.items(at_most=at_most) if (value := read(item)) is not None)


def _shown(value: object) -> str:
    return "nothing" if value is None else shortened(orjson.dumps(value, default=str).decode(), SHOWN_CHARACTERS)


def _listed(words: Collection[str]) -> str:
    return ", ".join(words)


def _hint(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return close[0] if close else f"one of {_listed(known)}"
