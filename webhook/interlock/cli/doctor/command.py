"""The command: every check in turn, as text or JSON, and an exit code for machines."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import partial
from typing import Annotated

import orjson
import typer

from interlock.cli.doctor import certificates, fences, guards, interception, log, powers, store
from interlock.cli.doctor.finding import Finding, Status, good, unknown
from interlock.cli.doctor.look import Look
from interlock.cli.doctor.powers import Power
from interlock.cli.kubectl import Kubectl
from interlock.cli.options import DEFAULT_NAMESPACE, Context, Kubeconfig, Namespace
from interlock.cli.telling import errors_told
from interlock.core.text import counted
from interlock.errors import ClusterError

Check = Callable[[Look], Finding]

MARKS = {Status.OK: "ok", Status.BAD: "BAD", Status.UNKNOWN: "?"}

CHECKS: Mapping[str, Check] = {
    "armed": lambda look: interception.armed(look.configuration),
    "answered": lambda look: interception.answered(look.answered),
    "coverage": lambda look: interception.coverage(look.configuration, look.policies, look.namespace),
    "in-force": lambda look: interception.in_force(look.policies, leaderless=guards.leaderless(look.leases, look.now)),
    "replicas": lambda look: guards.replicas(look.deployments, look.namespace),
    "callers": lambda look: guards.callers(look.pods),
    "leases": lambda look: guards.leases(look.pods, look.leases, look.now, look.namespace),
    "snapshots": lambda look: guards.snapshots(look.pods, look.leases, look.configuration, look.namespace),
    "certified": lambda look: guards.certified(look.pods, look.leases, look.namespace),
    "checkpoints": lambda look: log.checkpoints(look.checkpoints, look.now, look.namespace),
    "shipped": lambda look: log.shipped(look.checkpoints, look.deployments, look.standing, look.namespace),
    "certificates": lambda look: certificates.certificates(
        look.configuration, look.serving_certificate, look.now, look.namespace
    ),
    "fences": lambda look: fences.fences(look.fences, look.namespace),
}

POWERS: Mapping[str, Power] = {
    "may-disarm": powers.DISARM,
    "may-change-policies": powers.CHANGE_POLICIES,
    "may-read-keys": powers.READ_KEYS,
    "may-become-others": powers.BECOME_OTHERS,
    "may-write-records": powers.WRITE_RECORDS,
    "may-change-guards": powers.CHANGE_GUARDS,
    "may-enter-nodes": powers.ENTER_NODES,
}


class Output(StrEnum):
    """How to print."""

    TEXT = "text"
    JSON = "json"


def doctor(
    *,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            help="Somebody who is meant to have what the checks called may-… look for: User/NAME, Group/NAME or "
            "ServiceAccount/NAMESPACE/NAME. May be repeated.",
        ),
    ] = None,
    of_store: Annotated[
        str,
        typer.Option(
            "--store",
            help="Look at a bucket instead: s3://BUCKET/PREFIX?endpoint=URL. Everything that could undo its object "
            "lock is tried, on an object made for it, with the credentials that AWS's own tools would take.",
        ),
    ] = "",
    namespace: Namespace = DEFAULT_NAMESPACE,
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    output: Annotated[Output, typer.Option("--output", "-o", help="text, or one JSON object.")] = Output.TEXT,
) -> None:
    """Check that Interlock is in force, and who could change that; or that a bucket really locks what it holds.

    Exit code: 0 if every check is good, 1 if one is not or could not be made.
    """
    with errors_told():
        found = store.checks(of_store) if of_store else _looked(kubeconfig, context, namespace, frozenset(expect or ()))
    typer.echo(_json(found) if output is Output.JSON else "\n".join(text(found)))
    raise typer.Exit(0 if _healthy(found) else 1)


def _looked(kubeconfig: str, context: str, namespace: str, expected: frozenset[str]) -> Mapping[str, Finding]:
    look = Look(Kubectl(kubeconfig=kubeconfig, context=context), namespace)
    return {name: _tried(check, look) for name, check in _checks(expected).items()}


def text(found: Mapping[str, Finding]) -> Iterator[str]:
    """The findings for a person: a line each, what it speaks of below it, and a last line that counts."""
    width = max(map(len, found))
    for name, finding in found.items():
        yield f"{MARKS[finding.status]:<3}  {name:<{width}}  {finding.text}"
        beneath = [*finding.details, *([f"-> {finding.remedy}"] if finding.remedy else [])]
        yield from (f"{'':{width + 7}}{line}" for line in beneath)
    counts = {status: sum(finding.status is status for finding in found.values()) for status in Status}
    yield (
        f"{counted(len(found), 'check')}: {counts[Status.OK]} ok, {counts[Status.BAD]} bad, "
        f"{counts[Status.UNKNOWN]} not to be looked at"
    )


def _checks(expected: frozenset[str]) -> Mapping[str, Check]:
    of_powers = {name: partial(_power, power, expected) for name, power in POWERS.items()}
    return {**CHECKS, **of_powers, "may-read-path": partial(_may_read_path, expected)}


def _power(power: Power, expected: frozenset[str], look: Look) -> Finding:
    return powers.held(power, look.grants, namespace=look.namespace, expected=expected)


def _may_read_path(expected: frozenset[str], look: Look) -> Finding:
    """Who may read the path matters only where it is what a caller proves itself by."""
    if guards.proves_by_certificate(look.pods):
        return good("the webhook's path alone proves nothing: guards ask for a certificate")
    return _power(powers.READ_PATH, expected, look)


def _tried(check: Check, look: Look) -> Finding:
    try:
        return check(look)
    except ClusterError as error:
        return unknown(str(error), remedy="look as somebody who may read this")


def _healthy(found: Mapping[str, Finding]) -> bool:
    return all(finding.status is Status.OK for finding in found.values())


def _json(found: Mapping[str, Finding]) -> str:
    checks = [
        {
            "check": name,
            "status": finding.status.value,
            "text": finding.text,
            "details": list(finding.details),
            "remedy": finding.remedy,
        }
        for name, finding in found.items()
    ]
    return orjson.dumps({"healthy": _healthy(found), "checks": checks}).decode()
