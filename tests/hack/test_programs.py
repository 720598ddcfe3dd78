"""Running programs: what a failure carries, and what an interrupt does."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from devtools import programs
from devtools.venv import ROOT

TIDIES_UP = """
import pathlib, sys, time
try:
    print("ready", flush=True)
    time.sleep(60)
finally:
    pathlib.Path(sys.argv[1]).write_text("tidy")
"""

RUNS_IT = """
import sys
from devtools import programs
programs.run(sys.executable, "-c", sys.argv[1], sys.argv[2])
"""


def test_failure_names_command_code_and_output() -> None:
    """Everything that is needed to say what went wrong is in the exception."""
    with pytest.raises(programs.FailedError) as failure:
        programs.capture(sys.executable, "-c", "import sys; print('out'); sys.exit('err')")

    found = (failure.value.command.startswith(sys.executable), failure.value.code, failure.value.output)
    assert found == (True, 1, "out\nerr\n")


def test_interrupt_reaches_the_program_and_waits_until_it_has_tidied_up(tmp_path: Path) -> None:
    """An interrupted run ends only after the program it runs has given back what it has."""
    mark = tmp_path / "mark"
    command = [sys.executable, "-c", RUNS_IT, TIDIES_UP, str(mark)]
    with subprocess.Popen(
        command, cwd=ROOT / "hack", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)

        assert mark.read_text() == "tidy"
