"""Debian packages that a command needs and installs where they are missing: on Debian and its kin, as root."""

import os
import shutil
from collections.abc import Mapping

from devtools import console, programs
from devtools.errors import ToolError

INSTALL_SECONDS = 25  # estimate, for all that any command here needs


def ensure(packages: Mapping[str, str], *, purpose: str) -> None:
    """Make sure that programs are there.

    Args:
        packages: package by program; a program is a name to be found on PATH, or a path.
        purpose: what needs them and root, as the beginning of a sentence.

    Raises:
        ToolError: they are not, and cannot be installed; says what to do.
    """
    if os.geteuid() != 0:
        raise ToolError(f"{purpose} needs root")
    missing = sorted({package for program, package in packages.items() if shutil.which(program) is None})
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise ToolError(f"{purpose} needs {', '.join(missing)}, and this machine has no apt-get to install them")
    with console.step(f"installing {', '.join(missing)}", INSTALL_SECONDS):
        programs.capture("apt-get", "update", "--quiet")
        programs.capture("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *missing)
