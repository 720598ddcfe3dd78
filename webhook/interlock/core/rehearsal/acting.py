"""Reviews of what a sentence says; a test holds their shapes against those recorded in tests/vectors."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from interlock.core import jsonbytes, unstructured
from interlock.core.mergepatch import merged
from interlock.core.rehearsal import connecting, reviews
from interlock.core.rehearsal.objects import Objects, Resource, is_manifest, name_of, namespace_of
from interlock.core.rehearsal.reviews import META
from interlock.core.rehearsal.sentence import FIELD, Sentence
from interlock.core.text import printable
from interlock.core.types import JsonObject, Operation
from interlock.errors import BadInput

Manifests = Callable[[str], Any]
"""Reads the manifest that a sentence names by its file."""

_CASCADES = {"background": "Background", "foreground": "Foreground", "orphan": "Orphan"}
_PLACES = {"label": "labels", "annotate": "annotations"}


def of_sentence(sentence: Sentence, objects: Objects, manifests: Manifests) -> bytes:
    """The review of what a sentence says.

    Raises:
        BadInput: it cannot be made: an object that the review would show is missing, or a flag makes no sense.
    """
    if sentence.verb == "apply":
        return _applied(sentence, objects, manifests(sentence.flags["--filename"]))
    if sentence.verb in connecting.VERBS:
        return connecting.review(sentence)
    resource, found = objects.find(sentence.resource, sentence.name, sentence.namespace)
    return _VERBS[sentence.verb](sentence, resource, found)


def _applied(sentence: Sentence, objects: Objects, manifest: Any) -> bytes:  # noqa: ANN401  whatever the file holds
    """A CREATE, or an UPDATE where the object is there already; what the manifest leaves out stays as it is."""
    if not is_manifest(manifest):
        raise BadInput(
            field=sentence.flags["--filename"],
            got="something else",
            expected="an object with apiVersion, kind, metadata.name",
        )
    resource = objects.resource_of(manifest)
    new = deepcopy(manifest)
    if sentence.namespace:
        new["metadata"]["namespace"] = sentence.namespace
    found = objects.has(new)
    if found is not None:
        return _update(sentence, resource, found, old=found, new=merged(found, new))
    options = {"kind": "CreateOptions", "apiVersion": META}
    return _on(sentence, resource, new, operation=Operation.CREATE, new=new, options=options)


def _on(sentence: Sentence, resource: Resource, found: JsonObject, **parts: Any) -> bytes:  # noqa: ANN401  of `review`
    """A review about an object that exists."""
    name = name_of(found)
    is_namespace = (resource.group, resource.plural) == ("", "namespaces")
    where = name if is_namespace else namespace_of(found)
    given: JsonObject = {
        "name": name,
        "namespace": where,
        "user": sentence.user,
        "dry_run": "--dry-run" in sentence.flags,
    }
    return reviews.review(resource=resource, **(given | parts))


def _delete(sentence: Sentence, resource: Resource, found: JsonObject) -> bytes:
    grace = 0 if "--force" in sentence.flags else sentence.number("--grace-period")
    cascade = sentence.flags.get("--cascade", "background")
    if cascade not in _CASCADES:
        raise BadInput(field=FIELD, got=f"--cascade {printable(cascade)}", expected=f"one of {', '.join(_CASCADES)}")
    options: JsonObject = {"kind": "DeleteOptions", "apiVersion": META}
    options |= {} if grace is None else {"gracePeriodSeconds": grace}
    options |= {"propagationPolicy": _CASCADES[cascade]}
    member = {"name": ""} if sentence.verb == "deletecollection" else {}
    return _on(sentence, resource, found, operation=Operation.DELETE, old=found, options=options, **member)


def _evict(sentence: Sentence, resource: Resource, found: JsonObject) -> bytes:
    _demand(sentence, resource, "pods")
    grace = sentence.number("--grace-period")
    metadata = {"name": name_of(found), "namespace": namespace_of(found)}
    options = {} if grace is None else {"deleteOptions": {"gracePeriodSeconds": grace}}
    eviction: JsonObject = {"kind": "Eviction", "apiVersion": "policy/v1", "metadata": metadata, **options}
    return _on(
        sentence,
        resource,
        found,
        operation=Operation.CREATE,
        kind=Resource(group="policy", version="v1", kind="Eviction", plural=""),
        subresource="eviction",
        new=eviction,
        options={"kind": "CreateOptions", "apiVersion": META},
    )


def _scale(sentence: Sentence, resource: Resource, found: JsonObject) -> bytes:
    replicas = sentence.number("--replicas")
    if replicas is None:
        raise BadInput(field=FIELD, got="scale without --replicas", expected="--replicas NUMBER")
    before = unstructured.integer(found, "spec", "replicas")
    return _update(
        sentence,
        resource,
        found,
        old=_scale_of(found, 1 if before is None else before),
        new=_scale_of(found, replicas),
        kind=Resource(group="autoscaling", version="v1", kind="Scale", plural=""),
        subresource="scale",
    )


def _scale_of(found: JsonObject, replicas: int) -> JsonObject:
    """A Scale as it is written: zero replicas are left out."""
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    metadata = {key: value for key, value in found["metadata"].items() if key in kept}
    spec = {"replicas": replicas} if replicas else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec}


def _mark(sentence: Sentence, resource: Resource, found: JsonObject) -> bytes:
    """`label` and `annotate`: KEY=VALUE sets, KEY- takes away."""
    place = _PLACES[sentence.verb]
    new = deepcopy(found)
    marks: JsonObject = dict(unstructured.mapping(new, "metadata", place))
    if not sentence.words:
        raise BadInput(field=FIELD, got=f"{sentence.verb} and nothing to set", expected="KEY=VALUE or KEY-")
    for word in sentence.words:
        key, equals, value = word.partition("=")
        if equals and key:
            marks[key] = value
        elif word.endswith("-") and len(word) > 1:
            marks.pop(word[:-1], None)
        else:
            raise BadInput(field=FIELD, got=printable(word), expected="KEY=VALUE or KEY-")
    new["metadata"][place] = marks
    return _update(sentence, resource, found, old=found, new=new)


def _patch(sentence: Sentence, resource: Resource, found: JsonObject) -> bytes:
    """A JSON merge patch (RFC 7396)."""
    text = sentence.flags.get("--patch", "")
    patch = jsonbytes.loads(text.encode()) if text else None
    if not isinstance(patch, dict):
        raise BadInput(field=FIELD, got=printable(text) or "no patch", expected="-p with a JSON merge patch, an object")
    subresource = sentence.flags.get("--subresource", "")
    return _update(sentence, resource, found, old=found, new=merged(found, patch), subresource=subresource)


def _debug(sentence: Sentence, resource: Resource, found: JsonObject) -> bytes:
    _demand(sentence, resource, "pods")
    image = sentence.flags.get("--image", "")
    if not image:
        raise BadInput(field=FIELD, got="debug without --image", expected="--image IMAGE")
    target = sentence.flags.get("--target", "")
    container: JsonObject = {  # as kubectl makes it by its default profile, general
        "name": sentence.flags.get("--container", "debugger"),
        "image": image,
        "stdin": True,
        "tty": True,
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"capabilities": {"add": ["SYS_PTRACE"]}},
        **({"targetContainerName": target} if target else {}),
    }
    new = deepcopy(found)
    there = unstructured.items(new, "spec", "ephemeralContainers")
    new["spec"] = unstructured.mapping(new, "spec") | {"ephemeralContainers": [*there, container]}
    return _update(sentence, resource, found, old=found, new=new, subresource="ephemeralcontainers")


def _update(sentence: Sentence, resource: Resource, found: JsonObject, **parts: Any) -> bytes:  # noqa: ANN401  likewise
    options = {"kind": "UpdateOptions", "apiVersion": META}
    return _on(sentence, resource, found, operation=Operation.UPDATE, options=options, **parts)


def _demand(sentence: Sentence, resource: Resource, plural: str) -> None:
    """See that a verb is used on the one resource that has it.

    Raises:
        BadInput: it is another one.
    """
    if (resource.group, resource.plural) != ("", plural):
        raise BadInput(field=FIELD, got=f"{sentence.verb} {resource}", expected=f"{sentence.verb} {plural}/NAME")


_VERBS: Mapping[str, Callable[[Sentence, Resource, JsonObject], bytes]] = {
    "delete": _delete,
    "deletecollection": _delete,
    "evict": _evict,
    "scale": _scale,
    "label": _mark,
    "annotate": _mark,
    "patch": _patch,
    "debug": _debug,
}
