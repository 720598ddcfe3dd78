"""Family `defence`: what keeps a mistake small is taken away or made wider, and marks by which tools keep an object."""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation

from interlock.core import text, unstructured
from interlock.core.catalogue import target
from interlock.core.catalogue.entry import Entry, RoleBook, Seen
from interlock.core.catalogue.needs import changes, deletes, updates, writes
from interlock.core.catalogue.when import KEEPING_MARKS, When, marks
from interlock.core.types import JsonObject, Operation, Request, Severity

FAMILY = "defence"
LEVELS = ("privileged", "baseline", "restricted")
POD_SECURITY = "pod-security.kubernetes.io/"
INJECTION = ("istio-injection", "istio.io/rev", "linkerd.io/inject", "config.linkerd.io/admission-webhooks")

MAX_QUANTITY_RUNES = 64
"""Of a quantity; the API server writes at most 19 digits and a suffix."""

_SUFFIXES: Mapping[str, Decimal] = {
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("m", "", "k", "M", "G", "T", "P"), start=-1)},
    **{suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi"), start=1)},
}

# --------------------------------------------------------------------------------------------------- budgets, quotas


def _removed(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    yield Seen(f"delete {target.titled(request)}, which keeps mistakes small", target.reach(request))


def _loosened(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    before, after = (unstructured.mapping(state, "spec") for state in request.states)
    if found := list(_LOOSENINGS[request.resource](before, after)):
        yield Seen(f"loosen {target.titled(request)}: {text.listed(found)}", target.reach(request))


def _budget(before: JsonObject, after: JsonObject) -> Iterator[str]:
    if "minAvailable" in before and not _at_least(after.get("minAvailable"), before["minAvailable"]):
        yield "fewer pods have to stay"
    if "maxUnavailable" in before and not _at_least(before["maxUnavailable"], after.get("maxUnavailable")):
        yield "more pods may go"
    if before.get("selector") != after.get("selector"):
        yield "other pods are meant"


def _quota(before: JsonObject, after: JsonObject) -> Iterator[str]:
    allowed = unstructured.mapping(after, "hard")
    for name, limit in unstructured.mapping(before, "hard").items():
        if not _at_least(limit, allowed.get(name)):
            yield f"more {text.printable(name)}"


def _limits(before: JsonObject, after: JsonObject) -> Iterator[str]:
    if any(limit not in unstructured.items(after, "limits") for limit in unstructured.items(before, "limits")):
        yield "a limit goes or changes"


def _autoscaler(before: JsonObject, after: JsonObject) -> Iterator[str]:
    for field, fewer in (("minReplicas", "fewer replicas have to be"), ("maxReplicas", "fewer replicas may be")):
        if not _at_least(after.get(field, 1), before.get(field, 1)):
            yield fewer


_LOOSENINGS = {
    "poddisruptionbudgets": _budget,
    "resourcequotas": _quota,
    "limitranges": _limits,
    "horizontalpodautoscalers": _autoscaler,
}


def _at_least(value: object, least: object) -> bool:
    """Whether a quantity or percentage is surely no less than another; what cannot be compared is not."""
    if value == least:
        return True
    numbers = _quantity(value), _quantity(least)
    return numbers[0] is not None and numbers[1] is not None and numbers[0] >= numbers[1]


def _quantity(value: object) -> Decimal | None:
    """A resource quantity as a number (apimachinery, resource.Quantity); None for a percentage and what is none."""
    written = str(value)[:MAX_QUANTITY_RUNES]
    digits = written.rstrip("kKMGTPmi")
    try:
        number = Decimal(digits) * _SUFFIXES[written.removeprefix(digits)]
    except (InvalidOperation, KeyError):
        return None
    return number if number.is_finite() else None


# ------------------------------------------------------------------------------------------------------------- marks


def _mark_changes(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    kept = marks(request.object, KEEPING_MARKS)
    gone = [mark for mark, value in marks(request.old_object, KEEPING_MARKS).items() if kept.get(mark) != value]
    for mark in gone:
        what = "change" if mark in kept else "remove"
        yield Seen(f"{what} {mark} of {target.titled(request)}, by which {KEEPING_MARKS[mark]}", target.reach(request))


def _pod_security(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    before, after = (unstructured.mapping(state, "metadata", "labels") for state in request.states)
    for mode in ("enforce", "audit", "warn"):
        level, newly = (_level(labels.get(f"{POD_SECURITY}{mode}")) for labels in (before, after))
        if newly < level:
            yield Seen(
                f"lower pod security ({mode}) of {target.titled(request)} from {LEVELS[level]} to {LEVELS[newly]}",
                target.reach(request),
                None if mode == "enforce" else Severity.MEDIUM,
            )
    if off := [label for label in INJECTION if label in before and before[label] != after.get(label)]:
        yield Seen(
            f"change sidecar injection of {target.titled(request)}: {text.listed(off)}",
            target.reach(request),
            Severity.MEDIUM,
        )


def _level(label: object) -> int:
    """A level of the Pod Security Standards by its strictness; none, or one that nobody knows, is the least."""
    return LEVELS.index(str(label)) if label in LEVELS else 0


# ---------------------------------------------------------------------------------------------------------- networks


def _network(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if request.operation is Operation.DELETE:
        yield Seen(f"delete {target.titled(request)}, which confines traffic", target.reach(request))
        return
    before, after = (unstructured.mapping(state, "spec") for state in request.states)
    if found := list(_wider(before, after)):
        what = "loosen" if before else "create"
        yield Seen(f"{what} {target.titled(request)}: {text.listed(found)}", target.reach(request))


def _wider(before: JsonObject, after: JsonObject) -> Iterator[str]:
    """What may flow that may not have before. Policies add up: each permits, and selecting a pod is what forbids."""
    for direction in ("ingress", "egress"):
        known = unstructured.items(before, direction)
        new = [rule for rule in unstructured.items(after, direction) if rule not in known]
        if any(_permits_all(rule) for rule in new):
            yield f"{direction} from or to anywhere"
        elif new and before:
            yield f"another {direction} rule"
    if before:
        if any(
            each not in unstructured.items(after, "policyTypes") for each in unstructured.items(before, "policyTypes")
        ):
            yield "a direction is no longer confined"
        if any(before.get(field) != after.get(field) for field in ("podSelector", "endpointSelector", "selector")):
            yield "other pods are meant"


def _permits_all(rule: object) -> bool:
    """Whether an ingress or egress rule of a NetworkPolicy permits every peer; one without peers does."""
    peers = [*unstructured.items(rule, "from"), *unstructured.items(rule, "to")]
    return rule == {} or any(unstructured.text(peer, "ipBlock", "cidr") in {"0.0.0.0/0", "::/0"} for peer in peers)


SAFETY_NETS = (
    Entry(
        id="remove-safety-net",
        family=FAMILY,
        title="Delete a PodDisruptionBudget, HorizontalPodAutoscaler, ResourceQuota or LimitRange",
        severity=Severity.MEDIUM,
        rules=(
            deletes("policy", "poddisruptionbudgets"),
            deletes("autoscaling", "horizontalpodautoscalers"),
            deletes("", "resourcequotas", "limitranges"),
        ),
        misses="What it has kept from happening.",
        example="kubectl delete pdb web -n prod-shop",
        references=("T1562",),
        goes_round=("loosen-safety-net",),
        detect=_removed,
    ),
    Entry(
        id="loosen-safety-net",
        family=FAMILY,
        title="Loosen a PodDisruptionBudget, HorizontalPodAutoscaler, ResourceQuota or LimitRange",
        severity=Severity.MEDIUM,
        rules=(
            updates("policy", "poddisruptionbudgets"),
            updates("autoscaling", "horizontalpodautoscalers"),
            updates("", "resourcequotas", "limitranges"),
        ),
        misses="Values that cannot be compared, such as a number with a percentage, are taken for looser.",
        example='kubectl patch pdb web -n prod-shop --type=merge -p \'{"spec":{"minAvailable":0}}\'',
        references=("T1562",),
        goes_round=("remove-safety-net",),
        detect=_loosened,
    ),
    Entry(
        id="remove-keeping-mark",
        family=FAMILY,
        title="Remove or change a label or annotation by which a tool keeps an object",
        severity=Severity.HIGH,
        rules=(updates("*", "*/*", when=When.KEEPING_MARK_CHANGES),),
        misses="Marks of tools that are not listed; labels by which a policy selects (leave-protection finds these).",
        example="kubectl annotate pvc data-db-0 helm.sh/resource-policy- -n prod-shop",
        references=("T1562.001",),
        detect=_mark_changes,
    ),
    Entry(
        id="lower-pod-security",
        family=FAMILY,
        title="Lower the pod security level of a namespace, or change its sidecar injection",
        severity=Severity.HIGH,
        raised="Medium for the levels that only audit or warn, and for injection.",
        rules=(updates("", "namespaces/*"),),
        misses="The cluster's default level; other admission policies.",
        example="kubectl label namespace shop pod-security.kubernetes.io/enforce=privileged --overwrite",
        references=("T1562.001",),
        detect=_pod_security,
    ),
    Entry(
        id="loosen-network-policy",
        family=FAMILY,
        title="Delete a NetworkPolicy, loosen it, or create one that permits everything",
        severity=Severity.HIGH,
        rules=(
            writes("networking.k8s.io", "networkpolicies"),
            deletes("networking.k8s.io", "networkpolicies"),
            changes("policy.networking.k8s.io", "adminnetworkpolicies", "baselineadminnetworkpolicies"),
            changes("cilium.io", "ciliumnetworkpolicies", "ciliumclusterwidenetworkpolicies"),
            changes("crd.projectcalico.org", "networkpolicies", "globalnetworkpolicies"),
        ),
        misses="A rule that is narrower than the one it replaces counts as another rule; what other policies permit.",
        example="kubectl delete networkpolicy default-deny -n prod-shop",
        references=("T1562.007",),
        detect=_network,
    ),
)
