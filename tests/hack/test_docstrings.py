"""The docstring rule: which functions have to say what they raise."""

import pytest

from devtools import docstrings

SAYS_SO = '"""Look.\n\n    Raises:\n        KeyError: it is not there.\n    """'


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("def look():\n    '''Look.'''\n    raise KeyError", id="a plain raise"),
        pytest.param("async def look():\n    '''Look.'''\n    if a:\n        raise KeyError", id="one deep inside"),
        pytest.param(
            "class A:\n    def look(self):\n        raise KeyError from None", id="a method without docstring"
        ),
    ],
)
def test_public_function_that_raises_silently_is_found(source: str) -> None:
    """The rule sees every kind of function and every depth of its body."""
    assert [name for _, name in docstrings.silent_raisers(source)] == ["look"]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(f"def look():\n    {SAYS_SO}\n    raise KeyError", id="it says so"),
        pytest.param("def _look():\n    raise KeyError", id="it is private"),
        pytest.param("def look():\n    raise typer.Exit(1)", id="it ends a command"),
        pytest.param("def look():\n    try:\n        a()\n    except KeyError:\n        raise", id="it passes on"),
        pytest.param(
            "def look():\n    def _inner():\n        raise KeyError\n    return _inner", id="a nested one raises"
        ),
    ],
)
def test_other_functions_are_left_alone(source: str) -> None:
    """The rule demands a section only where it helps a caller."""
    assert docstrings.silent_raisers(source) == []
