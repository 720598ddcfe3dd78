"""Columns as kubectl prints them."""

from interlock.cli.columns import columns


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    """Nothing is cut or wrapped, however long, and no line ends in blanks."""
    printed = list(columns(("NAME", "AGE"), [("a", "1s"), ("a-long-name", "")]))

    assert printed == ["NAME          AGE", "a             1s", "a-long-name"]
