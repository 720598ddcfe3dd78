"""Is Interlock asked, and does it answer? From the webhook configuration to the status of each policy."""

from collections.abc import Iterator, Sequence

from interlock.cli.doctor.finding import Finding, bad, good, unknown
from interlock.core import unstructured
from interlock.core.interception import rules
from interlock.core.interception.rules import Delivery
from interlock.core.policies import policy
from interlock.core.policies.policy import Policy
from interlock.core.text import counted, printable
from interlock.core.types import JsonObject, Mode
from interlock.errors import BadPolicy

OWN = f".{rules.OWN_GROUP}"
SELF = f"self{OWN}"

LOGS = "kubectl -n {namespace} logs -l app.kubernetes.io/component=controller"


def armed(configuration: JsonObject | None) -> Finding:
    """There is a webhook configuration with entries: API servers ask."""
    if configuration is None:
        return bad("there is no webhook configuration: nothing is stopped or recorded", remedy="interlock arm")
    entries = _ours(configuration)
    if not entries:
        return bad("the webhook configuration is empty: no controller has filled it", remedy="interlock arm")
    return good(f"API servers ask by {counted(len(entries), 'webhook')}")


def answered(reached: bool) -> Finding:  # noqa: FBT001  the one thing that it is about
    """A guard has answered a question that went through the API server."""
    if reached:
        return good("a guard has answered through the API server that kubectl talks to")
    return bad(
        "no guard answers: the API server let a policy pass that every guard refuses",
        remedy="see `armed`, `replicas` and `certificates`; then the network between API servers and guards",
    )


def coverage(configuration: JsonObject | None, policies: Sequence[JsonObject], namespace: str) -> Finding:
    """The webhook configuration asks for all that the policies need: it is what they make of it, computed anew."""
    entries = _ours(configuration)
    if SELF not in entries:
        return bad("no policy is covered: the webhook configuration is not filled", remedy="interlock arm")
    delivery = _delivery(entries[SELF], rules.generation_of(configuration))
    wanted = {entry["name"]: entry for entry in rules.webhooks([_compiled(each) for each in policies], delivery)}
    differing = list(_differences(entries, wanted))
    if differing:
        return bad(
            "the webhook configuration is not what the policies need",
            details=differing,
            remedy=f"a controller corrects it within seconds; {LOGS.format(namespace=namespace)}",
        )
    return good(f"the webhook configuration asks for all that is needed by {_policies(len(policies))}")


def in_force(policies: Sequence[JsonObject], *, leaderless: str) -> Finding:
    """Every policy that is not Disabled says that it is in force, in its newest version.

    Args:
        policies: with the status that the leading controller writes.
        leaderless: why nobody writes it at present; empty if somebody does.
    """
    if leaderless and policies:
        return unknown(f"the status of policies is not kept up to date: {leaderless}", remedy="see `leases`")
    wanted = [each for each in policies if unstructured.text(each, "spec", "mode") != Mode.DISABLED]
    lacking = [f"{each['metadata']['name']}: {why}" for each in wanted if (why := _why_not_in_force(each))]
    if lacking:
        return bad(
            f"{len(lacking)} of {_policies(len(wanted))} not in force",
            details=lacking,
            remedy="kubectl describe dangerpolicies",
        )
    if not wanted:
        return good("there is no policy to be in force: nothing but Interlock's own kinds is intercepted")
    return good(f"{_policies(len(wanted))} in force")


def _ours(configuration: JsonObject | None) -> dict[str, JsonObject]:
    entries = unstructured.items(configuration, "webhooks")
    return {entry["name"]: entry for entry in entries if entry["name"].endswith(OWN)}


def _delivery(entry: JsonObject, generation: int) -> Delivery:
    """Where reviews go, as the configuration has it: whether that leads to a guard, the probe shows."""
    client = unstructured.mapping(entry, "clientConfig")
    service = unstructured.mapping(client, "service")
    return Delivery(
        namespace=unstructured.text(service, "namespace"),
        service=unstructured.text(service, "name"),
        port=unstructured.integer(service, "port") or 0,
        ca_bundle=unstructured.text(client, "caBundle"),
        generation=generation,
        path_secret=unstructured.text(service, "path").rpartition("/")[2],
    )


def _compiled(obj: JsonObject) -> Policy:
    try:
        return policy.parse(obj)
    except BadPolicy as error:
        return policy.broken(obj, error.diagnostics())


def _differences(found: dict[str, JsonObject], wanted: dict[str, JsonObject]) -> Iterator[str]:
    for name in sorted(found.keys() | wanted.keys()):
        if name not in found:
            yield f"{name} is missing"
        elif name not in wanted:
            yield f"{name} is not needed"
        elif fields := _differing(found[name], wanted[name]):
            yield f"{name} has other {', '.join(fields)}"


def _differing(found: JsonObject, wanted: JsonObject) -> list[str]:
    return [field for field in sorted(found.keys() | wanted.keys()) if found.get(field) != wanted.get(field)]


def _why_not_in_force(obj: JsonObject) -> str:
    metadata, status = unstructured.mapping(obj, "metadata"), unstructured.mapping(obj, "status")
    if status.get("observedGeneration") != metadata.get("generation"):
        return "no controller has seen its newest version"
    conditions = {unstructured.text(each, "type"): each for each in unstructured.items(status, "conditions")}
    for kind in ("Ready", "InForce"):
        if unstructured.text(conditions.get(kind), "status") != "True":
            return printable(unstructured.text(conditions.get(kind), "message") or f"{kind} is not known", 500)
    return ""


def _policies(number: int) -> str:
    return "1 policy" if number == 1 else f"{number} policies"
