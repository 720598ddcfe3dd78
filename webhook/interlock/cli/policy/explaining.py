"""`interlock policy explain`: what every policy says to an action, gate by gate, and why.

The action is hypothetical (one line, or an AdmissionReview) or recorded (the id of a record in the cluster's ledger).
Policies and what surrounds the action come from the cluster through the user's kubectl, or from files.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from interlock.cli import stored
from interlock.cli.kubectl import Kubectl
from interlock.cli.options import DEFAULT_NAMESPACE, Colour, Context, Kubeconfig, Namespace, When
from interlock.cli.painting import painter
from interlock.cli.policy import cluster, explaintext, policyfiles, requests, yamlfiles
from interlock.cli.policy.world import World
from interlock.cli.telling import errors_told
from interlock.core import catalogue
from interlock.core.audit import commits
from interlock.core.explained import Explained, explain
from interlock.core.policies.policy import Policy
from interlock.core.rehearsal import recorded, sentence
from interlock.core.rehearsal.objects import Objects
from interlock.core.types import JsonObject, Request
from interlock.errors import BadInput, NotFound, UsageError
from interlock.wiring import clock


class Output(StrEnum):
    """How to print."""

    TEXT = "text"
    JSON = "json"


def explain_policies(  # noqa: PLR0913  one parameter per argument of the command, as typer wants it
    line: Annotated[
        str, typer.Argument(metavar="REQUEST", help="Such as 'delete namespaces/shop as alice'.", show_default=False)
    ] = "",
    *,
    review: Annotated[
        Path | None, typer.Option(help="An AdmissionReview in a file instead.", show_default=False)
    ] = None,
    record: Annotated[str, typer.Option(help="The id of a record in the cluster's ledger instead.")] = "",
    policies: Annotated[
        list[Path] | None,
        typer.Option("--policies", "-f", help="Files or directories of policies, instead of the cluster's."),
    ] = None,
    objects: Annotated[
        list[Path] | None,
        typer.Option(help="Files of namespaces, roles and other objects, which count before the cluster's."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Read nothing from the cluster, only files.")] = False,
    at: Annotated[str, typer.Option(help="When, such as 2026-11-25T22:30:00+01:00; else now.")] = "",
    namespace: Namespace = DEFAULT_NAMESPACE,
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also gates that let a finding through.")] = False,
    output: Annotated[Output, typer.Option("--output", "-o", help="text, or one JSON object.")] = Output.TEXT,
    colour: Colour = When.AUTO,
) -> None:
    """Say which gate of which policy said what to an action, and what comes of it. Nothing is sent anywhere."""
    with errors_told():
        _demand_one(line, review, record)
        source = _Source(
            kubectl=None if offline else Kubectl(kubeconfig=kubeconfig, context=context),
            files=policies or [],
            objects=[item for file in objects or [] for item in yamlfiles.manifests(file)],
        )
        if record:
            found = _of_record(source, record, namespace)
        else:
            now = _instant(at) if at else clock.now()
            found = _of_request(source, line, review, now)
    if output is Output.JSON:
        typer.echo(orjson.dumps(explaintext.json(found), option=orjson.OPT_INDENT_2).decode())
    else:
        explaintext.text(found, painter(colour.value), verbose=verbose)


def _demand_one(*given: object) -> None:
    """See that exactly one action was named.

    Raises:
        UsageError: none, or several.
    """
    if sum(map(bool, given)) != 1:
        raise UsageError("what to explain: give one of REQUEST, --review FILE, --record ID")


class _Source:
    """Where policies and objects come from."""

    def __init__(self, *, kubectl: Kubectl | None, files: Sequence[Path], objects: Sequence[JsonObject]) -> None:
        self.kubectl = kubectl
        self._files = files
        self._objects = objects

    def policies(self) -> list[Policy]:
        """Those of the files, else the cluster's.

        Raises:
            UsageError: there is neither.
        """
        if self._files:
            return [each.policy for each in policyfiles.read(self._files)]
        if self.kubectl is None:
            raise UsageError("--offline: got no policies, expected --policies")
        return cluster.policies(self.kubectl)

    def objects(self, said: sentence.Sentence | None) -> Objects:
        """Those of the files, before the cluster's, with the one that a line speaks of."""
        found = list(self._objects)
        if self.kubectl is not None:
            given = Objects(tuple(self._objects))
            found += [item for item in cluster.surroundings(self.kubectl) if given.has(item) is None]
            if said is not None and not any(_named(item, said) for item in found):
                target = cluster.target(self.kubectl, said)
                found += [] if target is None else [target]
        return Objects(tuple(found))

    def followed(self, request: Request) -> tuple[JsonObject, ...]:
        """What the request says that it follows, from the cluster."""
        return tuple(cluster.followed(self.kubectl, request)) if self.kubectl else ()


def _named(item: JsonObject, said: sentence.Sentence) -> bool:
    found = Objects((item,))
    try:
        return bool(found.find(said.resource, said.name, said.namespace))
    except BadInput:
        return False


def _of_request(source: _Source, line: str, review: Path | None, now: datetime) -> Explained:
    said = sentence.read(line) if line else None
    objects = source.objects(said)
    request = requests.of_line(line, objects, _load) if review is None else requests.parsed(_bytes(review))
    world = World.of(Objects((*objects.items, *source.followed(request))), source.policies())
    return asyncio.run(_explained(world, request, now))


async def _explained(world: World, request: Request, now: datetime) -> Explained:
    decision = await world.decide(request, now)
    handed = catalogue.handed(request, world.snapshot)
    if handed and not all(finding in decision.findings for finding in handed.findings):
        handed = None  # the guard has seen that the new owner is there and stays
    findings = catalogue.find(request, world.snapshot)
    return explain(request, findings, decision, world.snapshot, now, handed=handed)


def _of_record(source: _Source, record_id: str, namespace: str) -> Explained:
    if source.kubectl is None:
        raise UsageError("--record: got --offline, expected the cluster, whose ledger has the record")
    found = recorded.read(_record(source.kubectl, record_id, namespace))
    world = World.of(source.objects(None), source.policies())
    return explain(
        found.request,
        found.findings,
        found.decision,
        world.snapshot,
        found.time,
        left=found.left,
        unknown=found.missing,
    )


def _record(kubectl: Kubectl, record_id: str, namespace: str) -> JsonObject:
    """The record of this id.

    Raises:
        NotFound: the cluster does not hold it.
    """
    for commit in stored.ledger(kubectl, namespace).commits:
        try:
            for one in commits.records(commit.body):
                if one["id"] == record_id:
                    return one
        except BadInput as error:
            typer.echo(f"{commit.name}: unreadable: {error}; run `interlock verify`", err=True)
    raise NotFound(
        f"record {record_id}: not in the cluster's ledger; a shipped one is found by `interlock ledger show s3://…`"
    )


def _load(name: str) -> Any:  # noqa: ANN401  a document can be anything; whoever asked looks at it
    """The one object of a file.

    Raises:
        BadInput: it holds none or several.
    """
    found = yamlfiles.manifests(Path(name))
    if len(found) != 1:
        raise BadInput(field=name, got=f"{len(found)} objects", expected="one object")
    return found[0]


def _bytes(file: Path) -> bytes:
    [review, *more] = yamlfiles.documents(file) or [None]
    if more:
        raise BadInput(field=str(file), got=f"{len(more) + 1} documents", expected="one AdmissionReview")
    return orjson.dumps(review)


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise UsageError(f"--at: got {text!r}, expected an instant such as 2026-11-25T22:30:00+01:00")
    return found
