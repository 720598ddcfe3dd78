"""Other people's text in our sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.text import counted, printable, shortened

SHOWN = {
    "plain text stays": ("web-0", "web-0"),
    "letters of any script stay": ("größe-名前", "größe-名前"),
    "a line break is an escape": ("web\nallowed", "web\\nallowed"),
    "a terminal's escape sequence is shown": ("\x1b[2Jweb", "\\x1b[2Jweb"),
    "a bidirectional override is shown": ("nimda\u202e-web", "nimda\\u202e-web"),
    "a zero-width space is shown": ("web\u200b", "web\\u200b"),
    "a lone surrogate is shown": ("web\ud800", "web\\ud800"),
    "too long is cut": ("x" * 300, "x" * 252 + "…"),
}


@pytest.mark.parametrize(("text", "shown"), SHOWN.values(), ids=SHOWN.keys())
def test_printable(text: str, shown: str) -> None:
    """What could move a cursor, hide or forge a line is shown as an escape."""
    assert printable(text) == shown


@given(st.text(st.characters(codec=None)), st.integers(1, 40))
def test_printable_is_printable_and_bounded(text: str, limit: int) -> None:
    """Whatever comes in, what goes out is printable, no longer than allowed, and doing it twice changes nothing."""
    once = printable(text, limit)

    assert (once.isprintable(), len(once) <= limit, printable(once, limit)) == (True, True, once)


def test_shortened_keeps_what_fits() -> None:
    """A text is cut only where it is too long."""
    assert (shortened("abcd", 4), shortened("abcde", 4)) == ("abcd", "abc…")


def test_counted() -> None:
    """One thing is one thing."""
    assert (counted(0, "replica"), counted(1, "replica"), counted(2, "replica")) == (
        "0 replicas",
        "1 replica",
        "2 replicas",
    )
