"""`hack/test`: the project's tests in suites, each of which makes everything that it needs and leaves nothing behind.

    hack/test                        all suites but the long ones
    hack/test unit cluster           these two
    hack/test unit -- -k windows     what follows `--` is for pytest

A suite that fails does not stop the next one; the last lines say what became of each. With INTERLOCK_KUBECONFIG set,
cluster tests run on that cluster as it is, and suites that bring up one of their own are left out, which is said.
"""

import argparse
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from devtools.errors import ToolError
from devtools.suites import SUITES, Suite

GIVEN_CLUSTER = "INTERLOCK_KUBECONFIG"
POLITE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED = 130  # exit code 128 + SIGINT, as shells have it


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a suite.

    Attributes:
        name: the suite's.
        verdict: `passed`, `failed` or `left out`.
        seconds: how long it took.
        reason: why it failed or was left out.
    """

    name: str
    verdict: str
    seconds: float = 0.0
    reason: str = ""

    def __str__(self) -> str:
        return f"suite {self.name:<8} {self.verdict:<8} {self.seconds:6.1f} s  {self.reason}".rstrip()


def main(arguments: Sequence[str], suites: Sequence[Suite] = SUITES) -> int:
    """Run the suites that the arguments name, or all but the long ones, and return the exit code."""
    chosen, for_pytest = _parse(arguments, suites)
    try:
        with _every_end_an_interrupt():
            outcomes = [_run(suite, for_pytest) for suite in chosen]
    except KeyboardInterrupt:
        print("interrupted; everything that was started has been stopped", flush=True)
        return INTERRUPTED
    print(*outcomes, sep="\n", flush=True)
    return 1 if any(outcome.verdict == "failed" for outcome in outcomes) else 0


def _parse(arguments: Sequence[str], suites: Sequence[Suite]) -> tuple[list[Suite], list[str]]:
    names = [suite.name for suite in suites]
    usage = f"hack/test [{' | '.join(names)} | all]... [-- PYTEST-ARGUMENT...]"
    parser = argparse.ArgumentParser(usage=usage, description="Run the project's tests, all suites or some.")
    parser.add_argument("suites", nargs="*")
    ours, for_pytest = _split(arguments)
    asked = parser.parse_args(ours).suites
    if unknown := sorted(set(asked) - {*names, "all"}):
        parser.error(f"got {', '.join(unknown)}, expected any of {', '.join(names)}, all")
    everything = not asked or "all" in asked
    return [suite for suite in suites if suite.name in asked or (everything and not suite.long)], for_pytest


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Ours, and what follows the first `--`."""
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    return list(arguments[:cut]), list(arguments[cut + 1 :])


def _run(suite: Suite, for_pytest: Sequence[str]) -> Outcome:
    if suite.own_cluster and os.environ.get(GIVEN_CLUSTER):
        return Outcome(
            name=suite.name, verdict="left out", reason=f"needs its own cluster; {GIVEN_CLUSTER} gives another"
        )
    print(f"\n=== suite {suite.name}", flush=True)
    started = time.monotonic()
    try:
        suite.run(for_pytest)
    except ToolError as failure:
        print(failure, getattr(failure, "output", ""), sep="\n", flush=True)
        reason = str(failure).partition("\n")[0]
        return Outcome(name=suite.name, verdict="failed", seconds=time.monotonic() - started, reason=reason)
    return Outcome(name=suite.name, verdict="passed", seconds=time.monotonic() - started)


@contextmanager
def _every_end_an_interrupt() -> Iterator[None]:
    """Take each polite request to end like Ctrl-C: the running suite gives back what it has."""
    handlers = {number: signal.signal(number, signal.default_int_handler) for number in POLITE}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
