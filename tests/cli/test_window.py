"""`interlock window`, on policies of a file and as kubectl lists them."""

import stat
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
import yaml
from typer.testing import CliRunner, Result

from interlock.cli.main import app
from interlock.core.policies import zones
from interlock.core.types import JsonObject
from tests.support import policies
from tests.support.policies import SOUND, changed

NIGHTS = {
    "timeZone": "Europe/Berlin",
    "allow": [
        {"name": "nights", "weekly": {"days": ["Tue"], "start": "22:00", "end": "02:00"}, "overrun": {"grace": "30m"}}
    ],
    "freeze": [{"name": "winter", "once": {"start": "2026-12-20T00:00:00+01:00", "end": "2027-01-07T00:00:00+01:00"}}],
}
WINDOWED = policies.policy(changed(SOUND, {"windows": NIGHTS, "verdict": "Warn"}), name="nights")
PLAIN = policies.policy(SOUND, name="plain")
BROKEN = policies.policy(changed(SOUND, {"windows": {"timeZone": "Europe/Berlin", "cron": "* * * * *"}}), name="broken")
OPEN = policies.policy(
    changed(SOUND, {"mode": "Observe", "verdict": None, "windows": {"timeZone": "UTC", "freeze": NIGHTS["freeze"]}}),
    name="open",
)

TZDATA = f"time zones: tzdata {zones.version()}"


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has kubectl list some policies."""

    def listing(*stored: JsonObject) -> None:
        (tmp_path / "stored.json").write_bytes(orjson.dumps({"items": stored}))
        program = tmp_path / "kubectl"
        program.write_text(f"#!/bin/sh\ncat {tmp_path}/stored.json\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    return listing


def run(*arguments: str, stdin: JsonObject | None = None) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["window", *arguments], input=yaml.safe_dump(stdin) if stdin else None)


def test_closed(kubectl: Callable[..., None]) -> None:
    """Of policies with windows it says open or closed, why, what follows, and what comes next in the policy's zone."""
    kubectl(WINDOWED, PLAIN)
    found = run("--at", "2026-12-22T23:00")

    assert (found.exit_code, found.stdout.splitlines()) == (
        3,
        [
            "nights: closed (frozen by winter)",
            "  at      Tue 2026-12-22 23:00 Europe/Berlin (2026-12-22T22:00:00Z)",
            "  yields  Deny",
            "  opens   Tue 2027-01-12 22:00 Europe/Berlin (2027-01-12T21:00:00Z), 20 d 23 h later",
            "  closes  Wed 2027-01-13 02:00 Europe/Berlin (2027-01-13T01:00:00Z), 21 d 3 h later",
            TZDATA,
        ],
    )


def test_open_in_another_zone(kubectl: Callable[..., None]) -> None:
    """With a zone, times are read and shown by it; what comes first stands first, and what does not come is said."""
    kubectl(WINDOWED, OPEN)
    found = run("open", "nights", "--at", "2027-01-13T06:00", "--zone", "Asia/Tokyo")

    assert (found.exit_code, found.stdout.splitlines()) == (
        0,
        [
            "nights: open (inside nights)",
            "  at      Wed 2027-01-13 06:00 Asia/Tokyo (2027-01-12T21:00:00Z)",
            "  yields  Warn",
            "  closes  Wed 2027-01-13 10:00 Asia/Tokyo (2027-01-13T01:00:00Z), 4 h 0 min later",
            "  opens   Wed 2027-01-20 06:00 Asia/Tokyo (2027-01-19T21:00:00Z), 7 d 0 h later",
            "open: open (outside every freeze)",
            "  at      Wed 2027-01-13 06:00 Asia/Tokyo (2027-01-12T21:00:00Z)",
            "  yields  Nothing, mode Observe: nothing is stopped",
            "  opens   not in sight",
            "  closes  not in sight",
            TZDATA,
        ],
    )


def test_json_of_a_file(tmp_path: Path) -> None:
    """A file that is not applied yet is answered for as well, for programs."""
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump_all([PLAIN, WINDOWED]))
    found = run("nights", "-f", str(tmp_path / "policy.yaml"), "--at", "2027-01-12T21:30:00Z", "-o", "json")

    assert (found.exit_code, orjson.loads(found.stdout)) == (
        0,
        {
            "tzdata": zones.version(),
            "policies": [
                {
                    "policy": "nights",
                    "mode": "Enforce",
                    "at": "2027-01-12T21:30:00Z",
                    "open": True,
                    "why": "inside nights",
                    "active": ["nights"],
                    "yields": "Warn",
                    "overrunSince": "2027-01-12T21:00:00Z",
                    "timeZone": "Europe/Berlin",
                    "nextOpening": "2027-01-19T21:00:00Z",
                    "nextClosing": "2027-01-13T01:00:00Z",
                    "error": None,
                }
            ],
        },
    )


def test_instants_without_quotes_are_texts() -> None:
    """A file is read as kubectl reads it: an instant is a text, quoted or not."""
    text = yaml.safe_dump(WINDOWED).replace("'2026-12-20T00:00:00+01:00'", "2026-12-20T00:00:00+01:00")
    found = CliRunner().invoke(app, ["window", "-f", "-", "--at", "2027-01-12T21:30:00Z"], input=text)

    assert "start: 2026-12-20T00:00:00+01:00" in text
    assert found.stdout.splitlines()[0] == "nights: open (inside nights)"


def test_a_broken_policy_is_closed() -> None:
    """A policy that does not compile fails closed, and says with which field."""
    found = run("-f", "-", "--at", "2026-12-22T23:00", stdin=BROKEN)

    assert found.exit_code == 3
    assert found.stdout.splitlines()[:4] == [
        "broken: closed (the policy does not compile and fails closed)",
        "  at      Tue 2026-12-22 23:00 UTC (2026-12-22T23:00:00Z)",
        "  yields  Deny",
        "  error   spec.windows.cron: got an unknown field, expected one of timeZone, allow, freeze, outside",
    ]


def test_in_a_grace(kubectl: Callable[..., None]) -> None:
    """Closed, but within its grace, a window says which operations may go on."""
    kubectl(WINDOWED)
    found = run("--at", "2027-01-13T02:10")

    assert (found.exit_code, found.stdout.splitlines()[:4]) == (
        3,
        [
            "nights: closed (outside every allow window)",
            "  at      Wed 2027-01-13 02:10 Europe/Berlin (2027-01-13T01:10:00Z)",
            "  yields  Deny",
            "  grace   for what began after Tue 2027-01-12 22:00 Europe/Berlin (2027-01-12T21:00:00Z)",
        ],
    )


REFUSALS = {
    "a time that is none": (["--at", "tomorrow"], "--at: got tomorrow, expected RFC 3339"),
    "a time that comes twice": (
        ["--at", "2026-10-25T02:30"],
        (
            "--at: got 2026-10-25T02:30, which comes twice or never in Europe/Berlin, "
            "expected 2026-10-25T00:30:00Z or 2026-10-25T01:30:00Z"
        ),
    ),
    "an unknown zone": (["--zone", "Mars"], "--zone: got Mars, expected an IANA zone such as Europe/Berlin"),
    "an unknown policy": (["days"], "got days, expected names of policies: nights"),
    "no file": (["-f", "/nowhere.yaml"], "/nowhere.yaml: cannot be read as YAML"),
}


@pytest.mark.parametrize(("arguments", "says"), REFUSALS.values(), ids=REFUSALS.keys())
def test_refused(kubectl: Callable[..., None], arguments: list[str], says: str) -> None:
    """What cannot be answered is refused, naming what was got and what is expected."""
    kubectl(WINDOWED)
    found = run(*arguments)

    assert (found.exit_code, found.stdout, says in found.stderr) == (1, "", True)


def test_no_windows_at_all(kubectl: Callable[..., None]) -> None:
    """Without windows there is nothing to say, and nothing is closed."""
    kubectl(PLAIN)
    found = run()

    assert (found.exit_code, found.stdout.splitlines()) == (0, ["no policy has windows", TZDATA])
