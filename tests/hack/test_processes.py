"""Processes of a cluster: bound to their starter, recorded, found again, ended, and never mistaken for others."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from devtools import launch
from devtools.cluster import processes
from devtools.cluster.processes import Record
from devtools.cluster.state import State
from devtools.venv import ROOT
from tests.hack.clusters import eventually

SLEEP = ["sleep", "600"]
STARTER = """
import subprocess, sys
from pathlib import Path
from devtools import launch
child = subprocess.Popen(launch.command(["sleep", "600"], record=Path(sys.argv[1])))
child.wait()
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """The state of a cluster without processes; all that a test starts in its name is ended."""
    made = State(directory=tmp_path / "one")
    made.create()
    yield made
    processes.kill_all(made)


def recorded(state: State, name: str) -> Record:
    """The record of a process, once it is written."""
    path = state.processes / f"{name}.json"
    eventually(path.exists, f"{path} is written")
    return Record(name=name, **orjson.loads(path.read_bytes()))


def test_program_is_killed_when_its_starter_is(state: State) -> None:
    """SIGKILL leaves a starter no time for anything, so the kernel sees to it."""
    record = state.processes / "sleep.json"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "hack")}
    with subprocess.Popen([sys.executable, "-c", STARTER, record], env=environment) as starter:
        sleeping = recorded(state, "sleep")
        assert sleeping.alive
        starter.send_signal(signal.SIGKILL)
    eventually(lambda: not sleeping.alive, "the program has ended")


def test_daemon_outlives_its_starter_in_a_session_of_its_own(state: State) -> None:
    """The command that starts a daemon ends at once; the record tells where the daemon is."""
    command = launch.daemon(SLEEP, record=state.processes / "sleep.json")
    subprocess.run(command, env=processes.environment(state), check=True)
    sleeping = recorded(state, "sleep")

    assert (sleeping.alive, sleeping.command, os.getsid(sleeping.pid)) == (True, SLEEP, sleeping.pid)


def test_all_that_belongs_to_a_cluster_is_ended_and_nothing_else(state: State) -> None:
    """By record, by session and by marker; a process that only has the id of an old record is left alone."""
    marked = processes.environment(state)
    shell = ["sh", "-c", "env -u INTERLOCK_CLUSTER sleep 600; true"]
    with (
        subprocess.Popen(SLEEP) as stranger,
        subprocess.Popen(SLEEP, env=marked) as by_marker,
        subprocess.Popen(processes.command(state, "shell", shell), start_new_session=True) as by_record,
    ):
        _write(state, "old", stranger.pid, started=1)
        leader = recorded(state, "shell")
        eventually(lambda: len(_session(leader.pid)) > 1, "the shell has started its command")
        in_session = _session(leader.pid)
        processes.kill_all(state)
        lives = [_lives(each.pid) for each in (stranger, by_marker, by_record)]
        for each in (stranger, by_marker, by_record):
            each.kill()

    assert lives == [True, False, False]
    assert [pid for pid in in_session if _lives(pid)] == []


def test_session_is_found_after_its_leader_has_ended(state: State) -> None:
    """What a dead process has left running is the cluster's still."""
    shell = ["sh", "-c", "env -u INTERLOCK_CLUSTER sleep 600 & true"]
    subprocess.run(processes.command(state, "shell", shell), start_new_session=True, check=True)
    leader = recorded(state, "shell")
    left = _session(leader.pid)
    processes.kill_all(state)

    assert (leader.alive, len(left), [pid for pid in left if _lives(pid)]) == (False, 1, [])


def test_record_that_was_cut_off_is_passed_over(state: State) -> None:
    """A process that was killed while it wrote its record does not keep the others from being ended."""
    (state.processes / "cut.json").write_text('{"pid": 1')

    assert processes.records(state) == []


def test_environment_holds_nothing_of_the_user(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """No home and no credentials: only where programs are, how text and time are shown, and the marker."""
    monkeypatch.setattr(os, "environ", {"PATH": "/bin", "HOME": "/root", "KUBECONFIG": "/x", "LANG": "C", "TZ": "UTC"})

    assert processes.environment(state, EXTRA="1") == {
        "PATH": "/bin",
        "LANG": "C",
        "TZ": "UTC",
        "INTERLOCK_CLUSTER": str(state.directory),
        "EXTRA": "1",
    }


def _write(state: State, name: str, pid: int, started: int) -> None:
    content = {"pid": pid, "started": started, "command": SLEEP}
    (state.processes / f"{name}.json").write_bytes(orjson.dumps(content))


def _session(leader: int) -> list[int]:
    """The living processes of a session."""
    pids = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]
    return [pid for pid in pids if _lives(pid) and int(launch.stat(pid)[3]) == leader]


def _lives(pid: int) -> bool:
    fields = launch.stat(pid)
    return bool(fields) and fields[0] != "Z"
