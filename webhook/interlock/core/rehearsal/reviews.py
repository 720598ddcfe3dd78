"""AdmissionReviews as an API server would send them, made of a sentence or of the parts of a request.

What is made here goes through `core.review.request` like the bytes of an API server. Shapes are those of the reviews
recorded in tests/vectors, which a test holds against these. What defaulting, mutating webhooks and the API server's
bookkeeping would add is not added: a case that depends on it has to show the review itself.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import orjson

from interlock.core import jsonbytes, unstructured
from interlock.core.rehearsal.objects import (
    DEFAULT_NAMESPACE,
    Objects,
    Resource,
    group_version,
    name_of,
    namespace_of,
)
from interlock.core.rehearsal.sentence import FIELD, Sentence, number
from interlock.core.text import printable
from interlock.core.types import JsonObject, Operation, User
from interlock.errors import BadInput

UID = "00000000-0000-4000-8000-000000000000"
"""Of every review that is made here: nobody sent it."""

Manifests = Callable[[str], JsonObject]
"""Reads the manifest that a sentence names by its file."""

_META = "meta.k8s.io/v1"
_CONNECTIONS: Mapping[str, tuple[str, str]] = {
    "exec": ("exec", "PodExecOptions"),
    "attach": ("attach", "PodAttachOptions"),
    "port-forward": ("portforward", "PodPortForwardOptions"),
}
_PROXIES = {"pods": "PodProxyOptions", "services": "ServiceProxyOptions", "nodes": "NodeProxyOptions"}
_CORE_PLURALS = {"pod": "pods", "service": "services", "node": "nodes"}
_CASCADES = {"background": "Background", "foreground": "Foreground", "orphan": "Orphan"}
_PLACES = {"label": "labels", "annotate": "annotations"}


def of_sentence(sentence: Sentence, objects: Objects, manifests: Manifests) -> bytes:
    """The review of what a sentence says.

    Raises:
        BadInput: it cannot be made: an object that the review would show is missing, or a flag makes no sense.
    """
    if sentence.verb == "apply":
        return _applied(sentence, objects, manifests(sentence.flags["--filename"]))
    if sentence.verb in _CONNECTIONS or sentence.verb == "proxy":
        return _connected(sentence)
    resource, found = objects.find(sentence.resource, sentence.name, sentence.namespace)
    return _VERBS[sentence.verb](sentence, resource, found)


def review(  # noqa: PLR0913  a review has that many parts
    *,
    operation: Operation,
    resource: Resource,
    kind: Resource | None = None,
    subresource: str = "",
    name: str,
    namespace: str,
    user: User,
    old: JsonObject | None = None,
    new: JsonObject | None = None,
    options: JsonObject | None = None,
    dry_run: bool = False,
) -> bytes:
    """One AdmissionReview.

    Args:
        operation: what is done.
        resource: on what.
        kind: of the object in the review, where it is not the resource's own.
        subresource: below the resource.
        name: of the object; empty for a member of a deletecollection.
        namespace: of the object.
        user: who asks.
        old: the object before.
        new: the object afterwards, or the options of a connection.
        options: of the operation.
        dry_run: whether nothing is to be done.
    """
    shown = kind or resource
    gvk = {"group": shown.group, "version": shown.version, "kind": shown.kind}
    gvr = {"group": resource.group, "version": resource.version, "resource": resource.plural}
    extra = {key: list(values) for key, values in user.extra.items()}
    request: JsonObject = {
        "uid": UID,
        "kind": gvk,
        "resource": gvr,
        **({"subResource": subresource} if subresource else {}),
        **({"name": name} if name else {}),
        **({"namespace": namespace} if namespace else {}),
        "operation": operation.value,
        "userInfo": {"username": user.name, "uid": user.uid, "groups": list(user.groups), "extra": extra},
        "object": new,
        "oldObject": old,
        "dryRun": dry_run,
        "options": options,
    }
    return orjson.dumps({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request})


# --------------------------------------------------------------------------------------------------------- what exists


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
    return review(resource=resource, **(given | parts))


def _delete(sentence: Sentence, resource: Resource, found: JsonObject) -> bytes:
    grace = 0 if "--force" in sentence.flags else sentence.number("--grace-period")
    cascade = sentence.flags.get("--cascade", "background")
    if cascade not in _CASCADES:
        raise BadInput(field=FIELD, got=f"--cascade {printable(cascade)}", expected=f"one of {', '.join(_CASCADES)}")
    options: JsonObject = {"kind": "DeleteOptions", "apiVersion": _META}
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
        options={"kind": "CreateOptions", "apiVersion": _META},
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
    return _update(sentence, resource, found, old=found, new=_merged(found, patch), subresource=subresource)


def _merged(target: Any, patch: Any) -> Any:  # noqa: ANN401  any JSON value
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result


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
    spec = new.setdefault("spec", {})
    spec["ephemeralContainers"] = [*unstructured.items(spec, "ephemeralContainers"), container]
    return _update(sentence, resource, found, old=found, new=new, subresource="ephemeralcontainers")


def _update(sentence: Sentence, resource: Resource, found: JsonObject, **parts: Any) -> bytes:  # noqa: ANN401  likewise
    options = {"kind": "UpdateOptions", "apiVersion": _META}
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


# ----------------------------------------------------------------------------------------- what need not exist, or does


def _connected(sentence: Sentence) -> bytes:
    """A CONNECT: its review shows the name only, so the object need not be described."""
    plural = _CORE_PLURALS.get(sentence.resource, sentence.resource)
    subresource, options_kind = _CONNECTIONS.get(sentence.verb) or ("proxy", _PROXIES.get(plural, ""))
    if not options_kind or (sentence.verb != "proxy" and plural != "pods"):
        expected = " or ".join(f"{each}/NAME" for each in (_PROXIES if sentence.verb == "proxy" else ("pods",)))
        raise BadInput(field=FIELD, got=f"{sentence.verb} {printable(sentence.resource)}", expected=expected)
    return review(
        operation=Operation.CONNECT,
        resource=Resource(group="", version="v1", kind=options_kind, plural=plural),
        subresource=subresource,
        name=sentence.name,
        namespace="" if plural == "nodes" else sentence.namespace or DEFAULT_NAMESPACE,
        user=sentence.user,
        new={"kind": options_kind, "apiVersion": "v1", **_connection_options(sentence)},
        dry_run="--dry-run" in sentence.flags,
    )


def _connection_options(sentence: Sentence) -> JsonObject:
    if sentence.verb == "port-forward":
        return {"ports": [number(word, "a port") for word in sentence.words]} if sentence.words else {}
    if sentence.verb == "proxy":
        return {"path": "/"}
    switches = {name: True for name in ("stdin", "tty") if f"--{name}" in sentence.flags}
    container = sentence.flags.get("--container", "")
    if sentence.verb == "exec" and not sentence.command:
        raise BadInput(field=FIELD, got="exec without a command", expected="-- COMMAND before as USER")
    return {
        **switches,
        "stdout": True,
        **({"container": container} if container else {}),
        **({"command": list(sentence.command)} if sentence.command else {}),
    }


def _applied(sentence: Sentence, objects: Objects, manifest: JsonObject) -> bytes:
    """A CREATE, or an UPDATE where the object is there already; what the manifest leaves out stays as it is."""
    resource = objects.resource_of(manifest)
    new = deepcopy(manifest)
    if sentence.namespace:
        new["metadata"]["namespace"] = sentence.namespace
    found = objects.has(new)
    if found is not None:
        return _update(sentence, resource, found, old=found, new=_merged(found, new))
    options = {"kind": "CreateOptions", "apiVersion": _META}
    return _on(sentence, resource, new, operation=Operation.CREATE, new=new, options=options)


def resource_named(text: str, *, version: str, kind: str) -> tuple[Resource, str]:
    """A resource as it is written in a request's parts, ``deployments.apps/scale``, and its subresource."""
    name, _, subresource = text.partition("/")
    plural, _, group = name.partition(".")
    return Resource(group=group, version=version, kind=kind, plural=plural), subresource


def shown_kind(obj: JsonObject) -> Resource:
    """The kind of an object as a review states it."""
    group, version = group_version(obj)
    return Resource(group=group, version=version, kind=unstructured.text(obj, "kind"), plural="")
