"""The processes: how many, whom guards answer, how fresh what they say and know is, whether lanes are certified.

Guards and the leading controller tell of themselves in Leases. A guard says there which policies it has seen, so that
nothing has to be asked of its pod, which admission policies keep everybody out of.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from interlock import settings
from interlock.cli.doctor.finding import Finding, bad, good, unknown
from interlock.cli.installation import COMPONENT, CONTROLLERS, DEPLOYMENTS, GUARDS, RECORDS
from interlock.core import unstructured
from interlock.core.interception import rules
from interlock.core.text import counted
from interlock.core.types import JsonObject

FEWEST_GUARDS = 2
"""With one, every update or eviction stops what enforcing policies cover until it is back."""

LEASE_AGE = timedelta(seconds=2 * settings.GUARD_LEASE_FRESH_SECONDS)
"""Twice what guards and controllers believe each other for: the rest is for clocks that differ from ours."""

PODS = "kubectl -n {namespace} describe pods"


def replicas(deployments: Sequence[JsonObject], namespace: str) -> Finding:
    """The Deployments have all the pods that they want, and there are at least two guards."""
    found = {each["metadata"]["name"]: each for each in deployments}
    wanted = [
        name for name in DEPLOYMENTS if name != RECORDS or name in found
    ]  # records.enabled says whether it is there
    faults = [fault for name in wanted if (fault := _replica_fault(name, found.get(name)))]
    if faults:
        remedy = f"{PODS.format(namespace=namespace)}; guard.replicas in the chart's values"
        return bad("too few processes run", details=faults, remedy=remedy)
    ready = " and ".join(f"{_ready(found[name])} of {name}" for name in wanted)
    return good(f"pods that are ready: {ready}")


def callers(pods: Sequence[JsonObject]) -> Finding:
    """Guards answer only who proves to be an API server."""
    arguments = [_arguments(pod) for pod in _guards(pods)]
    if not arguments:
        return unknown("no guard is ready, so none says whom it answers")
    if any("--accept-unproven-callers" in given for given in arguments):
        return bad(
            "guards answer callers that prove nothing: every pod can ask what policies say, and fill the ledger",
            remedy="helm upgrade with guard.acceptUnprovenCallers=false",
        )
    if proves_by_certificate(pods):
        return good("guards ask API servers for a certificate")
    return good("callers prove themselves by the secret in the webhook's path, see may-read-path")


def proves_by_certificate(pods: Sequence[JsonObject]) -> bool:
    """Whether all guards that are ready ask for a client certificate."""
    arguments = [_arguments(pod) for pod in _guards(pods)]
    return bool(arguments) and all(any(each.startswith("--caller-ca-file") for each in given) for given in arguments)


def leases(pods: Sequence[JsonObject], found: Sequence[JsonObject], now: datetime, namespace: str) -> Finding:
    """Every guard that is ready, and the controller that leads, have renewed their Leases lately."""
    by_name = {each["metadata"]["name"]: each for each in found}
    wanted = [*_names_of_guards(pods), settings.CONTROLLER_LEASE]
    faults = [fault for name in wanted if (fault := _lease_fault(name, by_name.get(name), now))]
    if faults:
        return bad("who should say that it lives does not", details=faults, remedy=PODS.format(namespace=namespace))
    return good(f"{counted(len(wanted), 'Lease')} renewed within {LEASE_AGE.seconds} s")


def leaderless(found: Sequence[JsonObject], now: datetime) -> str:
    """Why no controller leads; empty if one does."""
    lease = next((each for each in found if each["metadata"]["name"] == settings.CONTROLLER_LEASE), None)
    return _lease_fault(settings.CONTROLLER_LEASE, lease, now)


def snapshots(
    pods: Sequence[JsonObject], found: Sequence[JsonObject], configuration: JsonObject | None, namespace: str
) -> Finding:
    """Every guard that is ready decides by policies as new as those that API servers ask by."""
    published = rules.generation_of(configuration)
    behind = [
        f"{name} has seen policies as of {seen}, API servers ask by {published}"
        for name, seen in _annotated(pods, found, settings.GENERATION_ANNOTATION)
        if int(seen or 0) < published
    ]
    if behind:
        return bad(
            "guards decide by policies that are too old",
            details=behind,
            remedy=f"kubectl -n {namespace} logs -l {COMPONENT}=guard",
        )
    return good("every guard has seen the policies that API servers ask by")


def certified(pods: Sequence[JsonObject], found: Sequence[JsonObject], namespace: str) -> Finding:
    """The chain of records of every guard that is ready is certified by the notary key."""
    lacking = [name for name, value in _annotated(pods, found, settings.CERTIFIED_ANNOTATION) if value != "true"]
    if lacking:
        return bad(
            "records are being written that nothing proves yet",
            details=[f"the lane of {name} is not certified" for name in lacking],
            remedy=f"a controller certifies it; kubectl -n {namespace} rollout status deployment/{CONTROLLERS}",
        )
    return good("the lane of every guard is certified")


def _replica_fault(name: str, deployment: JsonObject | None) -> str:
    if deployment is None:
        return f"there is no Deployment {name}"
    wanted, ready = unstructured.integer(deployment, "spec", "replicas") or 0, _ready(deployment)
    if ready < max(wanted, 1):
        return f"{name}: {ready} of {counted(wanted, 'pod')} ready"
    if name == GUARDS and wanted < FEWEST_GUARDS:
        return f"{name}: {counted(wanted, 'pod')} wanted, at least {FEWEST_GUARDS} expected"
    return ""


def _ready(deployment: JsonObject) -> int:
    return unstructured.integer(deployment, "status", "readyReplicas") or 0


def _lease_fault(name: str, lease: JsonObject | None, now: datetime) -> str:
    renewed = unstructured.text(lease, "spec", "renewTime")
    if lease is None or not renewed:
        return f"{name} has no Lease"
    if not unstructured.text(lease, "spec", "holderIdentity"):
        return f"Lease {name} is held by nobody"
    age = now - datetime.fromisoformat(renewed)
    return f"Lease {name} was renewed {age.total_seconds():.0f} s ago" if age > LEASE_AGE else ""


def _annotated(pods: Sequence[JsonObject], found: Sequence[JsonObject], key: str) -> Iterator[tuple[str, str]]:
    """What the Lease of each guard that is ready says under an annotation; empty where there is no Lease."""
    by_name = {each["metadata"]["name"]: each for each in found}
    for name in _names_of_guards(pods):
        yield name, unstructured.text(by_name.get(name), "metadata", "annotations", key)


def _names_of_guards(pods: Sequence[JsonObject]) -> list[str]:
    return sorted(pod["metadata"]["name"] for pod in _guards(pods))


def _guards(pods: Sequence[JsonObject]) -> list[JsonObject]:
    """Guards that are ready and stay."""
    return [
        pod
        for pod in pods
        if unstructured.text(pod, "metadata", "labels", COMPONENT) == "guard"
        and "deletionTimestamp" not in pod["metadata"]
        and _is_ready(pod)
    ]


def _is_ready(pod: JsonObject) -> bool:
    conditions = unstructured.items(pod, "status", "conditions")
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def _arguments(pod: JsonObject) -> tuple[str, ...]:
    containers = unstructured.items(pod, "spec", "containers")
    return tuple(argument for container in containers for argument in unstructured.texts(container, "args"))
