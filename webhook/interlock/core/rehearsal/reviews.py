"""AdmissionReviews as an API server would send them, made of the parts of a request.

What is made here goes through `core.review.request` like the bytes of an API server. What defaulting, mutating webhooks
and the API server's bookkeeping would add is not added: a case that depends on it has to show the review itself.
"""

import orjson

from interlock.core import unstructured
from interlock.core.rehearsal.objects import Resource, group_version
from interlock.core.scopes import needs_namespace
from interlock.core.types import JsonObject, Operation, User
from interlock.errors import BadInput

UID = "00000000-0000-4000-8000-000000000000"
"""Of every review that is made here: nobody sent it."""

META = "meta.k8s.io/v1"
"""API version of the options of operations."""


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

    Raises:
        BadInput: the object has no namespace, and objects of its kind have.
    """
    if not namespace and needs_namespace(resource.group, resource.plural):
        raise BadInput(field="namespace", got="nothing", expected=f"the namespace of {resource} {name}".rstrip())
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


def resource_named(text: str, *, version: str, kind: str) -> tuple[Resource, str]:
    """A resource as it is written in a request's parts, ``deployments.apps/scale``, and its subresource."""
    name, _, subresource = text.partition("/")
    plural, _, group = name.partition(".")
    return Resource(group=group, version=version, kind=kind, plural=plural), subresource


def shown_kind(obj: JsonObject) -> Resource:
    """The kind of an object as a review states it."""
    group, version = group_version(obj)
    return Resource(group=group, version=version, kind=unstructured.text(obj, "kind"), plural="")
