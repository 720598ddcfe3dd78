"""The stage of a demonstration: commands as a user types them, what they really print, and what they have to."""

import shlex
import subprocess
import textwrap
import time
from dataclasses import dataclass, field
from pathlib import Path

from devtools.errors import ToolError

PATIENCE_SECONDS = 0.2  # between two looks at something that is about to happen
IN_FORCE_SECONDS = 30  # a policy is in force within two; this only bounds a demonstration that went wrong
SLOWEST_COMMAND_SECONDS = 120  # kubectl waits for nothing that takes longer here


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The environment in which commands run, and how they are shown.

    Attributes:
        environment: KUBECONFIG and PATH of the cluster.
        scratch: a directory that goes with the cluster.
        started: monotonic seconds at the beginning.
    """

    environment: dict[str, str]
    scratch: Path
    started: float = field(default_factory=time.monotonic)

    def tell(self, text: str) -> None:
        """Say what comes next and why."""
        print(flush=True)
        print(textwrap.fill(f"# {text}", width=118, subsequent_indent="# "), flush=True)

    def run(self, command: str, *, stdin: str = "", fails: bool = False, says: str = "") -> str:
        """Show and run one command line.

        Args:
            command: as typed in a shell; it is split, not run by one.
            stdin: shown and given to the command.
            fails: whether a non-zero exit code is the expected outcome.
            says: text that its output has to contain.

        Raises:
            ToolError: it came out differently.
        """
        print(f"$ {command}" + (f" <<EOF\n{stdin}EOF" if stdin else ""), flush=True)
        code, output = self._outcome(command, stdin)
        print(textwrap.indent(output.rstrip(), "  "), flush=True)
        if (code != 0) is not fails or says not in output:
            wanted = ("to fail" if fails else "to succeed") + (f" and to say {says!r}" if says else "")
            raise ToolError(f"the demonstration expected `{command}` {wanted}; it ended with exit code {code}")
        return output

    def read(self, command: str) -> str:
        """Run one command line without showing it; what it printed."""
        return self._outcome(command, "")[1].strip()

    def wait(self, what: str, command: str, wanted: str, seconds: float) -> None:
        """Poll a command until it prints `wanted`.

        Raises:
            ToolError: it did not in time.
        """
        since = time.monotonic()
        while (found := self.read(command)) != wanted:
            if time.monotonic() - since > seconds:
                raise ToolError(f"{what}: expected {wanted!r} within {seconds} s, found {found!r}")
            time.sleep(PATIENCE_SECONDS)
        print(f"  ({what} after {time.monotonic() - since:.1f} s)", flush=True)

    def in_force(self, policy: str) -> None:
        """Wait until a policy's status speaks of the generation that was written and says that it is in force.

        Raises:
            ToolError: it did not in time.
        """
        generation = self.read(f"kubectl get dangerpolicy {policy} -o jsonpath={{.metadata.generation}}")
        self.wait(
            f"{policy} in force",
            f"kubectl get dangerpolicy {policy} -o jsonpath="
            "{.status.observedGeneration}={.status.conditions[?(@.type==\\'InForce\\')].status}",
            f"{generation}=True",
            IN_FORCE_SECONDS,
        )

    def wait_for(self, what: str, command: str, seconds: float) -> None:
        """Poll a command until it succeeds.

        Raises:
            ToolError: it did not in time; with what it printed last.
        """
        since = time.monotonic()
        while (outcome := self._outcome(command, ""))[0]:
            if time.monotonic() - since > seconds:
                raise ToolError(f"{what}: not within {seconds:.0f} s; `{command}` said\n{outcome[1]}")
            time.sleep(PATIENCE_SECONDS)
        print(f"  ({what} after {time.monotonic() - since:.1f} s)", flush=True)

    def _outcome(self, command: str, stdin: str) -> tuple[int, str]:
        done = subprocess.run(
            shlex.split(command),
            input=stdin,
            env=self.environment,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SLOWEST_COMMAND_SECONDS,
        )
        return done.returncode, done.stdout
