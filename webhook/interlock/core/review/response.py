"""The answer to one AdmissionReview, as bytes for the API server.

People read the message and the warnings (`core.review.explain`); programs read `status.details.causes`, which the API
server passes through, one cause for each reason:

    interlock.dev/verdict    Deny, or Unrecorded for an allow that is withheld
    interlock.dev/policy     the first deciding policy
    interlock.dev/next-open  RFC 3339: before this instant no repetition can pass; absent if there is none
    interlock.dev/record     name of the stored record; absent if it is not known to be stored
    interlock.dev/generation of a probe's answer: the policy generation by which it was asked, and is judged

The API server's audit log gets one annotation for every recorded decision, under a key of its own, since of several
reviews in one request it keeps the first value of a key only: `rec-<last 12 hex digits of the record's id>`.

A denial has code 403; that of an eviction 429, so that `kubectl drain` waits and tries again. Whatever is answered
stays small: the API server reads answers without any limit.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

import orjson

from interlock.core.review import explain
from interlock.core.text import printable, shortened
from interlock.core.types import Decision, Durability, JsonObject, Operation, Receipt, Request, Verdict
from interlock.errors import BadReview

MAX_MESSAGE_RUNES = 8192
"""Three messages of policy authors, three windows and the rest; a terminal's worth."""

MAX_WARNINGS = 8
"""The API server takes 4 096 runes in all, and nobody reads more."""

MAX_DETAIL_RUNES = 300
"""Of what was wrong with a review: it repeats bytes of a stranger."""

GENERATION_CAUSE = "interlock.dev/generation"
"""Reason of the cause by which a controller reads the answer to its probe."""

_FORBIDDEN = (403, "Forbidden")
_TOO_MANY = (429, "TooManyRequests")
_UNAVAILABLE = (503, "ServiceUnavailable")
_ID_DIGITS = 12
_HEX = frozenset("0123456789abcdef")


def answer(
    request: Request,
    decision: Decision,
    *,
    receipt: Receipt | None,
    record_id: str,
    recorded_fault: str,
    now: datetime,
    batch: Receipt | None = None,
) -> bytes:
    """Answer a review that was decided.

    Args:
        request: the review.
        decision: what was decided.
        receipt: proof that its record is stored, if it is known to be.
        record_id: the record's id, empty if it has none.
        recorded_fault: why it is not known to be stored, empty if nobody waited for it.
        now: the instant that a window's opening is told relative to.
        batch: for a member of a deletecollection, proof that the record which opens the batch is stored.
    """
    stored = receipt.record_id if receipt else ""
    body: JsonObject = {"uid": request.uid, "allowed": decision.allowed}
    if not decision.allowed:
        text = explain.denial(request, decision, receipt=receipt, record_id=record_id, fault=recorded_fault, now=now)
        body |= _refused(request, _FORBIDDEN, text, _causes(decision, "Deny", stored))
    elif is_withheld(decision, receipt or batch):
        text = explain.withheld(decision, record_id=record_id, fault=recorded_fault)
        body |= _refused(request, _UNAVAILABLE, text, _causes(decision, "Unrecorded", stored))
    if lines := list(islice(explain.warnings(request, decision, record_id=record_id), MAX_WARNINGS)):
        body["warnings"] = lines
    if decision.recorded and record_id:
        body["auditAnnotations"] = annotations(decision.stated, record_id, receipt, batch=batch)
    return _review(body)


def is_withheld(decision: Decision, receipt: Receipt | None) -> bool:
    """Whether an allow may not be given: BlockingStrict means no stored record, its own or its batch's, no allow."""
    strict = decision.recorded and decision.durability is Durability.BLOCKING_STRICT
    return decision.allowed and strict and receipt is None


def refuse(uid: str, error: BadReview) -> bytes:
    """Refuse a review that cannot be judged, saying what is wrong with it."""
    what = f"{printable(error.field, MAX_DETAIL_RUNES) or 'the review'}: got {printable(error.got, MAX_DETAIL_RUNES)}"
    text = (
        f"Refused: Interlock cannot judge this review\n{what}, expected {printable(error.expected, MAX_DETAIL_RUNES)}"
    )
    return _review({"uid": uid, "allowed": False, "status": _status((400, "BadRequest"), text, ())})


def failed(uid: str, error_id: str) -> bytes:
    """Refuse a review that met an error of our own; the log has it under the same id."""
    text = (
        f"Refused: Interlock met an error of its own, nothing is decided\nnext: give its operators error id {error_id}"
    )
    return _review({"uid": uid, "allowed": False, "status": _status((500, "InternalError"), text, ())})


def probed(uid: str, generation: int) -> bytes:
    """Answer a probe: refused, so that nothing comes of it even where it is no dry run, and saying what is in force."""
    cause = {"reason": GENERATION_CAUSE, "message": str(generation)}
    text = f"Interlock judges by policies as of {generation}"
    return _review({"uid": uid, "allowed": False, "status": _status(_FORBIDDEN, text, (cause,))})


def annotations(
    verdict: Verdict, record_id: str, receipt: Receipt | None, *, batch: Receipt | None = None
) -> JsonObject:
    """What the API server's own audit log is to say: which record this request has, and where it is stored."""
    return {annotation_key(record_id): f"{verdict.title} {_stored_place(record_id, receipt, batch)}"}


def _stored_place(record_id: str, receipt: Receipt | None, batch: Receipt | None) -> str:
    if receipt is not None:
        return _written(receipt)
    return f"{record_id} " + (f"in batch {_written(batch)}" if batch else "not-known-to-be-stored")


def _written(receipt: Receipt) -> str:
    return f"{receipt.lane}/{receipt.sequence} {receipt.leaf}"


def annotation_key(record_id: str) -> str:
    """Key of a record's audit annotation, without the webhook's name, which the API server puts before it."""
    digits = "".join(digit for digit in record_id.lower() if digit in _HEX)
    return f"rec-{digits[-_ID_DIGITS:]}"


def _refused(request: Request, kind: tuple[int, str], text: str, causes: Iterator[JsonObject]) -> JsonObject:
    is_eviction = request.operation is Operation.CREATE and request.resource_path == "pods/eviction"
    return {"allowed": False, "status": _status(_TOO_MANY if is_eviction else kind, text, tuple(causes))}


def _status(kind: tuple[int, str], text: str, causes: tuple[JsonObject, ...]) -> JsonObject:
    code, reason = kind
    status: JsonObject = {
        "status": "Failure",
        "message": shortened(text, MAX_MESSAGE_RUNES),
        "reason": reason,
        "code": code,
    }
    return status | ({"details": {"causes": causes}} if causes else {})


def _causes(decision: Decision, verdict: str, stored: str) -> Iterator[JsonObject]:
    deciding = explain.deciders(decision)
    opening = explain.opens_at(deciding)
    facts = {
        "verdict": verdict,
        "policy": printable(deciding[0].policy) if deciding else "",
        "next-open": explain.instant(opening) if opening else "",
        "record": stored,
    }
    return ({"reason": f"interlock.dev/{name}", "message": fact} for name, fact in facts.items() if fact)


def _review(body: JsonObject) -> bytes:
    return orjson.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": body})
