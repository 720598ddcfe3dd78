"""`interlock window`: whether a policy's window is open at some time, why, and when it opens and closes next.

The answer comes from the function that guards decide by and that fills the policy's status.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

import orjson
import typer

from interlock import settings
from interlock.cli import manifests
from interlock.cli.kubectl import Kubectl
from interlock.cli.options import Context, Kubeconfig
from interlock.cli.telling import errors_told
from interlock.core import unstructured
from interlock.core.policies import policy, zones
from interlock.core.policies.outlook import Outlook, outlook
from interlock.core.policies.policy import Policy
from interlock.core.review import explain
from interlock.core.text import printable
from interlock.core.types import JsonObject, Mode
from interlock.errors import BadPolicy, UsageError
from interlock.wiring import clock

CLOSED = 3  # exit code; 2 is a wrong option
POLICIES = f"{settings.POLICIES}.{settings.GROUP}"
EXPECTED_TIME = "RFC 3339, such as 2026-12-24T22:00:00+01:00, or without offset on a wall clock: 2026-12-24T22:00"


class Output(StrEnum):
    """How to print."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class _Looked:
    policy: Policy
    outlook: Outlook


def window(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[POLICY]...", help="Only these; else all with windows.")
    ] = None,
    *,
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help=f"When: {EXPECTED_TIME}. Without it, now.", show_default=False)
    ] = "",
    zone: Annotated[
        str, typer.Option("--zone", metavar="ZONE", help="IANA zone to read and show times in; else each policy's own.")
    ] = "",
    file: Annotated[
        str, typer.Option("--filename", "-f", metavar="FILE", help="Policies of a YAML file, - for standard input.")
    ] = "",
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    output: Annotated[Output, typer.Option("--output", "-o", help="text, or one JSON object.")] = Output.TEXT,
) -> None:
    """Show whether windows are open at some time, why, and when they open and close next.

    Exit code: 0 if all are open, 3 if one is closed, 1 if it could not be told.
    """
    with errors_told():
        shown = _zone(zone) if zone else None
        stored = (
            manifests.objects(file, kind=policy.KIND)
            if file
            else _stored(Kubectl(kubeconfig=kubeconfig, context=context))
        )
        found = [_looked(each, at, shown) for each in _chosen(stored, names or [])]
    typer.echo(_json(found) if output is Output.JSON else "\n".join(_text(found, shown)))
    raise typer.Exit(0 if all(_open(each) for each in found) else CLOSED)


def _zone(name: str) -> ZoneInfo:
    try:
        return zones.zone(name)
    except KeyError as error:
        raise UsageError(f"--zone: got {name}, expected an IANA zone such as Europe/Berlin") from error


def _stored(kubectl: Kubectl) -> list[JsonObject]:
    return unstructured.items(kubectl.get(POLICIES), "items")


def _chosen(stored: Sequence[JsonObject], names: Sequence[str]) -> Iterator[Policy]:
    compiled = {found.name: found for found in map(_compiled, stored)}
    if unknown := [name for name in names if name not in compiled]:
        raise UsageError(
            f"got {', '.join(unknown)}, expected names of policies: {', '.join(compiled) or 'there are none'}"
        )
    for name, found in compiled.items():
        if name in names or (not names and (found.windows or found.error)):
            yield found


def _compiled(obj: JsonObject) -> Policy:
    try:
        return policy.parse(obj)
    except BadPolicy as error:
        return policy.broken(obj, error.diagnostics())


def _looked(found: Policy, at: str, shown: ZoneInfo | None) -> _Looked:
    own = found.windows.zone if found.windows else zones.zone("UTC")
    return _Looked(found, outlook(found, _instant(at, shown or own) if at else clock.now()))


def _instant(text: str, zone: ZoneInfo) -> datetime:
    """Read a time; without offset it is on the zone's wall clock, and must come exactly once there."""
    try:
        read = datetime.fromisoformat(text)
        if read.tzinfo is not None:
            return read.astimezone(UTC)
        first, last = zones.instants(read, zone)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"--at: got {text}, expected {EXPECTED_TIME}") from error
    if first != last:
        either = f"{explain.instant(first)} or {explain.instant(last)}"
        raise UsageError(f"--at: got {text}, which comes twice or never in {zone.key}, expected {either}")
    return first


def _open(looked: _Looked) -> bool:
    return looked.outlook.open and not looked.policy.error


def _why(looked: _Looked) -> str:
    return "the policy does not compile and fails closed" if looked.policy.error else looked.outlook.why


def _yields(looked: _Looked) -> str:
    return (looked.policy.strictest if looked.policy.error else looked.outlook.yields).title


def _text(found: Sequence[_Looked], shown: ZoneInfo | None) -> Iterator[str]:
    if not found:
        yield "no policy has windows"
    for looked in found:
        seen = looked.outlook
        zone = shown or zones.zone(seen.state.time_zone if seen.state else "UTC")
        yield f"{printable(looked.policy.name)}: {'open' if _open(looked) else 'closed'} ({printable(_why(looked))})"
        yield f"  at      {explain.when(seen.at, zone)}"
        yield f"  yields  {_yields(looked)}{_unless_enforced(looked.policy)}"
        yield from (f"  error   {printable(line)}" for line in looked.policy.error.splitlines())
        if seen.state and not seen.state.open and seen.state.overrun_since:
            yield f"  grace   for what began after {explain.when(seen.state.overrun_since, zone)}"
        for label, instant in sorted((("opens", seen.opening), ("closes", seen.closing)), key=_soonest):
            if instant is not None:
                yield f"  {label:<7} {explain.when(instant, zone)}, {explain.span(instant - seen.at)} later"
            elif seen.state is not None:
                yield f"  {label:<7} not in sight"
    yield f"time zones: tzdata {zones.version()}"


def _unless_enforced(found: Policy) -> str:
    return "" if found.mode is Mode.ENFORCE else f", mode {found.mode}: nothing is stopped"


def _soonest(event: tuple[str, datetime | None]) -> tuple[bool, float]:
    return event[1] is None, event[1].timestamp() if event[1] else 0.0


def _json(found: Sequence[_Looked]) -> str:
    answer = {"tzdata": zones.version(), "policies": [_row(looked) for looked in found]}
    return orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode()


def _since(seen: Outlook) -> str | None:
    since = seen.state.overrun_since if seen.state else None
    return explain.instant(since) if since else None


def _row(looked: _Looked) -> JsonObject:
    seen = looked.outlook
    return {
        "policy": looked.policy.name,
        "mode": looked.policy.mode.value,
        "at": explain.instant(seen.at),
        "open": _open(looked),
        "why": _why(looked),
        "active": list(seen.state.active) if seen.state else [],
        "yields": _yields(looked),
        "overrunSince": _since(seen),
        "timeZone": seen.state.time_zone if seen.state else None,
        "nextOpening": explain.instant(seen.opening) if seen.opening else None,
        "nextClosing": explain.instant(seen.closing) if seen.closing else None,
        "error": looked.policy.error or None,
    }
