"""`hack/update`: makes again what is made from something else, so that `hack/verify` has nothing to say about it."""

import argparse
import os
from collections.abc import Callable, Sequence

from devtools import cluster, console, generated, locks, programs
from devtools.errors import ToolError
from devtools.venv import INTERPRETER, ROOT, VENV


def main(arguments: Sequence[str]) -> int:
    """Update what the arguments name, or everything, and return the exit code."""
    parser = argparse.ArgumentParser(prog="hack/update", description=__doc__)
    parser.add_argument(
        "what",
        nargs="*",
        metavar="WHAT",
        help=f"any of {', '.join(UPDATES)}; default: all but {' and '.join(ONLY_IF_NAMED)}",
    )
    chosen = parser.parse_args(arguments).what or [name for name in UPDATES if name not in ONLY_IF_NAMED]
    if unknown := [name for name in chosen if name not in UPDATES]:
        parser.error(f"got {', '.join(unknown)}, expected any of {', '.join(UPDATES)}")
    try:
        for name in chosen:
            with console.step(f"update {name}"):
                UPDATES[name]()
    except ToolError as failed:
        console.say(str(failed))
        return 1
    return 0


def _format() -> None:
    ruff = VENV / "bin" / "ruff"
    programs.run(ruff, "format", "--quiet", ".")
    programs.run(ruff, "check", "--fix", ".")


def _generated() -> None:
    for artifact in generated.stale():
        artifact.write()
        console.say(f"    {artifact.path.relative_to(ROOT)}")


def _requirements() -> None:
    for lock in locks.LOCKS:
        lock.resolve(upgrade=False)


def _upgrade() -> None:
    for lock in locks.LOCKS:
        lock.resolve(upgrade=True)


def _vectors() -> None:
    name = f"vectors-{os.getpid()}"
    try:
        up = cluster.up(name, "local", bare=True)
        programs.run(INTERPRETER, "-m", "tests.vectors.record", environment=up.environment)
    finally:
        cluster.down(name)


ONLY_IF_NAMED = ("upgrade", "vectors")  # the one changes what is relied on, the other takes a cluster

UPDATES: dict[str, Callable[[], None]] = {
    "generated": _generated,
    "requirements": _requirements,
    "format": _format,
    "upgrade": _upgrade,
    "vectors": _vectors,
}
