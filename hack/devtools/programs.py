"""Running other programs from the checkout's root.

A program that fails is an exception that carries what it printed, so that no caller has to look at exit codes. One that
has the terminal is told of an interrupt exactly once, by us and not by the terminal, and is waited for: it may have a
cluster to take down.
"""

import shlex
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from devtools.errors import ToolError
from devtools.venv import ROOT

TIDYING_SECONDS = 90  # what an interrupted program may take to give back what it has, a cluster for example


class FailedError(ToolError):
    """A program ended with a non-zero exit code.

    Attributes:
        command: the command line, quoted for a shell.
        code: the exit code.
        output: what it printed, both streams in order; empty where that went to the terminal.
    """

    def __init__(self, *, command: str, code: int, output: str) -> None:
        super().__init__(f"exit code {code} from: {command}")
        self.command = command
        self.code = code
        self.output = output


def run(*command: str | Path, environment: Mapping[str, str] | None = None) -> None:
    """Run a program whose output goes where ours goes.

    Raises:
        FailedError: its exit code is not zero.
    """
    # A process group of its own: the terminal's Ctrl-C reaches us alone, as a SIGTERM does.
    process = subprocess.Popen(command, cwd=ROOT, env=environment, process_group=0)
    try:
        code = process.wait()
    except KeyboardInterrupt:
        _interrupt(process)
        raise
    _require_success(command, code, "")


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(TIDYING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def capture(*command: str | Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a program and return what it printed, both streams in order.

    Raises:
        FailedError: its exit code is not zero.
    """
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    _require_success(command, done.returncode, done.stdout)
    return done.stdout


def _require_success(command: tuple[str | Path, ...], code: int, output: str) -> None:
    if code:
        raise FailedError(command=shlex.join(map(str, command)), code=code, output=output)
