"""Pod specs, in whatever kind of workload they stand, and what of them a write newly brings.

A trait is a short phrase that says one thing about a pod spec; what a write brings is the traits of the new object that
the old one had not. So a change of a replica count finds nothing, however privileged the pods have been all along.
"""

from collections.abc import Callable, Iterator, Mapping

from interlock.core import text, unstructured
from interlock.core.catalogue import target
from interlock.core.catalogue.entry import Rule
from interlock.core.catalogue.needs import CREATE, creates, updates, writes
from interlock.core.types import JsonObject, Request

Traits = Callable[[JsonObject], Iterator[str]]

_TEMPLATE = ("spec", "template", "spec")
_PATHS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("", "pods"): ("spec",),
    ("", "podtemplates"): ("template", "spec"),
    ("", "replicationcontrollers"): _TEMPLATE,
    ("apps", "deployments"): _TEMPLATE,
    ("apps", "statefulsets"): _TEMPLATE,
    ("apps", "daemonsets"): _TEMPLATE,
    ("apps", "replicasets"): _TEMPLATE,
    ("batch", "jobs"): _TEMPLATE,
    ("batch", "cronjobs"): ("spec", "jobTemplate", "spec", "template", "spec"),
    ("argoproj.io", "rollouts"): _TEMPLATE,
    ("apps.kruise.io", "clonesets"): _TEMPLATE,
    ("apps.kruise.io", "statefulsets"): _TEMPLATE,
    ("apps.kruise.io", "daemonsets"): _TEMPLATE,
    ("serving.knative.dev", "services"): _TEMPLATE,
}

CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


_KINDS: Mapping[str, tuple[str, ...]] = {
    group: tuple(resource for each, resource in _PATHS if each == group) for group, _ in _PATHS
}

CREATIONS: tuple[Rule, ...] = tuple(creates(group, *resources) for group, resources in _KINDS.items())
"""Creations of pods and of everything that makes pods."""

WRITES: tuple[Rule, ...] = (
    *(writes(group, *resources) for group, resources in _KINDS.items()),
    updates("", "pods/ephemeralcontainers"),
)
"""Creations and updates of pods and of everything that makes pods."""


def spec(request: Request, state: JsonObject | None) -> JsonObject:
    """The pod spec of a pod or workload; empty if there is none."""
    return unstructured.mapping(state, *_PATHS.get((request.group, request.resource), ("spec",)))


def brought(request: Request, traits: Traits) -> list[str]:
    """The traits that the request newly brings, each once, in their order."""
    before = set(traits(spec(request, request.old_object)))
    return [trait for trait in dict.fromkeys(traits(spec(request, request.object))) if trait not in before]


def written(request: Request) -> str:
    """The beginning of a sentence about a write, for example ``create Pod web in shop``."""
    return f"{'create' if request.operation is CREATE else 'change'} {target.titled(request)}"


def containers(pod: JsonObject) -> Iterator[JsonObject]:
    """Containers of every sort."""
    for field in CONTAINERS:
        yield from (each for each in unstructured.items(pod, field) if isinstance(each, dict))


def named(container: object) -> str:
    """A container by name, for example ``container app``."""
    return f"container {text.printable(unstructured.text(container, 'name')) or 'without a name'}"


def volumes(pod: JsonObject) -> Iterator[JsonObject]:
    """Its volumes."""
    return (each for each in unstructured.items(pod, "volumes") if isinstance(each, dict))


def host_paths(pod: JsonObject) -> Iterator[str]:
    """Paths of the node that it mounts, without what makes no difference in them."""
    for volume in volumes(pod):
        if path := unstructured.text(volume, "hostPath", "path"):
            yield "/" + "/".join(part for part in path.split("/") if part not in {"", "."})
