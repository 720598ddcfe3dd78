"""`interlock verify`: what the stored records prove, given the notary's public key and nothing else."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from interlock.cli import stored
from interlock.cli.kubectl import Kubectl
from interlock.cli.options import DEFAULT_NAMESPACE, Context, Kubeconfig, Namespace
from interlock.core.audit import lanes
from interlock.core.audit.lanes import Fault, LaneReport, Report, Status
from interlock.core.audit.notekey import VerifierKey
from interlock.core.text import counted
from interlock.errors import InterlockError

EXIT_CODES = {Status.PROVEN: 0, Status.TAMPERED: 1, Status.INCOMPLETE: 2}
NO_EVIDENCE = EXIT_CODES[Status.INCOMPLETE]  # where the records or the key cannot be read, nothing is proven either


class Output(StrEnum):
    """How to print the report."""

    TEXT = "text"
    JSON = "json"


def verify(
    *,
    key: Annotated[Path, typer.Option(help="File with the notary's public key, saved when Interlock was installed.")],
    from_cluster: Annotated[bool, typer.Option("--from-cluster", help="Verify the records stored in the cluster.")],
    namespace: Namespace = DEFAULT_NAMESPACE,
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    output: Annotated[Output, typer.Option("--output", "-o", help="text, or one JSON object.")] = Output.TEXT,
) -> None:
    """Prove that stored records were not altered, dropped, reordered or inserted.

    Exit code: 0 proven, 1 tampered, 2 evidence incomplete or not to be read.
    """
    del from_cluster  # the only source so far; it is asked for, so that a command line stays true when others come
    try:
        pinned = VerifierKey.parse(key.read_text(encoding="utf-8"))
        report = lanes.verify(stored.commits(Kubectl(kubeconfig=kubeconfig, context=context), namespace), pinned)
    except (InterlockError, OSError, UnicodeDecodeError) as error:
        typer.echo(f"nothing verified: {error}", err=True)
        raise typer.Exit(NO_EVIDENCE) from error
    typer.echo(_json(report) if output is Output.JSON else "\n".join(text(report)))
    raise typer.Exit(EXIT_CODES[report.status])


def text(report: Report) -> Iterator[str]:
    """The report for a person: a line for each lane, what is wrong, the verdict, and what was not looked at."""
    yield from map(_lane, report.lanes)
    for fault in report.faults:
        yield from _fault(fault)
    yield _verdict(report)
    yield lanes.TAILS


def _lane(lane: LaneReport) -> str:
    records = f"records {lane.first} to {lane.last}" if lane.last >= lane.first else "no good record"
    state = "closed" if lane.closed else "open"
    certified = "certified" if lane.certified else "uncertified"
    proven = f", proven through {_time(lane.through)}" if lane.through else ""
    return f"lane {lane.lane}: {lane.status}, {lane.pod or 'unknown pod'}, {records}, {certified}, {state}{proven}"


def _fault(fault: Fault) -> Iterator[str]:
    name = f", record {fault.record_id}" if fault.record_id else ""
    yield f"{fault.status}: {fault.commit}, sequence {fault.sequence}{name}"
    yield f"    expected {fault.expected}"
    yield f"    got      {fault.got}"


def _verdict(report: Report) -> str:
    if not report.lanes:
        return f"{report.status}: no records were found"
    records = sum(lane.records for lane in report.lanes)
    through = f"; the newest proven record is of {_time(report.through)}" if report.through else ""
    proof = f"{counted(len(report.lanes), 'lane')}, {counted(records, 'good record')}, by notary key {report.key}"
    return f"{report.status}: {proof}{through}"


def _time(instant: datetime | None) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if instant else "never"


def _json(report: Report) -> str:
    return msgspec.json.encode({**msgspec.to_builtins(report), "notSeen": lanes.TAILS}).decode()
