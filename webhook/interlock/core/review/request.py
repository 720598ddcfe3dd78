"""An AdmissionReview's bytes, as the API server sends them, to a Request; or a refusal that names what is wrong.

Nothing but BadReview comes out of bad bytes. It carries the review's uid wherever that can be found, also in a text
that is cut off or cannot be read, so that a well-formed denial can be sent: an answer that is none leaves the decision
to the webhook's failurePolicy, and that may be Ignore.

What the API server leaves out is filled in: the name of a member of a deletecollection (the review has none) and of a
new object whose name was generated, and the namespace of a Namespace (its own name). What a review must have to be
judged is demanded: the new object of a CREATE or UPDATE, the old one of an UPDATE and of a deletion without a name.

Kinds and resources are not looked up anywhere: one that nobody knows is judged by the names it has.
"""

import re
from typing import Annotated, Any

import msgspec

from interlock.core import jsonbytes, unstructured
from interlock.core.text import printable
from interlock.core.types import JsonObject, Operation, Request, User
from interlock.errors import BadInput, BadReview

MAX_REVIEW_BYTES = 16 * 2**20
"""16 MiB. An UPDATE carries two objects of up to 3 MiB each, and escapes may double a text."""

API_VERSION = "admission.k8s.io/v1"
KIND = "AdmissionReview"
MAX_UID_RUNES = 128
"""A review's uid is a UUID, 36 characters; whatever it is, it is sent back."""

_UID_SCAN_BYTES = 4096
"""The uid is the first field of `request`, within the first 100 bytes as Go writes them."""

_UID = re.compile(rb'"request"\s*:\s*\{\s*"uid"\s*:\s*"([0-9A-Za-z-]{1,128})"')
_MISMATCH = re.compile(r"Expected `(?P<expected>[^`]*)`, got `(?P<got>[^`]*)`")
_MISSING = re.compile(r"missing required field `(?P<field>[^`]*)`")
_PLACE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")


class _Wire(msgspec.Struct, frozen=True, rename="camel"):
    """What is read of admission.k8s.io/v1; fields that we do not read may be anything."""


class _GroupVersionKind(_Wire, frozen=True):
    kind: str


class _GroupVersionResource(_Wire, frozen=True):
    group: str
    version: str
    resource: str


class _UserInfo(_Wire, frozen=True):
    username: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: dict[str, tuple[str, ...] | None] = msgspec.field(default_factory=dict)  # Go writes an empty list as null


class _AdmissionRequest(_Wire, frozen=True):
    uid: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_UID_RUNES)]
    kind: _GroupVersionKind
    resource: _GroupVersionResource
    operation: Operation
    user_info: _UserInfo
    sub_resource: str = ""
    name: str = ""
    namespace: str = ""
    object: dict[str, Any] | None = None
    old_object: dict[str, Any] | None = None
    options: dict[str, Any] | None = None
    dry_run: bool = False


class _AdmissionReview(_Wire, frozen=True):
    request: _AdmissionRequest


def parse(body: bytes) -> Request:
    """Read one AdmissionReview.

    Raises:
        BadReview: the bytes are none that can be decided: not JSON in UTF-8, cut off, too large, too deep, of another
            version or kind, with a key twice in one object, with a field of the wrong type or without one that is
            needed.
    """
    uid = scanned_uid(body)
    try:
        value = _read(body)
        uid = uid or _uid_in(value)
        _demand_review(value, body)
        return _request(_converted(value).request)
    except BadInput as error:
        raise BadReview(field=error.field, got=error.got, expected=error.expected, uid=uid) from error


def scanned_uid(body: bytes) -> str:
    """The review's uid as it stands near the beginning, whatever else the bytes are; empty if it does not."""
    found = _UID.search(body, 0, _UID_SCAN_BYTES)
    return found[1].decode("ascii") if found else ""


def _uid_in(value: JsonObject) -> str:
    uid = unstructured.text(value, "request", "uid")
    return uid if len(uid) <= MAX_UID_RUNES else ""


def _read(body: bytes) -> JsonObject:
    if len(body) > MAX_REVIEW_BYTES:
        raise BadInput(field="", got=f"{len(body)} bytes", expected=f"at most {MAX_REVIEW_BYTES}")
    value = jsonbytes.loads(body)
    if not isinstance(value, dict):
        raise BadInput(field="", got=type(value).__name__, expected=f"an {KIND}")
    return value


def _demand_review(value: JsonObject, body: bytes) -> None:
    for field, expected in (("apiVersion", API_VERSION), ("kind", KIND)):
        if value.get(field) != expected:
            raise BadInput(field=field, got=printable(repr(value.get(field, "nothing")), 80), expected=expected)
    repeated = jsonbytes.duplicate_key(body, value)
    if repeated is not None:
        raise BadInput(field=printable(repeated), got="the key more than once in one object", expected="every key once")


def _converted(value: JsonObject) -> _AdmissionReview:
    try:
        return msgspec.convert(value, _AdmissionReview)
    except msgspec.ValidationError as error:
        raise _explained(str(error), value) from error


def _explained(complaint: str, value: JsonObject) -> BadInput:
    place = _PLACE.search(complaint)
    path = printable(place["path"]) if place else ""
    if mismatch := _MISMATCH.search(complaint):
        return BadInput(field=path, got=mismatch["got"], expected=mismatch["expected"])
    if missing := _MISSING.search(complaint):
        return BadInput(field=f"{path}.{missing['field']}".lstrip("."), got="nothing", expected="a value")
    if path == "request.operation":
        got = printable(repr(unstructured.mapping(value, "request").get("operation")), 80)
        return BadInput(field=path, got=got, expected=", ".join(Operation))
    return BadInput(field=path, got="another value", expected=printable(_PLACE.sub("", complaint)))


def _request(wire: _AdmissionRequest) -> Request:
    _demand_objects(wire)
    name = wire.name or _own_name(wire)
    is_namespace = (wire.resource.group, wire.resource.resource) == ("", "namespaces")
    return Request(
        uid=wire.uid,
        operation=wire.operation,
        group=wire.resource.group,
        version=wire.resource.version,
        resource=wire.resource.resource,
        subresource=wire.sub_resource,
        kind=wire.kind.kind,
        name=name,
        namespace=name if is_namespace else wire.namespace,
        user=_user(wire.user_info),
        dry_run=wire.dry_run,
        in_collection=wire.operation is Operation.DELETE and not wire.name,
        object=wire.object,
        old_object=wire.old_object,
        options=wire.options,
    )


def _demand_objects(wire: _AdmissionRequest) -> None:
    if wire.operation in {Operation.CREATE, Operation.UPDATE} and wire.object is None:
        raise BadInput(field="request.object", got="nothing", expected=f"the object to {wire.operation.lower()}")
    if wire.operation is Operation.UPDATE and wire.old_object is None:
        raise BadInput(field="request.oldObject", got="nothing", expected="the object before the update")
    if wire.operation is Operation.DELETE and not wire.name and not _own_name(wire):
        raise BadInput(field="request.name", got="nothing", expected="a name, or an oldObject that has one")


def _own_name(wire: _AdmissionRequest) -> str:
    subject = wire.object if wire.operation is Operation.CREATE else wire.old_object
    return unstructured.text(subject, "metadata", "name")


def _user(info: _UserInfo) -> User:
    extra = {key: values or () for key, values in info.extra.items()}
    return User(name=info.username, uid=info.uid, groups=info.groups, extra=extra)
