"""What building needs: root on Debian or its kin, buildah and mmdebstrap, which are installed if absent."""

import os
import shutil

from devtools import console, programs
from devtools.errors import ToolError

NEEDED = ("buildah", "mmdebstrap")


def ensure() -> None:
    """Make sure that what building needs is there.

    Raises:
        ToolError: it is not, and cannot be installed; says what to do.
    """
    if os.geteuid() != 0:
        raise ToolError("building an image needs root: image layers hold files of several owners")
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise ToolError(
            f"building an image needs {', '.join(missing)}, and this machine has no apt-get to install them"
        )
    with console.step(f"installing {', '.join(missing)}", 25):
        programs.capture("apt-get", "update", "--quiet")
        programs.capture("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *missing)
