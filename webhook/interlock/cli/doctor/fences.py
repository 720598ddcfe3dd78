"""The admission policies around Interlock's own namespace: they hold with Interlock dead, as long as they exist."""

from collections.abc import Sequence

from interlock.cli.doctor.finding import Finding, bad, good
from interlock.cli.installation import FENCES
from interlock.core import unstructured
from interlock.core.types import JsonObject

POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
NAME = "kubernetes.io/metadata.name"


def fences(found: Sequence[JsonObject], namespace: str) -> Finding:
    """Each of the chart's admission policies exists, fails closed, speaks of our namespace, and is bound to deny."""
    by_name = {(unstructured.text(each, "kind"), each["metadata"]["name"]): each for each in found}
    faults = [
        fault
        for name in FENCES
        if (fault := _fault(by_name.get((POLICY, name)), by_name.get((BINDING, name)), namespace, name))
    ]
    if faults:
        return bad(
            f"Interlock's namespace is not guarded as the chart has it: {namespace}",
            details=faults,
            remedy="helm upgrade makes them again",
        )
    return good(f"{len(FENCES)} admission policies guard {namespace}")


def _fault(policy: JsonObject | None, binding: JsonObject | None, namespace: str, name: str) -> str:
    if policy is None:
        return f"{name} does not exist"
    if unstructured.text(policy, "spec", "failurePolicy") != "Fail":
        return f"{name} lets pass what it cannot evaluate"
    selector = unstructured.mapping(policy, "spec", "matchConstraints", "namespaceSelector", "matchLabels")
    if selector != {NAME: namespace}:
        return f"{name} does not speak of {namespace}"
    return _binding_fault(binding, name)


def _binding_fault(binding: JsonObject | None, name: str) -> str:
    if unstructured.text(binding, "spec", "policyName") != name:
        return f"{name} is bound by nothing"
    if "Deny" not in unstructured.texts(binding, "spec", "validationActions"):
        return f"{name} denies nothing"
    if unstructured.mapping(binding, "spec", "matchResources"):
        return f"{name} is narrowed by its binding"
    return ""
