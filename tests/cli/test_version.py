"""The installed program, called as a user calls it."""

import subprocess
import sys
from pathlib import Path

import pytest

import interlock
from interlock.core.policies import zones


@pytest.mark.parametrize("program", ["interlock", "kubectl-interlock"])
def test_version_names_the_program_and_its_version(program: str) -> None:
    """Both names of the program print the package's version and the release of its time zones, nothing else."""
    done = subprocess.run([Path(sys.prefix) / "bin" / program, "version"], capture_output=True, text=True, check=True)

    expected = f"interlock {interlock.__version__}\ntzdata {zones.version()}\n"
    assert (done.stdout, done.stderr) == (expected, "")
