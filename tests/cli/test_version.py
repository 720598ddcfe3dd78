"""The installed program, called as a user calls it."""

import subprocess
import sys
from pathlib import Path

import pytest

import interlock


@pytest.mark.parametrize("program", ["interlock", "kubectl-interlock"])
def test_version_names_the_program_and_its_version(program: str) -> None:
    """Both names of the program print the package's version and nothing else."""
    done = subprocess.run([Path(sys.prefix) / "bin" / program, "version"], capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == (f"interlock {interlock.__version__}\n", "")
