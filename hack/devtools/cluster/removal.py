"""The end of a cluster: every process, what it changed of the machine, what others run for it, then every file.

It works on whatever is there, whole or half.
"""

import contextlib
import shutil

from devtools.cluster import kind, processes
from devtools.cluster.node import machine
from devtools.cluster.state import State


def remove(state: State) -> None:
    """End all processes of a cluster and remove its directory, and the ones above it that are ours and empty.

    Raises:
        ToolError: a process could not be ended, or a cluster of kind not be deleted.
    """
    processes.kill_all(state)
    machine.restore(state)
    kind.remove(state)
    shutil.rmtree(state.directory, ignore_errors=True)  # a second one, at the same time, is no reason to fail
    for parent in state.directory.parents[:2]:
        with contextlib.suppress(OSError):  # another cluster lies there
            parent.rmdir()


def forget_processes(state: State) -> None:
    """Remove what processes have left behind that were all killed: their records, and what pods had on disk."""
    for record in state.processes.glob("*.json"):
        record.unlink()
    for directory in state.pods.iterdir():
        if "." in directory.name:  # namespace.name: a pod of ours
            shutil.rmtree(directory)
