"""The real kubectl, as a user runs it, against the cluster that the suite was given."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import orjson

from interlock.core.types import JsonObject

COMMAND_SECONDS = 60.0  # a kubectl call that takes longer is hung
T = TypeVar("T")

POLL_SECONDS = 0.1  # between two looks at something that is about to happen


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one command did: exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.code == 0

    def json(self) -> JsonObject:
        """Standard output as an object."""
        found: JsonObject = orjson.loads(self.out)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubectl:
    """Runs kubectl with one kubeconfig.

    Attributes:
        program: which kubectl; the pinned one by default.
    """

    kubeconfig: str
    program: str = "kubectl"

    def __call__(self, *arguments: str, stdin: str = "") -> Outcome:
        """Run it; the outcome is returned, whatever it is."""
        command = [self.program, "--kubeconfig", self.kubeconfig, *arguments]
        done = subprocess.run(
            command, input=stdin, check=False, text=True, capture_output=True, timeout=COMMAND_SECONDS
        )
        return Outcome(code=done.returncode, out=done.stdout, err=done.stderr)

    def must(self, *arguments: str, stdin: str = "") -> Outcome:
        """Run it where only success makes sense."""
        outcome = self(*arguments, stdin=stdin)
        assert outcome.ok, f"kubectl {' '.join(arguments)}: {outcome.err}"
        return outcome

    def get(self, *arguments: str) -> JsonObject:
        """``kubectl get … -o json``."""
        return self.must("get", *arguments, "-o", "json").json()

    def apply(self, document: JsonObject) -> Outcome:
        """``kubectl apply -f -`` of one object."""
        return self.must("apply", "-f", "-", stdin=orjson.dumps(document).decode())


def eventually(look: Callable[[], T], *, seconds: float, what: str) -> T:
    """Poll until `look` gives something truthy; fails saying what was waited for and what was last seen."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s; last seen: {seen!r}"
        time.sleep(POLL_SECONDS)
    return seen
