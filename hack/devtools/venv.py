"""The checkout's virtual environment, `.venv`: made on first use, brought up to date when its inputs change.

Every executable in hack/ begins with `enter()`. It costs milliseconds when nothing changed: the environment carries a
stamp, the digest of everything that decides its contents, written last, so that an interrupted installation is
repaired by the next run. Runs side by side wait for each other.

Packages come from requirements/dev.txt only, each checked against its recorded hash; Interlock itself is installed
editable. Packages that are no longer required are not removed; deleting `.venv` is always safe.
"""

import fcntl
import hashlib
import json
import os
import platform
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devtools import console

OLDEST_PYTHON = (3, 11)
INSTALL_SECONDS = 40  # estimate shown to the user: all packages over an ordinary line

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
INTERPRETER = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "requirements" / "dev.txt"
PYPROJECT = ROOT / "pyproject.toml"
STAMP = VENV / "interlock-stamp.json"


def enter() -> None:
    """Make sure that the running script runs inside `.venv`, starting it again there if it does not.

    Raises:
        SystemExit: this Python is too old, or the environment could not be made.
    """
    interpreter = ensure()
    if Path(sys.prefix) != VENV:
        os.execv(interpreter, [str(interpreter), *sys.argv])  # noqa: S606 - the interpreter just made, no shell


def ensure() -> Path:
    """Bring `.venv` up to date and return its interpreter.

    Raises:
        SystemExit: this Python is too old, or an installation step failed; pip has said why.
    """
    if sys.version_info < OLDEST_PYTHON:
        raise SystemExit(f"Python {platform.python_version()} is too old: Interlock needs 3.11 or newer")
    wanted = _stamp()
    if _installed() == wanted:
        return INTERPRETER
    VENV.mkdir(exist_ok=True)
    with _locked(VENV):
        found = _installed()
        if found != wanted:
            _install(wanted, found)
    return INTERPRETER


def _stamp() -> dict[str, str]:
    """What the environment depends on: where it stands, the Python it is made of, the packages, our own metadata."""
    metadata = tomllib.loads(PYPROJECT.read_text())
    packaging = [metadata["build-system"], metadata["project"], metadata["tool"]["hatch"]]
    return {
        "place": str(VENV),
        "python": sys.version,
        "requirements": hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest(),
        "packaging": hashlib.sha256(json.dumps(packaging).encode()).hexdigest(),
    }


def _installed() -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(STAMP.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found


def _install(wanted: dict[str, str], found: dict[str, str]) -> None:
    same_python = all(found.get(key) == wanted[key] for key in ("place", "python"))
    with console.step(f"Python environment in {VENV.name}", INSTALL_SECONDS):
        STAMP.unlink(missing_ok=True)
        if not same_python:
            _run(_base_interpreter(), "-m", "venv", "--clear", VENV)
        _pip("--require-hashes", "-r", REQUIREMENTS)
        _pip("--no-deps", "--no-build-isolation", "--editable", ROOT)
        STAMP.write_text(json.dumps(wanted, indent=2) + "\n")


def _base_interpreter() -> str:
    """The Python that `.venv` is made of, also when the running one is `.venv`'s own."""
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")


def _pip(*arguments: str | Path) -> None:
    _run(INTERPRETER, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", *arguments)


def _run(*command: str | Path) -> None:
    if code := subprocess.run(command, check=False).returncode:
        raise SystemExit(f"exit code {code} from: {' '.join(map(str, command))}")


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold the directory for this process alone; the kernel lets go of it however the process ends."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
