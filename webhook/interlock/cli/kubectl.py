"""The user's own kubectl, through which every command reads and writes the cluster.

So commands hold no credentials of their own, and every way of logging in that the user's kubectl knows works here too:
contexts, exec plugins, proxies. What kubectl refuses is refused here, in its words.
"""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from interlock.core.types import JsonObject
from interlock.errors import ClusterError, Forbidden, NotFound, Unavailable, UsageError

COMMAND_SECONDS = 300.0  # a ledger of a hundred thousand commits is listed in less; a hung kubectl is not waited for

_REFUSALS: tuple[tuple[str, type[ClusterError]], ...] = (("(Forbidden)", Forbidden), ("(NotFound)", NotFound))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubectl:
    """Runs kubectl with the user's configuration.

    Attributes:
        kubeconfig: file to use instead of the user's default; empty for that.
        context: context in it; empty for the current one.
    """

    kubeconfig: str = ""
    context: str = ""

    def get(self, *arguments: str) -> JsonObject:
        """``kubectl get … -o json``; a list is read in pages of one instant.

        Raises:
            Forbidden: the user may not.
            NotFound: there is no such object.
            Unavailable: any other failure, in kubectl's words.
            UsageError: there is no kubectl.
        """
        found: JsonObject = orjson.loads(self.run("get", *arguments, "-o", "json"))
        return found

    def find(self, *arguments: str) -> JsonObject | None:
        """Like `get` of one object by name; None if there is none.

        Raises:
            Forbidden: the user may not.
            Unavailable: any other failure, in kubectl's words.
            UsageError: there is no kubectl.
        """
        found = self.run("get", *arguments, "--ignore-not-found", "-o", "json")
        return orjson.loads(found) if found else None

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run any kubectl command and return what it printed.

        Raises:
            Forbidden: the user may not.
            NotFound: there is no such object.
            Unavailable: any other failure, in kubectl's words.
            UsageError: there is no kubectl.
        """
        return self._done(*arguments, stdin=stdin).stdout

    def raw(self, path: str) -> tuple[bytes, tuple[str, ...]]:
        """``kubectl get --raw``: the answer as it is, and the warnings that came with it.

        Raises:
            Forbidden: the user may not.
            NotFound: there is no such thing.
            Unavailable: any other failure, in kubectl's words.
            UsageError: there is no kubectl.
        """
        done = self._done("get", "--raw", path)
        said = done.stderr.decode(errors="replace").splitlines()
        return done.stdout, tuple(line for line in said if line.startswith("Warning:"))

    def lines(self, path: str) -> Iterator[bytes]:
        """``kubectl get --raw`` of what goes on and on, line by line as they come.

        Raises:
            ClusterError: it failed, in kubectl's words.
            UsageError: there is no kubectl.
        """
        command = self._command("get", "--raw", path)
        with subprocess.Popen(  # noqa: S603  likewise
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            try:
                yield from process.stdout or ()
            finally:
                process.terminate()
            told = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
            if process.wait() > 0:
                raise _refusal(told)

    def _done(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        try:
            done = subprocess.run(  # noqa: S603  no shell; the arguments are ours and the user's own
                self._command(*arguments), input=stdin, capture_output=True, timeout=COMMAND_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"kubectl {arguments[0]}: no answer within {COMMAND_SECONDS:.0f} s") from error
        if done.returncode:
            raise _refusal(done.stderr.decode(errors="replace").strip())
        return done

    def _command(self, *arguments: str) -> list[str]:
        program = shutil.which("kubectl")
        if program is None:
            raise UsageError("kubectl: not on PATH, expected since the cluster is read through it")
        chosen = [f"--kubeconfig={self.kubeconfig}"] if self.kubeconfig else []
        chosen += [f"--context={self.context}"] if self.context else []
        return [program, *chosen, *arguments]


def _refusal(text: str) -> ClusterError:
    for mark, kind in _REFUSALS:
        if mark in text:
            return kind(text)
    return Unavailable(text or "kubectl failed without a word")
