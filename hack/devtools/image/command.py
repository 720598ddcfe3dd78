"""The command line of hack/image."""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from devtools import console
from devtools.errors import ToolError
from devtools.image import build, parts, storage


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say and return the exit code."""
    parser = argparse.ArgumentParser(prog="hack/image", description="Interlock's container image.")
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="build the checkout's image and print its tag")
    building.add_argument("--output", type=Path, metavar="FILE", help="also write the archive there")
    building.add_argument("--parts", action="store_true", help="also say what it consists of")
    chosen = parser.parse_args(arguments)
    try:
        made = build.ensure()
        if chosen.output:
            shutil.copyfile(made.archive, chosen.output)
        if chosen.parts:
            with storage.mounted(made.tag) as root:
                print(*parts.of(root), sep="\n")
    except ToolError as failed:
        console.say(f"{failed}\n{getattr(failed, 'output', '')}")
        return 1
    print(made.tag)
    return 0
