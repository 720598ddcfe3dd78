"""What `interlock verify` prints for a person."""

from collections.abc import Iterator
from datetime import datetime

from interlock.core import times
from interlock.core.audit import lanes
from interlock.core.audit.auditjoin import JoinReport, Request
from interlock.core.audit.lanes import Fault, LaneReport, Report, Status
from interlock.core.audit.logreport import LogFault, LogReport, Silence
from interlock.core.text import counted, printable

SILENCES = 5  # of the newest that are shown; a cluster that is switched off every night has many

NAMED = 20  # requests and records of each kind that are named; JSON has all

NOTHING_LATER = "Nothing is said of what came later, nor of requests that never reached Interlock."


def not_seen(log: LogReport | None, cluster: Report | None) -> list[str]:
    """What such reports cannot show, whatever they say."""
    return [text for text, report in ((NOTHING_LATER, log), (lanes.TAILS, cluster)) if report is not None]


def of_log(report: LogReport) -> Iterator[str]:
    """A log in an object store: where it goes from and to, what is wrong, the verdict."""
    if report.last >= 0:
        yield f"log of cluster {printable(report.cluster)} in {report.store}"
        yield f"cuts {report.first} to {report.last}, {_beginning(report)}"
        yield f"checkpoint {printable(report.origin)}, size {report.size}, root {report.root}"
    if len(report.keys) > 1:
        yield f"signed under {len(report.keys)} keys, each vouched for by the one before: {', '.join(report.keys)}"
    for fault in report.faults:
        yield from _log_fault(fault)
    for silence in report.silences[-SILENCES:]:
        yield _silence(silence)
    yield _log_verdict(report)


def of_cluster(report: Report) -> Iterator[str]:
    """Lanes in the cluster: a line for each, what is wrong, the verdict, and what cannot be seen."""
    yield from map(_lane, report.lanes)
    for fault in report.faults:
        yield from _fault(fault)
    yield _verdict(report)
    yield lanes.TAILS


def of_join(report: JoinReport) -> Iterator[str]:
    """The API server's audit log beside the records: what one has and the other has not."""
    for missing in report.missing:
        yield f"tampered: lane {missing.lane}, sequence {missing.sequence}"
        yield f"    expected the record of {_request(missing.request)}"
        yield f"    got      {missing.got}"
        yield "    shown by the API server's audit log"
    for title, requests in (("no guard answered, and it passed", report.passed), ("no record", report.unstored)):
        yield from (f"incomplete: {title}: {_request(each)}" for each in requests[:NAMED])
        yield from [f"    and {len(requests) - NAMED} more"] * (len(requests) > NAMED)
    yield from (f"incomplete: record {printable(each)}: no request names it" for each in report.unclaimed[:NAMED])
    unreadable = f", {counted(report.unreadable, 'line')} not to be read" if report.unreadable else ""
    yield (
        f"{report.status}: {counted(report.events, 'event')} of the API server, {report.joined} of them with their "
        f"record{unreadable}"
    )


def _request(request: Request) -> str:
    return printable(f"{request.what} by {request.who} at {request.time} (audit id {request.audit_id})", 400)


def _beginning(report: LogReport) -> str:
    if report.first == 0:
        return "from the very beginning"
    return "from the beginning of a month" if report.complete else "from the middle of a month"


def _log_fault(fault: LogFault) -> Iterator[str]:
    where = [
        f"cut {fault.number}" if fault.number >= 0 else "",
        fault.object,
        f"lane {fault.lane}" if fault.lane else "",
        f"sequence {fault.sequence}" if fault.sequence >= 0 else "",
        f"record {fault.record_id}" if fault.record_id else "",
    ]
    yield f"{fault.status}: {printable(', '.join(filter(None, where)), 400)}"
    yield f"    expected {printable(fault.expected, 400)}"
    yield f"    got      {printable(fault.got, 400)}"
    yield f"    shown by {fault.evidence}"


def _silence(silence: Silence) -> str:
    since, until = _time(silence.since), _time(silence.until)
    return f"no checkpoint was signed between {since} and {until} (cut {silence.number})"


def _log_verdict(report: LogReport) -> str:
    if report.last < 0:
        return f"{report.status}: {report.store} holds no log that this key has signed"
    proof = f"{counted(report.records, 'record')} of {counted(report.lanes, 'lane')}, by notary key {report.key}"
    lock = f"locked until {_time(report.locked_until)} at least" if report.locked_until else "not locked"
    if report.status is Status.TAMPERED:
        return f"{report.status}: good are {proof}, through {_time(report.through)}"
    return f"{report.status} through {_time(report.through)}: {proof}; {lock}. {NOTHING_LATER}"


def _lane(lane: LaneReport) -> str:
    records = f"records {lane.first} to {lane.last}" if lane.last >= lane.first else "no good record"
    missing = f" ({lane.missing} of them outside the cluster)" if lane.missing else ""
    state = "closed" if lane.closed else "open"
    certified = "certified" if lane.certified else "uncertified"
    proven = f", proven through {_time(lane.through)}" if lane.through else ""
    pod = lane.pod or "unknown pod"
    return f"lane {lane.lane}: {lane.status}, {pod}, {records}{missing}, {certified}, {state}{proven}"


def _fault(fault: Fault) -> Iterator[str]:
    name = f", record {fault.record_id}" if fault.record_id else ""
    yield f"{fault.status}: {fault.commit or f'lane {fault.lane}'}, sequence {fault.sequence}{name}"
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
    return times.write(instant) if instant else "never"
