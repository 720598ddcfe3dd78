"""Policies read from files, each with the place that it stands in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from interlock.cli.policy import yamlfiles
from interlock.core.policies import policy
from interlock.core.policies.policy import Policy
from interlock.core.types import JsonObject
from interlock.errors import BadInput, BadPolicy, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFile:
    """A policy, and where it was found."""

    policy: Policy
    place: str
    obj: JsonObject


def read(paths: Sequence[Path]) -> list[PolicyFile]:
    """Every policy of these files and of the files below these directories; other objects are passed over.

    Raises:
        BadInput: a file cannot be read, a policy does not compile, or two have one name; names the file.
        UsageError: there is none.
    """
    found = [each for path in paths for file in _files(path) for each in _in_file(file)]
    if not found:
        raise UsageError(f"{', '.join(map(str, paths))}: got no {policy.KIND}, expected at least one")
    names = [each.policy.name for each in found]
    for each in found:
        if names.count(each.policy.name) > 1:
            raise BadInput(field=each.place, got=f"policy {each.policy.name} twice", expected="different names")
    return found


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return yamlfiles.below(path, policy.KIND)
    return [path]


def _in_file(file: Path) -> Iterator[PolicyFile]:
    for document in yamlfiles.documents(file):
        if not isinstance(document, dict) or document.get("kind") != policy.KIND:
            continue
        try:
            yield PolicyFile(policy=policy.parse(document), place=str(file), obj=document)
        except BadPolicy as error:
            raise _Placed(file, error) from error


class _Placed(BadInput):
    """A policy of a file that does not compile."""

    def __init__(self, file: Path, error: BadPolicy) -> None:
        super().__init__(field=f"{file}: {error.field}", got=error.got, expected=error.expected)
        self._lines = [f"{file}: {violation}" for violation in error.violations]

    def diagnostics(self) -> str:
        """All violations, one a line."""
        return "\n".join(self._lines)
