"""`interlock policy lint`: what is legal in policies and probably not meant, from files or from the cluster."""

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from interlock.cli.kubectl import Kubectl
from interlock.cli.options import Colour, Context, Kubeconfig, When
from interlock.cli.painting import Cell, Painter, painter
from interlock.cli.policy import cluster, policyfiles
from interlock.cli.telling import errors_told
from interlock.core import unstructured
from interlock.core.linting import RULES, Linted, Problem, lint
from interlock.core.linting.exceptions import EXCEPTION, PREFIX
from interlock.core.text import counted
from interlock.core.types import JsonObject, Severity
from interlock.errors import UsageError
from interlock.wiring import clock

UNREADABLE = 2  # exit code, as for wrong arguments
INDENT = "  "
NEVER = "Never"

_STYLES = {Severity.CRITICAL: "bold red", Severity.HIGH: "bold red", Severity.MEDIUM: "yellow", Severity.LOW: "cyan"}


class FailOn(StrEnum):
    """From which severity on a problem makes the exit code 1."""

    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"
    NEVER = NEVER


class Output(StrEnum):
    """How to print."""

    TEXT = "text"
    JSON = "json"


def lint_policies(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="DIRECTORY|FILE...", help="Files or directories of policies.")
    ] = None,
    *,
    from_cluster: Annotated[bool, typer.Option("--from-cluster", help="The cluster's policies instead.")] = False,
    fail_on: Annotated[
        FailOn, typer.Option(help="The severity from which on a problem makes the exit code 1.", case_sensitive=False)
    ] = FailOn.MEDIUM,
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also what annotations except, and why.")] = False,
    output: Annotated[Output, typer.Option("--output", "-o", help="text, or one JSON object.")] = Output.TEXT,
    colour: Colour = When.AUTO,
) -> None:
    """Look for what is legal in policies and probably not meant; policies that are in force together, together.

    Exit code: 0, 1 if there is a problem of at least --fail-on, 2 if policies cannot be read.
    """
    with errors_told(code=UNREADABLE):
        policies = _policies(paths or [], Kubectl(kubeconfig=kubeconfig, context=context) if from_cluster else None)
    problems = lint(policies, clock.now())
    if output is Output.JSON:
        typer.echo(orjson.dumps({"problems": list(map(_json, problems))}, option=orjson.OPT_INDENT_2).decode())
    else:
        _text(len(policies), problems, painter(colour.value), verbose=verbose)
    raise typer.Exit(1 if any(_fails(each, fail_on) for each in problems) else 0)


def _policies(paths: Sequence[Path], kubectl: Kubectl | None) -> list[Linted]:
    """What to look at.

    Raises:
        BadInput: a file cannot be read, or a policy in it does not compile.
        ClusterError: the cluster's could not be read.
        UsageError: neither files nor the cluster were named, or both.
    """
    if bool(paths) is (kubectl is not None):
        raise UsageError("policies of what: name files, or --from-cluster")
    if kubectl is not None:
        items = kubectl.get(cluster.POLICIES)["items"]
        return [Linted(policy=cluster.compiled(item), annotations=_annotations(item)) for item in items]
    return [
        Linted(policy=each.policy, place=each.place, annotations=_annotations(each.obj))
        for each in policyfiles.read(paths)
    ]


def _annotations(obj: JsonObject) -> dict[str, str]:
    return unstructured.strings(obj, "metadata", "annotations")


def _fails(problem: Problem, fail_on: FailOn) -> bool:
    if fail_on is FailOn.NEVER or problem.excepted:
        return False
    return problem.rule.severity >= Severity.parse(fail_on.value)


def _text(count: int, problems: Sequence[Problem], paint: Painter, *, verbose: bool) -> None:
    shown = [each for each in problems if verbose or not each.excepted]
    for name in dict.fromkeys(each.policy for each in shown):
        of_one = [each for each in shown if each.policy == name]
        paint.line([Cell(name, "bold"), Cell(of_one[0].place, "dim")])
        for problem in of_one:
            _problem(problem, paint)
        paint.line([])
    paint.line([Cell(_summary(count, problems))])


def _problem(problem: Problem, paint: Painter) -> None:
    severity = problem.rule.severity
    excepted = problem.excepted
    grade = Cell("excepted" if excepted else severity.title.ljust(8), "dim" if excepted else _STYLES[severity])
    paint.line([grade, Cell(problem.rule.id, "bold"), Cell(f"{problem.path}: {problem.said}")], indent=INDENT)
    advice = f"since: {excepted}" if excepted else problem.rule.advice
    paint.line([Cell(advice, "dim")], indent=INDENT * 7)


def _summary(count: int, problems: Sequence[Problem]) -> str:
    policies = "1 policy" if count == 1 else f"{count} policies"
    counts = Counter(each.rule.severity for each in problems if not each.excepted)
    excepted = sum(bool(each.excepted) for each in problems)
    graded = ", ".join(f"{counts[severity]} {severity.title}" for severity in sorted(counts, reverse=True))
    found = f"{counted(counts.total(), 'problem')}" + (f" ({graded})" if graded else "")
    return f"{policies}: {found}" + (f", {excepted} excepted" if excepted else "")


def _json(problem: Problem) -> JsonObject:
    return {
        "policy": problem.policy,
        "file": problem.place,
        "rule": problem.rule.id,
        "severity": problem.rule.severity.title,
        "path": problem.path,
        "said": problem.said,
        "advice": problem.rule.advice,
        "excepted": problem.excepted,
    }


# ------------------------------------------------------------------------------------------------------------ the page

_PAGE = f"""\
# Linting policies

Made from the tables in `webhook/interlock/core/linting` by `hack/update generated`; do not edit.

`interlock policy lint` says what is legal in policies and probably not meant, or less protection than it looks.
Policies that are in force together are looked at together: what one leaves open, another may close.

```console
$ interlock policy lint policies/                          # files, and files below directories
$ interlock policy lint --from-cluster --fail-on High -o json
```

Exit code: 0, 1 if there is a problem of at least `--fail-on` (`Low`, `Medium` by default, `High`, `Never`), 2 if
policies cannot be read. A policy is excepted from a rule by an annotation that says why; `--verbose` shows what is.

```yaml
metadata:
  annotations:
    {PREFIX}every-namespace: Roles reach all namespaces.
```

It does not know the cluster: who holds which rights, which namespaces there are, whether a guard answers.
`interlock doctor` does. Whether another policy closes a back door is told by its match, whatever its windows and
exclude entries. Other ways to do what an action does are those of the [catalogue](catalogue.md).

| rule | severity | finds | what to do |
|---|---|---|---|
"""


def markdown() -> str:
    """The page webhook/docs/policy-lint.md."""
    return _PAGE + "\n".join(_rows()) + "\n"


def _rows() -> Iterator[str]:
    for rule in (*RULES, EXCEPTION):
        advice = rule.advice.replace("|", "\\|")
        yield f"| `{rule.id}` | {rule.severity.title} | {rule.title}. | {advice} |"
