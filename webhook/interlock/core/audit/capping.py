"""Bounds on what a record repeats from a request: texts and lists are cut, visibly, never silently.

A cut text ends in `… [N bytes, digest HEX]`, so that two long texts with the same beginning stay two; a cut list is
followed by a count of what was left out, under the list's name and `Omitted`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import orjson

from interlock.core.types import JsonObject

Digest = Callable[[bytes], str]

T = TypeVar("T")

LONGEST = 6  # bytes that JSON takes for one character: \u0000

DIGEST_SHOWN = 16  # hex digits of a cut text's digest: enough to tell two apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """How much of a request's own text one record repeats.

    Attributes:
        items: entries kept of any list.
        text: bytes kept of any text, as JSON writes them.
        digest: keyed digest, which names what was cut.
    """

    items: int
    text: int
    digest: Digest

    def shorten(self, text: str) -> str:
        """Give the text back whole, or its beginning with length and digest of the whole."""
        if len(text) * LONGEST <= self.text or len(orjson.dumps(text)) - 2 <= self.text:
            return text
        whole = text.encode()
        return f"{self._beginning(text)}… [{len(whole)} bytes, digest {self.digest(whole)[:DIGEST_SHOWN]}]"

    def listed(self, name: str, values: Sequence[T], write: Callable[[T], object]) -> JsonObject:
        """Write a list under its name, with the count of entries left out, if any were."""
        kept: JsonObject = {name: [write(value) for value in values[: self.items]]}
        if len(values) > self.items:
            kept[f"{name}Omitted"] = len(values) - self.items
        return kept

    def texts(self, name: str, values: Sequence[str]) -> JsonObject:
        """Write a list of texts, each shortened."""
        return self.listed(name, values, self.shorten)

    def _beginning(self, text: str) -> str:
        kept = text[: self.text]
        while len(orjson.dumps(kept)) - 2 > self.text:
            kept = kept[: len(kept) * 3 // 4]
        return kept
