"""`interlock verify`: what the records prove, given the notary's public key and nothing else.

interlock verify s3://BUCKET/PREFIX --key notary.pub             the log outside, without the cluster
interlock verify --from-cluster --key notary.pub                 what the cluster stores
interlock verify s3://BUCKET/PREFIX --from-cluster --key …       both: what is not here must be there
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from interlock.cli import outside, remembered, stored, verifytext
from interlock.cli.kubectl import Kubectl
from interlock.cli.options import DEFAULT_NAMESPACE, Context, Kubeconfig, Namespace
from interlock.cli.outside import Taken
from interlock.cli.stored import Stored
from interlock.core.audit import auditjoin, lanes, logwalk, segment
from interlock.core.audit.auditjoin import AuditLog, Join, JoinReport
from interlock.core.audit.cut import Cut
from interlock.core.audit.keyring import Trust
from interlock.core.audit.lanes import Fault, Report, Status
from interlock.core.audit.lanewalk import Bad
from interlock.core.audit.logreport import LogReport
from interlock.core.ports import StoredCommit
from interlock.errors import BadInput, InterlockError, UsageError
from interlock.ledger.verifying import MAX_AGE, Wanted

EXIT_CODES = {Status.PROVEN: 0, Status.TAMPERED: 1, Status.INCOMPLETE: 2}
NO_EVIDENCE = EXIT_CODES[Status.INCOMPLETE]  # where the records or the key cannot be read, nothing is proven either


class Output(StrEnum):
    """How to print the report."""

    TEXT = "text"
    JSON = "json"


def verify(  # noqa: PLR0913  one parameter per argument of the command, as typer wants it
    store: Annotated[
        str, typer.Argument(help="s3://BUCKET/PREFIX, or file:///DIRECTORY with a copy of it.", show_default=False)
    ] = "",
    *,
    key: Annotated[Path, typer.Option(help="File with the notary's public key, saved when Interlock was installed.")],
    from_cluster: Annotated[bool, typer.Option("--from-cluster", help="Verify what the cluster stores.")] = False,
    max_age: Annotated[
        int, typer.Option(min=0, help="Seconds that the newest checkpoint of a store may be old; 0 for any.")
    ] = int(MAX_AGE.total_seconds()),
    since: Annotated[
        str, typer.Option(help="The first month or day of a store to look at, as 2026-11 or 2026-11-25.")
    ] = "",
    unlocked: Annotated[bool, typer.Option("--unlocked", help="Do not ask for locks: a copy, or a trial.")] = False,
    state: Annotated[
        Path | None, typer.Option(help="File that remembers the last checkpoint.", show_default="one for each key")
    ] = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Neither compare with the last checkpoint nor keep it.")
    ] = False,
    apiserver_audit_log: Annotated[
        list[Path] | None,
        typer.Option(help="Audit log of an API server, to be held against the records. May be repeated."),
    ] = None,
    cosigned: Annotated[
        list[Path] | None, typer.Option(help="File with a checkpoint that a witness has cosigned. May be repeated.")
    ] = None,
    witness: Annotated[
        list[Path] | None, typer.Option(help="File with the public key of a witness. May be repeated.")
    ] = None,
    namespace: Namespace = DEFAULT_NAMESPACE,
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    output: Annotated[Output, typer.Option("--output", "-o", help="text, or one JSON object.")] = Output.TEXT,
) -> None:
    """Prove that records were not altered, dropped, reordered or inserted.

    Exit code: 0 proven, 1 tampered, 2 evidence incomplete or not to be read.
    """
    log: LogReport | None = None
    cluster: Report | None = None
    walk: logwalk.LogWalk | None = None
    try:
        _demand_source(store, from_cluster=from_cluster)
        join = _join(apiserver_audit_log or ())
        pinned = Trust.parse(key.read_text(encoding="utf-8"))
        if store:
            file = None if forget else state or remembered.place(pinned)
            wanted = Wanted(max_age=timedelta(seconds=max_age) if max_age else None, locked=not unlocked, since=since)
            wanted = replace(wanted, seen=outside.cosigned(cosigned or (), witness or ()))
            log, walk = outside.verified(store, pinned, wanted=wanted, state=file, taken=_taken(join))
        if from_cluster:
            kubectl = Kubectl(kubeconfig=kubeconfig, context=context)
            cluster = _cluster(stored.ledger(kubectl, namespace), pinned, walk, _taken(join))
    except (InterlockError, OSError, UnicodeDecodeError) as error:
        typer.echo(f"nothing verified: {error}", err=True)
        raise typer.Exit(NO_EVIDENCE) from error
    _tell(log, cluster, join.report() if join else None, output)


def _demand_source(store: str, *, from_cluster: bool) -> None:
    """See that there is something to verify.

    Raises:
        UsageError: there is nothing.
    """
    if not store and not from_cluster:
        raise UsageError("nothing to verify: name a store, or --from-cluster, or both")


def _join(files: Sequence[Path]) -> Join | None:
    """Read audit logs; None where there are none.

    Raises:
        OSError: one cannot be read.
    """
    if not files:
        return None
    found = AuditLog()
    for file in files:
        with file.open("rb") as lines:
            auditjoin.read(lines, found)
    return Join(found)


def _taken(join: Join | None) -> Taken:
    return join.taken if join else lambda _walk: None


def _cluster(found: Stored, trust: Trust, walk: logwalk.LogWalk | None, taken: Taken) -> Report:
    """Verify what the cluster stores, as far as the newest checkpoint of both places reaches."""
    newest, fault = _newest(found.checkpoints, trust)
    outside = None
    if walk is not None:
        outside = {name: lane.next for name, lane in walk.lanes.items()}
        if walk.newest and (newest is None or walk.newest.number > newest.number):
            newest = walk.newest
    report = lanes.verify(found.commits, trust, newest=newest, outside=outside, taken=taken)
    if fault is None and newest is None and report.lanes:
        fault = _checkpoint_fault(Status.INCOMPLETE, "", "a checkpoint", "none: nothing shows what is missing")
    return report if fault is None else lanes.with_fault(report, fault)


def _newest(checkpoints: tuple[StoredCommit, ...], trust: Trust) -> tuple[Cut | None, Fault | None]:
    """The newest cut that the cluster holds, or what is wrong with it."""
    if not checkpoints:
        return None, None
    last = checkpoints[-1]
    try:
        number = segment.parse_name(last.name)
        cut, _ = logwalk.alone(segment.unpack(last.body), trust)
    except (Bad, BadInput) as bad:
        return None, _checkpoint_fault(Status.TAMPERED, last.name, bad.expected, bad.got)
    if cut.number != number:
        return None, _checkpoint_fault(Status.TAMPERED, last.name, f"cut {number}", f"cut {cut.number}")
    return cut, None


def _checkpoint_fault(status: Status, name: str, expected: str, got: str) -> Fault:
    return Fault(status=status, lane="", commit=name, sequence=-1, record_id="", expected=expected, got=got)


def _tell(log: LogReport | None, cluster: Report | None, join: JoinReport | None, output: Output) -> None:
    """Print what was found, and leave with its exit code.

    Raises:
        Exit: always.
    """
    found = [report.status for report in (log, cluster, join) if report is not None]
    status = max(found, key=[Status.PROVEN, Status.INCOMPLETE, Status.TAMPERED].index)
    if output is Output.JSON:
        document = {
            "status": status,
            "log": log,
            "cluster": cluster,
            "apiServer": join,
            "notSeen": verifytext.not_seen(log, cluster),
        }
        typer.echo(msgspec.json.encode(msgspec.to_builtins(document)).decode())
    else:
        if log is not None:
            typer.echo("\n".join(verifytext.of_log(log)))
        if cluster is not None:
            typer.echo("\n".join(verifytext.of_cluster(cluster)))
        if join is not None:
            typer.echo("\n".join(verifytext.of_join(join)))
    raise typer.Exit(EXIT_CODES[status])
