"""The images on a node: Interlock's own, and one for everything that is only there to run.

There is no registry. A pod that asks for `simulated:1` gets a container that does nothing, ends when it is told, and
has the usual commands for `kubectl exec`; the same holds the namespaces of every pod.
"""

from dataclasses import dataclass
from pathlib import Path

from devtools import packages, toolcache
from devtools.image import bases, build, storage

WORKLOAD = "docker.io/library/simulated:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """Archives to import.

    Attributes:
        archives: by the name under which pods ask for the image.
        interlock: that of Interlock; empty if it is not among them.
    """

    archives: dict[str, Path]
    interlock: str = ""


def ensure(*, bare: bool) -> Images:
    """Build what is not there.

    Args:
        bare: without Interlock.

    Raises:
        ToolError: something cannot be built on this machine.
    """
    archives = {WORKLOAD: _workload()}
    if bare:
        return Images(archives=archives)
    made = build.ensure()
    return Images(archives=archives | {made.tag: made.archive}, interlock=made.tag)


def _workload() -> Path:
    archive = toolcache.place("workload", bases.WORKS.recipe).with_suffix(".tar")
    if not archive.exists():
        packages.ensure(storage.PACKAGES, purpose="building an image")
        storage.save(bases.WORKS.ensure(), archive, name=WORKLOAD)
    return archive
