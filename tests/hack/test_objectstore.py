"""Where an S3 server of tests keeps its data: not every file system suits every one."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from devtools.errors import ToolError
from devtools.objectstore import suitable
from devtools.s3programs import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosy(Program):
    """One that can keep its data below one directory only."""

    below: Path

    def fits(self, directory: Path) -> bool:
        """Whether that is there."""
        return directory.is_dir() and directory.is_relative_to(self.below)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where tools are kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def _below(place: Path) -> Choosy:
    return Choosy(name="Choosy", tool="choosy", arguments=(), settings={}, ready="/", below=place)


def test_a_directory_that_suits_is_made_and_used(tmp_path: Path) -> None:
    """And stays, for a server that is started again."""
    with suitable(tmp_path / "data", _below(tmp_path)) as place:
        assert place == tmp_path / "data"

    assert place.is_dir()


def test_one_beside_the_tools_where_the_other_does_not_suit(tmp_path: Path, cache: Path) -> None:
    """Gone afterwards, with what was stored."""
    with suitable(tmp_path / "data", _below(cache)) as place:
        (place / "object").touch()

    assert place.is_relative_to(cache)
    assert not place.exists()


@pytest.mark.usefixtures("cache")
def test_no_place_at_all_is_said_with_what_to_do(tmp_path: Path) -> None:
    """Both directories, and a variable that helps."""
    with (
        pytest.raises(ToolError, match=r"Choosy .* neither .*/data nor .*/cache/.*: set TMPDIR"),
        suitable(tmp_path / "data", _below(tmp_path / "elsewhere")),
    ):
        pass
