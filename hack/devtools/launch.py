"""Starts a program that is tied to the life of the process that asked for it, or to nobody's, and can be found again.

Run as a script, it stands between parent and program: it asks the kernel for a signal on the parent's death, writes
down who it is, and *becomes* the program by exec, which keeps process id, start time and that request. So the record
exists before the first instruction of the program runs, whatever happens to the parent in between.

    python -I -S launch.py PARENT RECORD -- PROGRAM ARGUMENT...

RECORD may be empty: none is written. With PARENT 0 the program becomes a daemon, in a session of its own and nobody's
child, and the script's first process ends. The signal is SIGKILL: others may be ignored, as SIGINT is by what a shell
has put into the background. Linux only. The kernel forgets the request when a program changes its user, which none of
ours does.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
START_TIME_FIELD = 22  # proc(5): the process's start, in clock ticks since boot; 1-based
FIRST_FIELD_AFTER_NAME = 3  # the name, field 2, may itself hold spaces and parentheses


def command(program: list[str], *, record: Path | None = None) -> list[str]:
    """The command line that starts `program` bound to this process: it is killed when this process ends.

    Args:
        program: the program and its arguments; it is looked up on the PATH of the environment it is given.
        record: where to write process id and start time.
    """
    return _through_here(os.getpid(), record, program)


def daemon(program: list[str], *, record: Path) -> list[str]:
    """The command line that starts `program` as a daemon and ends at once.

    Args:
        program: the program and its arguments.
        record: where to write process id and start time.
    """
    return _through_here(0, record, program)


def _through_here(parent: int, record: Path | None, program: list[str]) -> list[str]:
    return [sys.executable, "-I", "-S", __file__, str(parent), str(record or ""), "--", *program]


def start_time(pid: int) -> int | None:
    """When a process started, in clock ticks since boot, or None where there is no such process.

    Together with the process id it names a process for good: ids are reused, the pair is not.
    """
    fields = stat(pid)
    return int(fields[START_TIME_FIELD - FIRST_FIELD_AFTER_NAME]) if fields else None


def stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third (state) on; empty where there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()


def main() -> None:
    """Bind this process to its parent, or to nobody, record it, and become the program."""
    cut = sys.argv.index("--")
    parent, record, program = int(sys.argv[1]), sys.argv[cut - 1], sys.argv[cut + 1 :]
    if parent:
        _bind(parent)
    else:
        _detach()
    if record:
        _write(Path(record), {"pid": os.getpid(), "started": start_time(os.getpid()), "command": program})
    try:
        os.execvp(program[0], program)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.exit(f"{program[0]}: {error.strerror}")


def _bind(parent: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we could ask
        sys.exit(1)


def _detach() -> None:
    if os.fork():
        os._exit(0)
    os.setsid()


def _write(path: Path, value: object) -> None:
    scratch = path.with_suffix(".tmp")
    scratch.write_text(json.dumps(value))
    scratch.rename(path)


if __name__ == "__main__":
    main()
