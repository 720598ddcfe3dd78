"""A request as somebody writes it down: one line, its parts, or a whole AdmissionReview.

    delete namespaces/shop as alice
    {operation: DELETE, resource: deployments.apps, namespace: shop, as: alice, oldObject: {…}}
    {review: review.json}

Whatever the form, bytes of an AdmissionReview come out, and the guard's own reader reads them.
"""

from collections.abc import Callable
from typing import Any

import orjson

from interlock.core import unstructured
from interlock.core.policies.fields import Field, Fields
from interlock.core.rehearsal import acting, reviews, sentence
from interlock.core.rehearsal.objects import Objects, group_version, has_labels, name_of
from interlock.core.review import request as reader
from interlock.core.types import JsonObject, Operation, Request
from interlock.errors import BadInput

Load = Callable[[str], Any]
"""Reads the one document of a file that somebody names.

Raises:
    BadInput: it cannot be read.
"""

PARTS = ("operation", "resource", "name", "namespace", "as", "groups", "object", "oldObject", "options", "dryRun")
MAX_TEXT_CHARACTERS = 1024
MAX_GROUPS = 64


def read(field: Field, objects: Objects, load: Load) -> Request | None:
    """Read a request; None, with a violation noted, if it cannot be."""
    before = len(field.violations)
    try:
        found = _bytes(field, objects, load)
        if len(field.violations) > before:
            return None
        return parsed(found)
    except BadInput as error:
        place = f"{field.path}: {error.field}" if error.field not in {"", sentence.FIELD} else field.path
        field.violations.append(BadInput(field=place, got=error.got, expected=error.expected))
        return None


def of_line(line: str, objects: Objects, load: Load) -> Request:
    """Read one line.

    Raises:
        BadInput: it cannot be read, or what it speaks of is not there.
    """
    return parsed(_of_line(line, objects, load))


def parsed(review: bytes) -> Request:
    """Read a review as the guard does, after the check that the API server has made of every object.

    Raises:
        BadInput: it is none, or its objects have labels that no API server stores.
    """
    request = reader.parse(review)
    if not (has_labels(request.object) and has_labels(request.old_object)):
        raise BadInput(field="metadata.labels", got="something else", expected="labels, each a text")
    return request


def _bytes(field: Field, objects: Objects, load: Load) -> bytes:
    if isinstance(field.value, str):
        return _of_line(field.value, objects, load)
    known = ("review",) if isinstance(field.value, dict) and "review" in field.value else PARTS
    fields = field.fields(known)
    if known is not PARTS:
        shown = fields["review"].value
        return orjson.dumps(load(shown) if isinstance(shown, str) else shown)
    return _of_parts(fields)


def _of_line(line: str, objects: Objects, load: Load) -> bytes:
    return acting.of_sentence(sentence.read(line), objects, load)


def _of_parts(fields: Fields) -> bytes:
    """The review of a request that is given by its parts."""
    old, new = _object(fields["oldObject"]), _object(fields["object"])
    shown: JsonObject = new or old or {}
    name = fields["name"].text(at_most=MAX_TEXT_CHARACTERS)
    operation = fields.required("operation", f"one of {', '.join(Operation)}").one_of(Operation)
    resource, subresource = reviews.resource_named(
        fields.required("resource", "a resource such as deployments.apps or pods/exec").text(
            at_most=MAX_TEXT_CHARACTERS
        ),
        version=group_version(shown)[1],
        kind=unstructured.text(shown, "kind"),
    )
    groups = fields["groups"].items(at_most=MAX_GROUPS)
    is_collection = operation is Operation.DELETE and not name
    return reviews.review(
        operation=operation or Operation.DELETE,
        resource=resource,
        kind=reviews.shown_kind(shown),
        subresource=subresource,
        name=name or ("" if is_collection else name_of(shown)),
        namespace=fields["namespace"].text(at_most=MAX_TEXT_CHARACTERS),
        user=sentence.user(
            fields.required("as", "the name of a user").text(at_most=MAX_TEXT_CHARACTERS),
            tuple(group.text(at_most=MAX_TEXT_CHARACTERS) for group in groups),
        ),
        old=old,
        new=new,
        options=_object(fields["options"]),
        dry_run=fields["dryRun"].value is True,
    )


def _object(field: Field) -> JsonObject | None:
    if field.present and not isinstance(field.value, dict):
        field.refuse("an object")
        return None
    found: JsonObject | None = field.value
    return found
