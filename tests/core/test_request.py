"""Bytes to a Request: what is filled in, what is refused and how, and that nothing else ever comes out of bad bytes."""

import random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core import catalogue, snapshot, systems
from interlock.core.review import request
from interlock.core.types import JsonObject, Operation, Request, User
from interlock.errors import BadReview
from tests import vectors
from tests.support.reviews import UID, review

NOBODY = snapshot.build()


def changed(**change: object) -> Request:
    """The usual review with some fields changed, parsed."""
    return request.parse(review(**change))


def test_everything_is_read() -> None:
    """Every field of a review ends in its place."""
    extra = {"authentication.kubernetes.io/credential-id": ["JTI=1"], "nothing": None}

    found = changed(userInfo={"username": "alice", "uid": "u1", "groups": ["dev"], "extra": extra}, dryRun=True)

    user = User(
        name="alice",
        uid="u1",
        groups=("dev",),
        extra={"authentication.kubernetes.io/credential-id": ("JTI=1",), "nothing": ()},
    )
    assert found == Request(
        uid=UID,
        operation=Operation.DELETE,
        group="",
        version="v1",
        resource="namespaces",
        subresource="",
        kind="Namespace",
        name="prod-shop",
        namespace="prod-shop",
        user=user,
        dry_run=True,
        old_object={"metadata": {"name": "prod-shop", "uid": "b0a1"}},
        options={"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"},
    )


PODS = {"group": "", "version": "v1", "resource": "pods"}
WIDGETS = {"group": "example.org", "version": "v7", "resource": "widgets"}
POD = {"metadata": {"name": "web-0", "namespace": "prod-shop"}}

# change of the review: (operation, resource path, name, namespace, in collection)
FILLED_IN = {
    "a member of a collection has its object's name": (
        {"resource": PODS, "name": "", "oldObject": POD},
        ("DELETE", "pods", "web-0", "prod-shop", True),
    ),
    "a new object has the name that was generated": (
        {"operation": "CREATE", "resource": PODS, "name": "", "object": POD, "oldObject": None},
        ("CREATE", "pods", "web-0", "prod-shop", False),
    ),
    "a Namespace is in itself": (
        {"operation": "CREATE", "name": "", "namespace": None, "object": {"metadata": {"name": "prod-new"}}},
        ("CREATE", "namespaces", "prod-new", "prod-new", False),
    ),
    "a connection needs no object": (
        {"operation": "CONNECT", "resource": PODS, "subResource": "exec", "name": "web-0", "oldObject": None},
        ("CONNECT", "pods/exec", "web-0", "prod-shop", False),
    ),
    "a resource that nobody knows is taken as it is": (
        {"resource": WIDGETS, "name": "w", "kind": {"group": "example.org", "version": "v7", "kind": "Widget"}},
        ("DELETE", "widgets", "w", "prod-shop", False),
    ),
    "a cluster-scoped object has no namespace": (
        {"resource": PODS | {"resource": "nodes"}, "name": "n", "namespace": ""},
        ("DELETE", "nodes", "n", "", False),
    ),
}


@pytest.mark.parametrize(("change", "expected"), FILLED_IN.values(), ids=FILLED_IN.keys())
def test_filled_in(change: JsonObject, expected: tuple[str, str, str, str, bool]) -> None:
    """What the API server leaves out is found where it stands."""
    found = changed(**change)

    assert (found.operation, found.resource_path, found.name, found.namespace, found.in_collection) == expected


# What the refusal says: field, got, expected.
WHOLE = review()
BAD = {
    "nothing": (b"", "", "empty document at byte 0", "one JSON document in UTF-8"),
    "cut off": (WHOLE[:-40], "", "unexpected end", "one JSON document in UTF-8"),
    "not UTF-8": (WHOLE.replace(b"alice", b"al\xffce"), "", "not valid UTF-8", "one JSON document in UTF-8"),
    "too deep": (WHOLE.replace(b'"b0a1"', b"[" * 2000), "", "depth limit", "one JSON document in UTF-8"),
    "too deep to be written again": (
        WHOLE.replace(b'"b0a1"', b"[" * 300 + b"]" * 300),
        "",
        "a deeper one",
        "one JSON document of at most 254 nested levels",
    ),
    "too large": (WHOLE + b" " * request.MAX_REVIEW_BYTES, "", f"{len(WHOLE) + 2**24} bytes", "at most 16777216"),
    "something after it": (WHOLE + b"{}", "", "unexpected content", "one JSON document in UTF-8"),
    "a list": (b"[]", "", "list", "an AdmissionReview"),
    "an older version": (
        WHOLE.replace(b"k8s.io/v1", b"k8s.io/v1beta1"),
        "apiVersion",
        "'admission.k8s.io/v1beta1'",
        "admission.k8s.io/v1",
    ),
    "another kind": (WHOLE.replace(b'"AdmissionReview"', b'"Pod"'), "kind", "'Pod'", "AdmissionReview"),
    "no kind": (WHOLE.replace(b'"kind":"AdmissionReview",', b""), "kind", "nothing", "AdmissionReview"),
    "no request": (
        b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}',
        "request",
        "nothing",
        "a value",
    ),
    "an unknown operation": (
        review(operation="PATCH"),
        "request.operation",
        "'PATCH'",
        "CREATE, UPDATE, DELETE, CONNECT",
    ),
    "no user": (review(userInfo=None), "request.userInfo", "nothing", "a value"),
    "a user without a name": (review(userInfo={"groups": []}), "request.userInfo.username", "nothing", "a value"),
    "a name that is no text": (review(name=7), "request.name", "int", "str"),
    "an object that is none": (review(oldObject=[]), "request.oldObject", "array", "object | null"),
    "a dryRun that is neither": (review(dryRun="yes"), "request.dryRun", "str", "bool"),
    "a creation of nothing": (review(operation="CREATE"), "request.object", "nothing", "the object to create"),
    "an update from nothing": (
        review(operation="UPDATE", object=POD, oldObject=None),
        "request.oldObject",
        "nothing",
        "the object before the update",
    ),
    "a deletion of nobody knows what": (
        review(name="", oldObject={}),
        "request.name",
        "nothing",
        "a name, or an oldObject that has one",
    ),
    "a key that stands twice": (
        WHOLE.replace(b'"operation":"DELETE"', b'"operation":"CONNECT","operation":"DELETE"'),
        "operation",
        "the key more than once in one object",
        "every key once",
    ),
    "a key that stands twice in the object": (
        WHOLE.replace(b'"uid":"b0a1"', b'"uid":"b0a1","n\\u0061me":"other"'),
        "name",
        "the key more than once in one object",
        "every key once",
    ),
}


@pytest.mark.parametrize(("data", "field", "got", "expected"), BAD.values(), ids=BAD.keys())
def test_refused(data: bytes, field: str, got: str, expected: str) -> None:
    """What cannot be judged is refused naming field, got and expected."""
    with pytest.raises(BadReview) as refused:
        request.parse(data)

    assert (refused.value.field, refused.value.expected) == (field, expected)
    assert got in refused.value.got


# What the uid of a refusal is, so that the API server takes the answer.
UIDS = {
    "a review that reads": (review(operation="PATCH"), UID),
    "one that is cut off": (WHOLE[: len(WHOLE) // 2], UID),
    "one that is not UTF-8": (WHOLE.replace(b"alice", b"\xff"), UID),
    "one with white space": (b'{ "request" : {\n "uid" : "a-1", ', "a-1"),
    "one whose uid comes late": (orjson.dumps({"request": {"name": "x", "uid": "a-2"}}), "a-2"),
    "one that is cut off before it": (WHOLE[:30], ""),
    "one without": (b"{}", ""),
    "one whose uid is no text": (b'{"request":{"uid":7}}', ""),
    "an uid far too long": (b'{"request":{"uid":"' + b"a" * 500 + b'"}}', ""),
}


@pytest.mark.parametrize(("data", "uid"), UIDS.values(), ids=UIDS.keys())
def test_uid_of_a_refusal(data: bytes, uid: str) -> None:
    """A refusal carries the review's uid wherever that can be found."""
    with pytest.raises(BadReview) as refused:
        request.parse(data)

    assert refused.value.uid == uid


# ------------------------------------------------------------------------------------------------------ hostile bytes


def _everything(data: bytes) -> str:
    """Parse, find, and ask all that is asked about a request."""
    try:
        found = request.parse(data)
    except BadReview as error:
        return str(error)
    systems.ordinary_work(found)
    systems.needs_parent(found)
    systems.adopted(found)
    catalogue.handed(found, NOBODY)
    return systems.continuation(found, None) + "".join(finding.evidence for finding in catalogue.find(found, NOBODY))


@given(st.binary())
def test_any_bytes(data: bytes) -> None:
    """Bytes are a request or a BadReview, whatever they are."""
    _everything(data)


@given(st.sampled_from(vectors.names()), st.randoms(use_true_random=False), st.integers(1, 8))
def test_mutated_bytes(name: str, rolled: random.Random, times: int) -> None:
    """A real review with bytes changed, lost, doubled or swapped is a request or a BadReview; evidence is printable."""
    data = bytearray(vectors.read(name))
    for _ in range(times):
        _mutate(data, rolled)

    assert _everything(bytes(data)).isprintable()


def _mutate(data: bytearray, rolled: random.Random) -> None:
    start = rolled.randrange(len(data) + 1)
    end = min(len(data), start + rolled.choice([0, 1, 1, 4, 60]))
    data[start:end] = rolled.choice(
        [b"", b"\x00", b"\xff", b'"', b"{", b"]", b"null", b"1e999", b":", data[end:start:-1], data[start:end] * 2]
    )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(vectors.names()), st.data())
def test_mutated_values(name: str, data: st.DataObject) -> None:
    """A real review in which some value, at any depth, is any other value is a request or a BadReview."""
    whole = orjson.loads(vectors.read(name))
    node, key = data.draw(st.sampled_from(list(_places(whole))))
    node[key] = data.draw(VALUES)

    try:
        mutated = orjson.dumps(whole)
    except orjson.JSONEncodeError:  # an integer beyond 64 bit, a lone surrogate
        return
    assert _everything(mutated).isprintable()


def _places(node: object) -> list[tuple[JsonObject, str]]:
    """Every member of every object below."""
    if isinstance(node, list):
        return [place for member in node for place in _places(member)]
    if not isinstance(node, dict):
        return []
    return [(node, key) for key in node] + [place for member in node.values() for place in _places(member)]
