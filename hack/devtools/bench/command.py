"""The command line of hack/bench."""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType

from devtools import console
from devtools.bench import admission, ledger, ledgerreport, report
from devtools.errors import ToolError

SECONDS = 3.0  # of one run: thousands of reviews, and all runs together stay well under ten minutes
ENDING = (signal.SIGTERM, signal.SIGHUP)  # like Ctrl-C, they take the cluster down
MEASURES: dict[tuple[str, str], Callable[[float], str]] = {
    ("admission", "table"): lambda seconds: report.table(admission.measure(seconds)),
    ("admission", "json"): lambda seconds: report.as_json(admission.measure(seconds)),
    ("ledger", "table"): lambda seconds: ledgerreport.table(ledger.measure(seconds)),
    ("ledger", "json"): lambda seconds: ledgerreport.as_json(ledger.measure(seconds)),
}


def main(arguments: Sequence[str]) -> int:
    """Measure, print to standard output, and return the exit code."""
    options = _parser().parse_args(arguments)
    for each in ENDING:
        signal.signal(each, _leave)
    try:
        print(MEASURES[options.command, options.output](options.seconds))
    except ToolError as error:
        console.say(f"error: {error}")
    except KeyboardInterrupt:
        console.say("interrupted")
    else:
        return 0
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hack/bench", description="What Interlock costs, measured on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    for command in (
        commands.add_parser("admission", help="what a review costs, beside a server that decides nothing"),
        commands.add_parser(
            "ledger", help="what a durable record costs, beside a bare write; how fast logs are verified"
        ),
    ):
        command.add_argument("--output", choices=("table", "json"), default="table", help="default: table")
        command.add_argument("--seconds", type=float, default=SECONDS, help=f"of each run (default: {SECONDS:.0f})")
    return parser


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
