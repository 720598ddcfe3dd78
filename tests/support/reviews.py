"""AdmissionReviews as bytes, and answers read back, for tests of the edge."""

from typing import Any

import orjson

from interlock.core.types import JsonObject

UID = "705ab4f5-6393-11e8-b7cc-42010a800002"


def review(**change: Any) -> bytes:
    """A DELETE of Namespace prod-shop by alice, with some fields of the request changed; None removes."""
    request: JsonObject = {
        "uid": UID,
        "kind": {"group": "", "version": "v1", "kind": "Namespace"},
        "resource": {"group": "", "version": "v1", "resource": "namespaces"},
        "name": "prod-shop",
        "namespace": "prod-shop",
        "operation": "DELETE",
        "userInfo": {"username": "alice", "groups": ["system:authenticated"]},
        "oldObject": {"metadata": {"name": "prod-shop", "uid": "b0a1"}},
        "options": {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"},
        "dryRun": False,
    } | change
    request = {key: value for key, value in request.items() if value is not None}
    return orjson.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})


def response(body: bytes) -> JsonObject:
    """The response part of an answer, after checking what every answer must have."""
    answer: JsonObject = orjson.loads(body)
    assert (answer["apiVersion"], answer["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    found: JsonObject = answer["response"]
    return found


def causes(found: JsonObject) -> dict[str, str]:
    """The machine-readable facts of a denial."""
    return {cause["reason"]: cause["message"] for cause in found["status"]["details"]["causes"]}
