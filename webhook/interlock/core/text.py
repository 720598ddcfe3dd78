"""Text of others in our sentences: names, argv and messages that end up in a terminal, a log or an HTTP header.

Everything that is not printable (control characters, line breaks, bidirectional overrides, zero-width and private
characters, lone surrogates) is shown as an escape, so that nothing can move the cursor, hide or forge a line.
"""

from collections.abc import Sequence

ELLIPSIS = "…"
MAX_LISTED = 3
"""Things that a sentence names; the rest is counted."""

MAX_NAME_RUNES = 253
"""Longest name of a Kubernetes object (a DNS subdomain); what is longer is no name and is cut."""


def printable(text: str, limit: int = MAX_NAME_RUNES) -> str:
    """Show what is not printable as an escape, and cut to `limit` runes, the ellipsis included.

    Printable text stays as it is, so doing it twice does no harm.
    """
    head = text[: limit + 1]
    return shortened(head if head.isprintable() else "".join(map(_shown, head)), limit)


def shortened(text: str, limit: int) -> str:
    """Cut to `limit` runes, the ellipsis included."""
    return text if len(text) <= limit else text[: max(limit - len(ELLIPSIS), 0)] + ELLIPSIS


def listed(things: Sequence[object], between: str = ", ") -> str:
    """``a, b, c and 2 more``, printable."""
    named = between.join(printable(str(thing)) for thing in things[:MAX_LISTED])
    return named if len(things) <= MAX_LISTED else f"{named} and {len(things) - MAX_LISTED} more"


def counted(number: int, noun: str) -> str:
    """``1 argument``, ``2 arguments``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _shown(rune: str) -> str:
    return rune if rune.isprintable() else rune.encode("unicode_escape").decode("ascii")
