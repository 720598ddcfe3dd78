"""The admission endpoint: which review goes where, from whom it may come, and when it must be asked again.

    POST /review/<enforce|observe|system>/<policy generation>/<path secret>    decided by us
    POST /self/<path secret>                                                   Interlock's own kinds, validated by kopf
    POST /probe/<policy generation>/<path secret>                              told by what policies we decide

What cannot be answered with a review is answered by a status code: 404 no such path, 405 not a POST, 401 the caller
proves nothing, 415 not JSON, 400 no review in the body, 503 with `Retry-After: 1` before the first snapshot and while
we are behind the path's generation. The API server asks again within its timeout; then failurePolicy decides.

Whatever else goes wrong is our own fault, and this is the one place that catches it: the request is refused in a
well-formed answer with an error id, and the log has the same id with the traceback. Under failurePolicy Ignore a bare
500 would let the request through.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

import orjson
import structlog

from interlock.core import jsonbytes, unstructured
from interlock.core.ports import SnapshotSource
from interlock.core.review import request as requests
from interlock.core.review import response
from interlock.core.snapshot import Snapshot
from interlock.core.types import CallerProof, Request, Verdict
from interlock.errors import BadReview
from interlock.serve.messages import JSON, Answer, Head, Peer, refusal
from interlock.serve.metrics import GuardMetrics
from interlock.serve.policychanges import PolicyChanges
from interlock.serve.proof import PathSecrets
from interlock.serve.reviewer import Reviewer
from interlock.settings import GENERATION_WAIT_SECONDS

LOG = structlog.get_logger(__name__)

REVIEW = re.compile(r"/review/(?:enforce|observe|system)/([0-9]{1,19})/([^/?]{1,256})")
PROBE = re.compile(r"/probe/([0-9]{1,19})/([^/?]{1,256})")
SELF = re.compile(r"/self/()([^/?]{1,256})")

OwnKinds = Callable[[Any], Awaitable[Any]]
"""kopf's function for reviews of our own kinds: a review as JSON in, a review with a response out."""

_RETRY = (("Retry-After", "1"),)
_ALLOW = (("Allow", "POST"),)


class Endpoint:
    """Implements `serve.messages.Application`."""

    def __init__(
        self,
        *,
        reviewer: Reviewer,
        policy_changes: PolicyChanges,
        snapshots: SnapshotSource,
        secrets: PathSecrets,
        accept_unproven_callers: bool,
        metrics: GuardMetrics,
        error_id: Callable[[], str],
    ) -> None:
        self._reviewer = reviewer
        self._policy_changes = policy_changes
        self._snapshots = snapshots
        self._secrets = secrets
        self._accept_unproven = accept_unproven_callers
        self._metrics = metrics
        self._error_id = error_id
        self._own_kinds: OwnKinds | None = None

    def validate_own_kinds_with(self, function: OwnKinds) -> None:
        """Send reviews of our own kinds there; before this they are answered 503."""
        self._own_kinds = function

    def screen(self, head: Head, peer: Peer) -> Answer | None:
        """Refuse what will not be answered with a review, by its head alone."""
        route = _Route.read(head.target)
        if route is None:
            return refusal(HTTPStatus.NOT_FOUND, "no such path")
        if head.method != "POST":
            return refusal(HTTPStatus.METHOD_NOT_ALLOWED, "expected POST", headers=_ALLOW)
        if self._refuses(self._secrets.prove(route.secret, peer)):
            return _unproven()
        if head.content_type.partition(";")[0].strip().lower() != JSON:
            return refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"expected {JSON}")
        return None

    async def handle(self, head: Head, peer: Peer, body: bytes) -> Answer:
        """Answer a review."""
        try:
            return await self._answered(head, peer, body)
        except BadReview as error:  # so bad that no answer could name it
            return refusal(HTTPStatus.BAD_REQUEST, str(error), close=False)
        except Exception as error:  # noqa: BLE001  the edge: see the module's docstring
            return _ok(self._failed(body, error))

    async def _answered(self, head: Head, peer: Peer, body: bytes) -> Answer:
        route = _Route.read(head.target)
        if route is None:  # screened already
            return refusal(HTTPStatus.NOT_FOUND, "no such path")
        proof = self._secrets.prove(route.secret, peer)
        if self._refuses(proof):
            return _unproven()
        if route.entry is SELF:
            return await self._validated(body, proof)
        snapshot = await self._snapshot(route.generation)
        if isinstance(snapshot, Answer):
            return snapshot
        if route.entry is PROBE:
            return _ok(response.probed(requests.parse(body).uid, route.generation))
        return _ok(await self._reviewer.review(body, proof=proof, snapshot=snapshot))

    def _refuses(self, proof: CallerProof) -> bool:
        return proof is CallerProof.NONE and not self._accept_unproven

    async def _snapshot(self, generation: int) -> Snapshot | Answer:
        """The newest view if it is at least at this generation, else the answer that it is not."""
        reached = await self._snapshots.reached(generation, seconds=GENERATION_WAIT_SECONDS)
        snapshot = self._snapshots.current()
        if snapshot is None:
            return _later("policies have not been read yet")
        if not reached:
            return _later(f"policies as of {generation} have not been seen yet, only those of {snapshot.generation}")
        return snapshot

    async def _validated(self, body: bytes, proof: CallerProof) -> Answer:
        """A review of one of our own kinds."""
        if self._own_kinds is None:
            return _later("the kinds of this cluster have not been read yet")
        try:
            request = requests.parse(body)  # as strict as for any other review; kopf reads it again in its own way
        except BadReview as error:
            if not error.uid:
                raise
            return _ok(response.refuse(error.uid, error))
        answer = await self._own_kinds(jsonbytes.loads(body))
        if status := unstructured.mapping(answer, "response", "status"):
            status.setdefault("reason", "BadRequest")  # kopf sets none, and kubectl shows it
        if answer["response"]["allowed"] and not request.dry_run:
            answer["response"]["auditAnnotations"] = await self._recorded(request, proof)
        return _ok(orjson.dumps(answer))

    async def _recorded(self, request: Request, proof: CallerProof) -> dict[str, str]:
        """Record what becomes of a policy; the annotation that names the record in the API server's audit log."""
        snapshot = self._snapshots.current()
        generation = snapshot.generation if snapshot else 0
        receipt = await self._policy_changes.record(request, proof=proof, generation=generation)
        return response.annotations(Verdict.ALLOW, receipt.record_id, receipt) if receipt else {}

    def _failed(self, body: bytes, error: Exception) -> bytes:
        error_id, uid = self._error_id(), requests.scanned_uid(body)
        LOG.error("a review met an error of our own", error_id=error_id, uid=uid, exc_info=error)
        self._metrics.refused("internal")
        return response.failed(uid, error_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    """What a path asks for: which entry, at which generation (0 for our own kinds), with which secret."""

    entry: re.Pattern[str]
    generation: int
    secret: str

    @classmethod
    def read(cls, target: str) -> Self | None:
        """Read a target; None for no path of ours."""
        path = target.partition("?")[0]  # the API server adds its timeout as a query
        for entry in (REVIEW, SELF, PROBE):
            if found := entry.fullmatch(path):
                return cls(entry=entry, generation=int(found[1] or 0), secret=found[2])
        return None


def _ok(body: bytes) -> Answer:
    return Answer(status=HTTPStatus.OK, body=body)


def _unproven() -> Answer:
    return refusal(HTTPStatus.UNAUTHORIZED, "expected a client certificate of the API server or the secret in the path")


def _later(why: str) -> Answer:
    return refusal(HTTPStatus.SERVICE_UNAVAILABLE, why, headers=_RETRY, close=False)
