"""The time zones that windows are read by: which release they are, and that a new one is taken up."""

from collections.abc import Iterator
from importlib import metadata, resources
from pathlib import Path

import pytest

from interlock.core.policies import zones
from tests.core.test_windows import at, read, weekly

LOCAL_NOON = {"timeZone": "Europe/Berlin", "allow": [weekly("noon", "Mon Tue Wed Thu Fri Sat Sun", "12:00", "13:00")]}


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A database in the place of the shipped one: Berlin and Rome, which are in New York there."""
    package = resources.files("tzdata").joinpath("zoneinfo")
    for name in ("Europe/Berlin", "Europe/Rome"):
        zones.zone(name)  # in use before it is replaced
    (tmp_path / "zoneinfo" / "Europe").mkdir(parents=True)
    (tmp_path / "zoneinfo" / "tzdata.zi").write_text("# version 2099z\n# more\n")
    (tmp_path / "zones").write_text("Europe/Berlin\nEurope/Rome\n")
    for name in ("Berlin", "Rome"):
        data = package.joinpath("America", "New_York").read_bytes()
        (tmp_path / "zoneinfo" / "Europe" / name).write_bytes(data)
    with monkeypatch.context() as patch:
        patch.setattr(resources, "files", lambda _: tmp_path)
        yield tmp_path
    zones.refresh()


def test_version_is_the_packages() -> None:
    """The release is that of the tzdata package."""
    year, _, number = metadata.version("tzdata").partition(".")

    assert zones.version() == f"{year}{chr(ord('a') + int(number) - 1)}"


@pytest.mark.usefixtures("shipped")
def test_a_new_release_is_taken_up() -> None:
    """Compiled windows go by a new release from the next question on, without being compiled anew."""
    windows, noon_in_berlin = read(LOCAL_NOON), at("2026-12-01T12:30:00+01:00")
    before = windows.is_open(noon_in_berlin)

    assert zones.refresh()
    assert (before, windows.is_open(noon_in_berlin)) == (True, False)
    assert windows.is_open(at("2026-12-01T12:30:00-05:00"))
    assert (zones.version(), zones.refresh()) == ("2099z", False)


def test_a_zone_in_use_outlives_its_name(shipped: Path) -> None:
    """A release that lacks a zone leaves it as it was to whoever uses it."""
    rome = zones.zone("Europe/Rome")
    (shipped / "zones").write_text("Europe/Berlin\n")
    (shipped / "zoneinfo" / "Europe" / "Rome").unlink()
    zones.refresh()

    assert (zones.version(), zones.zone("Europe/Rome")) == ("2099z", rome)


def test_an_unreadable_release_changes_nothing(shipped: Path) -> None:
    """What cannot be read is an error, and the release before goes on answering."""
    version, berlin = zones.version(), zones.zone("Europe/Berlin")
    (shipped / "zoneinfo" / "Europe" / "Berlin").write_bytes(b"nothing")

    with pytest.raises(ValueError, match="magic"):
        zones.refresh()
    assert (zones.version(), zones.zone("Europe/Berlin")) == (version, berlin)
