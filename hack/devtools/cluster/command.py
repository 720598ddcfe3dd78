"""The command line of hack/cluster."""

import argparse
import signal
import sys
from types import FrameType
from typing import get_args

from devtools import cluster, console
from devtools.cluster.providers import Asked
from devtools.errors import ToolError

ENDING = (signal.SIGTERM, signal.SIGHUP)  # like Ctrl-C, they end `up` with everything that it started


def main() -> int:
    """Do what the command line asks; return the exit code."""
    options = _parser().parse_args()
    for each in ENDING:
        signal.signal(each, _leave)
    try:
        return {"up": _up, "restart": _restart, "down": _down, "status": _status}[options.command](options)
    except ToolError as error:
        console.say(f"error: {error}")
    except KeyboardInterrupt:
        console.say("interrupted")
    return 1


def _up(options: argparse.Namespace) -> int:
    made = cluster.up(options.name, options.provider, bare=options.bare)
    print("\n".join(made.exports))
    return 0


def _restart(options: argparse.Namespace) -> int:
    cluster.restart(options.name)
    console.say(f"Cluster {options.name} is up again.")
    return 0


def _down(options: argparse.Namespace) -> int:
    there = cluster.down(options.name)
    console.say(f"Cluster {options.name} is gone." if there else f"There is no cluster {options.name}.")
    return 0


def _status(options: argparse.Namespace) -> int:
    good, lines = cluster.report(options.name)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a reader such as head may have seen enough
    print("\n".join(lines))
    return 0 if good else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hack/cluster",
        description="A Kubernetes control plane on this machine, with Interlock in it.",
        epilog='Use it in a shell: eval "$(hack/cluster up)"',
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring a cluster up; the last two lines printed are for your shell")
    up.add_argument("--bare", action="store_true", help="without Interlock")
    up.add_argument(
        "--provider",
        choices=get_args(Asked),
        default="auto",
        help="auto uses the cluster that INTERLOCK_KUBECONFIG names, if set, and else makes one: node, a real one, "
        "which needs root and changes this machine until `down`, if INTERLOCK_NODE is 1; kind, where Docker and kind "
        "are; and otherwise local, with a simulated node",
    )
    restart = commands.add_parser("restart", help="kill its processes and start them again on what was stored")
    down = commands.add_parser("down", help="end its processes and remove its files")
    status = commands.add_parser("status", help="show each process; exit code 1 if not all is up")
    for each in (up, restart, down, status):
        each.add_argument("--name", default="interlock", help="which cluster (default: interlock)")
    return parser


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
