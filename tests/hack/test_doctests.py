"""Examples in docstrings of the tooling are run, so that none of them lies."""

import doctest
import importlib
import pkgutil

import pytest

import devtools

MODULES = sorted(module.name for module in pkgutil.walk_packages(devtools.__path__, "devtools."))


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name: str) -> None:
    """Every `>>>` in the module gives what stands below it."""
    result = doctest.testmod(importlib.import_module(name))

    assert result.failed == 0
