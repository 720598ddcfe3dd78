"""Every input that fuzzing has found worth keeping is read without upset."""

from pathlib import Path

import pytest

from devtools.fuzz.targets import TARGETS, corpus

CASES = [(name, path) for name in TARGETS for path in corpus(name)]


@pytest.mark.parametrize(("name", "path"), CASES, ids=lambda part: part.name if isinstance(part, Path) else part)
def test_kept_input(name: str, path: Path) -> None:
    """The reader raises nothing but what it promises."""
    TARGETS[name](path.read_bytes())


def test_every_target_has_a_corpus() -> None:
    """A target begins with something to change."""
    assert {name for name, _ in CASES} == set(TARGETS)
