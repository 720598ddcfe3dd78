"""`interlock ledger`: the records, for people and programs. It shows, exports and copies; it does not verify.

A denial that was repeated is one line with its count; `≥` before it says that the count is not closed (the series goes
on, or its guard was killed). Of a deletecollection each member is a line, and one without an end is named on standard
error.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Annotated

import orjson
import typer

from interlock.cli import stored
from interlock.cli.columns import columns
from interlock.cli.kubectl import Kubectl
from interlock.cli.options import DEFAULT_NAMESPACE, Context, Kubeconfig, Namespace
from interlock.cli.telling import errors_told
from interlock.core.audit import commits, exporting, record, runrecords
from interlock.core.audit.runrecords import Count
from interlock.core.ports import StoredCommit
from interlock.core.text import counted, printable
from interlock.core.types import JsonObject
from interlock.errors import BadInput, UsageError
from interlock.ledger import reading
from interlock.ledger.stores import opening
from interlock.wiring import clock

_ABOUT_ACTIONS = (record.Kind.DECISION, record.Kind.POLICY_CHANGE)

COLUMNS = ("TIME", "VERDICT", "SEVERITY", "USER", "ACTION", "TARGET", "POLICY", "COUNT", "RECORD")

app = typer.Typer(help="Look into the ledger.", no_args_is_help=True)


class Output(StrEnum):
    """How to print records."""

    TABLE = "table"
    JSON = "json"


class Form(StrEnum):
    """What an export speaks: records as they are, CloudEvents around them, or OCSF, which has decisions only."""

    JSONL = "jsonl"
    OCSF = "ocsf"
    CLOUDEVENTS = "cloudevents"


@app.callback()
def ledger() -> None:
    """Keep `interlock ledger COMMAND` the form of every call, however many commands there are."""


@app.command()
def show(
    store: Annotated[
        str, typer.Argument(help="s3://BUCKET/PREFIX or file:///DIRECTORY that the log is in.", show_default=False)
    ] = "",
    *,
    from_cluster: Annotated[bool, typer.Option("--from-cluster", help="The records stored in the cluster.")] = False,
    since: Annotated[
        str, typer.Option(help="The first month or day of a store to look at, as 2026-11 or 2026-11-25.")
    ] = "",
    namespace: Namespace = DEFAULT_NAMESPACE,
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    every_kind: Annotated[
        bool, typer.Option("--all", help="Also counts, batches, and what lanes say about themselves.")
    ] = False,
    output: Annotated[Output, typer.Option("--output", "-o", help="table, or one JSON object a line.")] = Output.TABLE,
) -> None:
    """Print the records of decisions, oldest first."""
    with errors_told():
        _demand_one_source(store, from_cluster=from_cluster)
        if store:
            found = asyncio.run(_outside(store, since=since))
        else:
            kubectl = Kubectl(kubeconfig=kubeconfig, context=context)
            found = list(_records(stored.ledger(kubectl, namespace).commits))
    records = sorted(found, key=lambda one: (one["time"], one["lane"], one["sequence"]))
    shown = [one for one in records if every_kind or one["kind"] in _ABOUT_ACTIONS]
    if output is Output.JSON:
        for one in shown:
            typer.echo(orjson.dumps(one))
    else:
        counts = runrecords.series_counts(records)
        typer.echo("\n".join(columns(COLUMNS, [_row(one, counts) for one in shown])))
    for batch in sorted(runrecords.open_batches(records)):
        typer.echo(f"batch {batch} has no end: its deletecollection goes on, or its guard was killed", err=True)


@app.command()
def export(
    store: Annotated[
        str, typer.Argument(help="s3://BUCKET/PREFIX or file:///DIRECTORY that the log is in.", show_default=False)
    ] = "",
    *,
    from_cluster: Annotated[bool, typer.Option("--from-cluster", help="The records stored in the cluster.")] = False,
    since: Annotated[
        str, typer.Option(help="The first month or day of a store to look at, as 2026-11 or 2026-11-25.")
    ] = "",
    form: Annotated[Form, typer.Option("--format", help="As they are, or in the words of others.")] = Form.JSONL,
    namespace: Namespace = DEFAULT_NAMESPACE,
    kubeconfig: Kubeconfig = "",
    context: Context = "",
) -> None:
    """Write every record, one JSON object a line, in the order of the log. It exports, it does not verify."""
    with errors_told():
        _demand_one_source(store, from_cluster=from_cluster)
        if store:
            asyncio.run(_exported(store, form, since=since))
        else:
            found = stored.ledger(Kubectl(kubeconfig=kubeconfig, context=context), namespace).commits
            for one in _records(found):
                _write(one, form)


async def _exported(store: str, form: Form, *, since: str) -> None:
    async with opening.opened(store, clock=clock.now) as opened:
        async for one in reading.records(opened, since=since):
            _write(one, form)


def _write(one: JsonObject, form: Form) -> None:
    if form is Form.JSONL:
        typer.echo(orjson.dumps(one))
    elif form is Form.CLOUDEVENTS:
        typer.echo(orjson.dumps(exporting.cloudevent(one)))
    elif one["kind"] in exporting.ABOUT_REQUESTS:
        typer.echo(orjson.dumps(exporting.ocsf(one)))


@app.command()
def copy(
    source: Annotated[str, typer.Argument(help="s3://BUCKET/PREFIX or file:///DIRECTORY that the log is in.")],
    target: Annotated[str, typer.Argument(help="file:///DIRECTORY for the copy.")],
    *,
    since: Annotated[str, typer.Option(help="The first month or day to copy, as 2026-11 or 2026-11-25.")] = "",
) -> None:
    """Copy a log byte for byte, to keep it or to verify it elsewhere; a copy is not locked."""
    with errors_told():
        count = asyncio.run(_copied(source, target, since=since))
    typer.echo(f"copied {counted(count, 'segment')} to {target}")


def _demand_one_source(store: str, *, from_cluster: bool) -> None:
    """See that exactly one place was named.

    Raises:
        UsageError: none, or both.
    """
    if bool(store) is from_cluster:
        raise UsageError("records of what: name a store, or --from-cluster")


async def _copied(source: str, target: str, *, since: str) -> int:
    async with opening.opened(source, clock=clock.now) as read, opening.opened(target, clock=clock.now) as written:
        return await reading.copy(read, written, since=since)


async def _outside(store: str, *, since: str) -> list[JsonObject]:
    async with opening.opened(store, clock=clock.now) as opened:
        return [one async for one in reading.records(opened, since=since)]


def _records(found: Iterable[StoredCommit]) -> Iterator[JsonObject]:
    """Every record that can be read; one that cannot is named on standard error and left to `interlock verify`."""
    for commit in found:
        try:
            yield from commits.records(commit.body)
        except BadInput as error:
            typer.echo(f"{commit.name}: unreadable: {error}; run `interlock verify`", err=True)


def _row(one: JsonObject, counts: Mapping[str, Count]) -> tuple[str, ...]:
    """One line of the table, with nothing in it that could move a cursor."""
    return tuple(map(printable, _cells(one, counts)))


def _change(one: JsonObject) -> str:
    """What a record about a policy itself says of it."""
    if one["kind"] != record.Kind.POLICY_CHANGE:
        return ""
    return f"{one['operation'].lower()}, loosens" if one["loosens"] else one["operation"].lower()


def _cells(one: JsonObject, counts: Mapping[str, Count]) -> Iterator[str]:
    target = one.get("target", {})
    policies: list[JsonObject] = one.get("policies", [])
    place = "/".join(part for part in (target.get("namespace", ""), target.get("name", "")) if part)
    yield one["time"]
    yield one["verdict"] if "verdict" in one else one["kind"]
    yield one.get("severity", "")
    yield one.get("user", {}).get("name", "")
    yield policies[0]["finding"] if policies else _change(one)
    yield f"{target.get('resource', '')} {place}".strip()
    yield ", ".join(policy["name"] for policy in policies)
    yield _count(one, counts)
    yield one["id"]


def _count(one: JsonObject, counts: Mapping[str, Count]) -> str:
    """How many requests the line stands for."""
    if one["kind"] != record.Kind.DECISION:
        return str(one.get("count", ""))
    return str(counts.get(one["id"], Count(count=1, exact=True)))
