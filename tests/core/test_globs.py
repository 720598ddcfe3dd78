"""Names with an asterisk."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.policies.globs import Globs


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("prod", ["prod"], ["prod-1", "", "Prod"]),
        ("prod-*", ["prod-", "prod-1"], ["prod", "xprod-1"]),
        ("*-db", ["-db", "shop-db"], ["shop-db-2", "db"]),
        ("a*a", ["aa", "aba"], ["a", "ab"]),
        ("a*b*c", ["abc", "a1b2c"], ["acb", "ac"]),
        ("*", ["", "anything/at:all"], []),
        ("a?c[d]", ["a?c[d]"], ["abcd", "abc[d]"]),
    ],
)
def test_asterisk_stands_for_any_characters_and_nothing_else_is_special(
    pattern: str, matching: list[str], other: list[str]
) -> None:
    """A pattern is compared with the whole text."""
    globs = Globs.of([pattern])

    assert [text for text in matching + other if globs.match(text)] == matching


@given(st.lists(st.text("ab*", max_size=6), max_size=3), st.text("ab", max_size=8))
def test_patterns_mean_what_the_regular_expression_means(patterns: list[str], text: str) -> None:
    """The union of patterns, each with `.*` for the asterisk."""
    expected = any(re.fullmatch(pattern.replace("*", ".*"), text) for pattern in patterns)

    assert Globs.of(patterns).match(text) == expected


def test_everything_and_literal_are_told_apart() -> None:
    """Whether patterns mean everything, or name all they mean."""
    assert [(globs.everything, globs.literal) for globs in (Globs.of(["*"]), Globs.of(["a", "**"]))] == [
        (True, False)
    ] * 2
    assert [(globs.everything, globs.literal) for globs in (Globs.of(["a", "b"]), Globs.of(["a*"]))] == [
        (False, True),
        (False, False),
    ]
