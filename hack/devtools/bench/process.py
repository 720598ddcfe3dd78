"""A process as the kernel sees it: which cores it may use, how much of them it used, how much memory it holds."""

import os
from dataclasses import dataclass
from pathlib import Path

from devtools import launch
from devtools.errors import ToolError

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_USER, _SYSTEM = 14 - launch.FIRST_FIELD_AFTER_NAME, 15 - launch.FIRST_FIELD_AFTER_NAME  # proc(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cores:
    """How the machine is shared out.

    Attributes:
        measured: the one core of what is measured.
        rest: those of everything else: load generator, API server, etcd, ourselves.
    """

    measured: int
    rest: frozenset[int]


def cores() -> Cores:
    """Share out the cores that this process may use.

    Raises:
        ToolError: there is only one.
    """
    first, *rest = sorted(os.sched_getaffinity(0))
    if not rest:
        raise ToolError("cores: got one, expected two or more: one for what is measured, the others for the load")
    return Cores(measured=first, rest=frozenset(rest))


def pin(pid: int, to: frozenset[int]) -> None:
    """Keep a process, all of its threads and those that they start, on these cores."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), to)


def pin_self(to: frozenset[int]) -> None:
    """Keep this process, and what it starts from now on, on these cores."""
    os.sched_setaffinity(0, to)


def cpu_seconds(pid: int) -> float:
    """What all threads of a process have used so far, user and system.

    Raises:
        ToolError: it has ended.
    """
    fields = launch.stat(pid)
    if not fields:
        raise ToolError(f"process {pid}, which is being measured, has ended")
    return (int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS


def resident_bytes(pid: int) -> int:
    """How much memory it holds now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
