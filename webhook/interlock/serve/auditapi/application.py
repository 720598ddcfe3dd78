"""The API's listener: who asks, what for, whether he may, and the answer.

    head ─▶ front proxy's word (401) ─▶ path (404) ─▶ method (405) ─▶ form (406) ─▶ access (403) ─▶ answer

Everything up to the form is decided by the head alone. Discovery and OpenAPI need no more than that, so that nothing
slow stands between the API server and the word that this server lives. Whatever goes wrong that is our own fault
becomes a Status with an error id, and the log has the same id with the traceback.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus

import structlog

from interlock.core.auditapi import options, status
from interlock.core.auditapi.frontproxy import FrontProxy
from interlock.core.auditapi.media import Form, chosen
from interlock.core.auditapi.options import Options
from interlock.core.auditapi.resource import GROUP, RESOURCE, VERSION
from interlock.core.ports import Access, AccessReviewer, Clock
from interlock.core.types import JsonObject, User
from interlock.errors import BadInput, ClusterError
from interlock.serve.auditapi import listing
from interlock.serve.auditapi.answers import RETRY, Refused, failed, ok
from interlock.serve.auditapi.documents import Documents
from interlock.serve.auditapi.live import Live
from interlock.serve.auditapi.target import PROOF, Kind, Target, query_of
from interlock.serve.auditapi.views import View, Writer
from interlock.serve.auditapi.watching import MOST_WATCHES, Watch
from interlock.serve.messages import Answer, Head, Peer, Stream

LOG = structlog.get_logger(__name__)

EVIDENCE = "evidence"
"""Subresource that nobody can read: who may get it is shown parameters, differences and evidence of records."""

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_LISTS = (Form.OBJECT, Form.TABLE, Form.METADATA_LIST, Form.METADATA)
_OBJECTS = (Form.OBJECT, Form.TABLE, Form.METADATA)
_PROOFS = (Form.OBJECT,)
_UNAUTHENTICATED = "expected a request by the API server's front proxy: ask the API server instead"


class AuditApi:
    """Implements `serve.messages.Application`."""

    def __init__(
        self,
        live: Live,
        *,
        reviewer: AccessReviewer,
        front_proxy: Callable[[], FrontProxy | None],
        version: str,
        clock: Clock,
        error_id: Callable[[], str],
    ) -> None:
        """Wire it.

        Args:
            live: what is known of the ledger.
            reviewer: says who may read.
            front_proxy: how the API server proves itself, as known now; None before it is known.
            version: of the program, for the schemas.
            clock: the present, to tell ages by.
            error_id: makes an id for an error of our own.
        """
        self._live = live
        self._reviewer = reviewer
        self._front_proxy = front_proxy
        self._documents = Documents(version)
        self._writer = Writer(live.trail, clock)
        self._error_id = error_id

    def screen(self, head: Head, peer: Peer) -> Answer | None:
        """Refuse by the head alone what will not be answered."""
        if self._user(head, peer) is None:
            return failed(status.failure(HTTPStatus.UNAUTHORIZED, _UNAUTHENTICATED))
        target = Target.read(head.target)
        if target is None:
            return failed(status.failure(HTTPStatus.NOT_FOUND, "the server could not find the requested resource"))
        if head.method != "GET":
            return failed(status.read_only(_verb(head.method, target)), (("Allow", "GET"),))
        return None

    async def handle(self, head: Head, peer: Peer, body: bytes) -> Answer | Stream:
        """Answer what passed."""
        del body
        try:
            return await self._answered(head, peer)
        except Refused as refused:
            return failed(refused.status, refused.headers)
        except BadInput as error:
            return failed(status.failure(HTTPStatus.BAD_REQUEST, str(error)))
        except ClusterError as error:
            LOG.warning("cannot ask whether somebody may read", why=str(error))
            why = "the API server does not say whether you may: try again"
            return failed(status.failure(HTTPStatus.SERVICE_UNAVAILABLE, why), RETRY)
        except Exception as error:
            error_id = self._error_id()
            LOG.error("a request met an error of our own", error_id=error_id, target=head.target, exc_info=error)
            why = f"an error of Interlock's own: its log has the id {error_id}"
            return failed(status.failure(HTTPStatus.INTERNAL_SERVER_ERROR, why))

    async def _answered(self, head: Head, peer: Peer) -> Answer | Stream:
        user, target = self._user(head, peer), Target.read(head.target)
        if user is None or target is None:  # screened; unless the front proxy has changed in between
            return failed(status.failure(HTTPStatus.UNAUTHORIZED, _UNAUTHENTICATED))
        accept = ",".join(_headers(head, "accept"))
        if target.is_document:
            known = next(_headers(head, "if-none-match"), "")
            return self._documents.answer(target.kind, accept=accept, known=known)
        if not self._live.loaded:
            why = "the ledger's records are still being read: try again"
            raise Refused(status.failure(HTTPStatus.SERVICE_UNAVAILABLE, why), RETRY)
        query = _query(head.target)
        if target.kind is Kind.COLLECTION:
            return await self._collection(user, target, options.read(query), _form(accept, _LISTS))
        if target.kind is Kind.PROOF:
            _form(accept, _PROOFS)
            await self._demand(user, _access("get", target, subresource=PROOF))
            return ok(self._writer.proof(self._made(target)))
        form, include = _form(accept, _OBJECTS), options.include(query)
        await self._demand(user, _access("get", target))
        made = self._made(target)
        view = View(form=form, include=include, evidence=await self._sees_evidence(user, target))
        return ok(self._writer.single(made, view))

    async def _collection(self, user: User, target: Target, asked: Options, form: Form) -> Answer | Stream:
        await self._demand(user, _access("watch" if asked.watch else "list", target, asked.selection.name))
        view = View(form=form, include=asked.include, evidence=await self._sees_evidence(user, target))
        if not asked.watch:
            return await listing.listed(self._live, self._writer, view, namespace=target.namespace, options=asked)
        if self._live.watches >= MOST_WATCHES:
            why = f"{MOST_WATCHES} watches are under way here: try again"
            raise Refused(status.failure(HTTPStatus.TOO_MANY_REQUESTS, why), RETRY)
        if asked.initial:  # at least as new as what the client has seen
            await listing.demand_reached(self._live, asked.version or 0)
        watch = Watch(self._live, self._writer, view, namespace=target.namespace, options=asked)
        return Stream(pieces=watch.pieces())

    def _made(self, target: Target) -> JsonObject:
        """The object that is asked for, as the window holds it.

        Raises:
            Refused: there is none, here and now.
        """
        made = self._live.trail.window.get(target.namespace, target.name)
        if made is None:
            raise Refused(status.not_found(target.name))
        return made

    def _user(self, head: Head, peer: Peer) -> User | None:
        proxy = self._front_proxy()
        if proxy is None:
            return None
        return proxy.user(head.headers, certified=peer is Peer.CERTIFIED, common_name=head.common_name)

    async def _demand(self, user: User, access: Access) -> None:
        """See that the user may.

        Raises:
            Refused: he may not.
            ClusterError: nobody knows.
        """
        if not await self._reviewer.allows(user, access):
            raise Refused(status.forbidden(user, access))

    async def _sees_evidence(self, user: User, target: Target) -> bool:
        return await self._reviewer.allows(user, _access("get", target, subresource=EVIDENCE))


def _access(verb: str, target: Target, name: str = "", *, subresource: str = "") -> Access:
    return Access(
        verb=verb,
        group=GROUP,
        version=VERSION,
        resource=RESOURCE,
        subresource=subresource,
        namespace=target.namespace,
        name=name or target.name,
    )


def _headers(head: Head, name: str) -> Iterator[str]:
    return (value for key, value in head.headers if key == name)


def _verb(method: str, target: Target) -> str:
    """What a request would do, in RBAC's words."""
    if method == "DELETE" and not target.name:
        return "deletecollection"
    return _VERBS.get(method, method.lower())


def _query(target: str) -> Mapping[str, str]:
    """The query of a request.

    Raises:
        BadInput: too many parameters.
    """
    try:
        return query_of(target)
    except ValueError as error:
        raise BadInput(field="query", got=str(error), expected="the parameters of a list or watch") from error


def _form(accept: str, offered: Sequence[Form]) -> Form:
    """The form that the client takes.

    Raises:
        Refused: none of those that there are.
    """
    form = chosen(accept, offered)
    if form is None:
        raise Refused(status.not_acceptable(offered))
    return form
