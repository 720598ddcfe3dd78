"""The command: brings up a cluster of its own, has a demonstration played on it, and takes the cluster down again."""

import argparse
import os
import time
from collections.abc import Callable, Mapping, Sequence

from devtools import cluster, console
from devtools.cluster import Cluster
from devtools.demo import backdoors, play, rbac
from devtools.demo.stage import Stage
from devtools.errors import ToolError

DEMONSTRATIONS: Mapping[str, Callable[[Stage, Cluster], None]] = {
    "main": play.play,
    "backdoors": lambda stage, _: backdoors.play(stage),
    "rbac": lambda stage, _: rbac.play(stage),
}


def main(arguments: Sequence[str]) -> int:
    """Show what the arguments name; 1 if something came out differently than expected."""
    parser = argparse.ArgumentParser(prog="hack/demo", description=__doc__)
    parser.add_argument("which", nargs="?", choices=DEMONSTRATIONS, default="main", help="default: main")
    chosen = parser.parse_args(arguments).which
    name = f"demo-{os.getpid()}"
    try:
        up = cluster.up(name, cluster.for_programs())
        stage = Stage(environment=up.environment, scratch=up.state)
        DEMONSTRATIONS[chosen](stage, up)
        print(f"\n# That was everything, in {time.monotonic() - stage.started:.0f} s after installation.", flush=True)
    except ToolError as error:
        console.say(f"demo: {error}")
        return 1
    finally:
        cluster.down(name)
    return 0
