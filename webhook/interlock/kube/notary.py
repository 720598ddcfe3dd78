"""The notary's counter: `POST /v1/lanes` certifies a guard's lane key after the API server vouched for the guard's pod.

    Authorization: Bearer TOKEN of audience interlock-notary, bound to the pod
    {"lane": "16 hex digits", "publicKey": "base64 of 32 bytes"}      ->  200, the certificate as a DSSE envelope

    400  no such request, or a lane that is not named after its key
    401  no token
    403  the API server does not vouch for the token, or vouches for somebody who is no guard of ours
    413  more than a request can be
    503  not now: no key yet, no answer of the API server, too many at once

Every replica of the controller answers, whoever leads: a certificate needs the key and nothing else.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable
from http import HTTPStatus

import msgspec
import structlog
from aiohttp import web

from interlock import settings
from interlock.core import unstructured
from interlock.core.audit import certificate
from interlock.core.audit.certificate import Certificate
from interlock.core.audit.dsse import PUBLIC_KEY_BYTES
from interlock.core.ports import Clock
from interlock.core.types import JsonObject, User
from interlock.errors import BadInput, ClusterError, Forbidden, Unavailable
from interlock.kube import paths
from interlock.kube.client import ApiClient
from interlock.kube.notarykey import NotaryKey

LOG = structlog.get_logger(__name__)

PATH = "/v1/lanes"
POD_NAME = "authentication.kubernetes.io/pod-name"
POD_UID = "authentication.kubernetes.io/pod-uid"

MAX_BODY_BYTES = 4096
"""A request takes about 100; anybody who reaches the port may send one."""

AT_ONCE = 4
"""TokenReviews under way at one time: a flood of requests becomes 503 here and no load on the API server."""


class _Ask(msgspec.Struct, frozen=True, kw_only=True):
    lane: str
    publicKey: str  # noqa: N815  as on the wire


class Notary:
    """Certifies lanes of the guards of one namespace."""

    def __init__(self, api: ApiClient, *, namespace: str, key: Callable[[], NotaryKey | None], clock: Clock) -> None:
        """Wire it.

        Args:
            api: vouches for tokens.
            namespace: of the guards.
            key: the notary's key as known now, None before there is one.
            clock: for a certificate's notBefore.
        """
        self._api = api
        self._account = f"{namespace}/{settings.GUARD_ACCOUNT}"
        self._key = key
        self._clock = clock
        self._free = asyncio.Semaphore(AT_ONCE)

    def application(self) -> web.Application:
        """What the controller's TLS listener serves."""
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.router.add_post(PATH, self._answer)
        return application

    async def certify(self, token: str, body: bytes) -> JsonObject:
        """Certify one lane.

        Args:
            token: of the guard's pod.
            body: the request as sent.

        Raises:
            BadInput: no such request, or a lane that is not named after its key.
            Forbidden: the token is no guard's.
            Unavailable: no key yet, or the API server does not answer.
        """
        lane, public_key = _read(body)
        key = self._key()
        if key is None:
            raise Unavailable("the notary's key is not there yet")
        user = await self._user(token)
        statement = self._statement(lane, public_key, user)
        made = certificate.issue(statement, key=key.public, sign=key.sign)
        LOG.info("certified a lane", lane=lane, pod=statement.pod_name)
        return made

    async def _answer(self, request: web.Request) -> web.Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            return _refusal(HTTPStatus.UNAUTHORIZED, "a bearer token is needed")
        if self._free.locked():
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "too many requests at once")
        async with self._free:
            try:
                made = await self.certify(token, await request.read())
            except BadInput as error:
                return _refusal(HTTPStatus.BAD_REQUEST, str(error))
            except Forbidden as error:
                return _refusal(HTTPStatus.FORBIDDEN, str(error))
            except ClusterError as error:
                return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        return web.Response(body=msgspec.json.encode(made), content_type="application/json")

    async def _user(self, token: str) -> User:
        """Whom the API server sees in the token.

        Raises:
            Forbidden: nobody, or the token is for somebody else's ears.
        """
        review = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": [settings.NOTARY_AUDIENCE]},
        }
        found = await self._api.create(paths.collection("authentication.k8s.io", "v1", "tokenreviews"), review)
        status = unstructured.mapping(found, "status")
        vouched = unstructured.flag(status, "authenticated")
        if not vouched or settings.NOTARY_AUDIENCE not in unstructured.texts(status, "audiences"):
            raise Forbidden("the API server does not vouch for this token")
        user = unstructured.mapping(status, "user")
        extra = unstructured.mapping(user, "extra")
        return User(
            name=unstructured.text(user, "username"), extra={name: unstructured.texts(extra, name) for name in extra}
        )

    def _statement(self, lane: str, public_key: bytes, user: User) -> Certificate:
        """What is certified.

        Raises:
            Forbidden: the user is no guard of ours, or its token is not bound to a pod.
        """
        if user.service_account != self._account:
            raise Forbidden(f"{user.name or 'nobody'} is not the guards' ServiceAccount {self._account}")
        names, uids = user.extra.get(POD_NAME, ()), user.extra.get(POD_UID, ())
        if len(names) != 1 or len(uids) != 1:
            raise Forbidden("the token is not bound to one pod")
        namespace, account = self._account.split("/")
        return Certificate(
            lane=lane,
            public_key=public_key,
            namespace=namespace,
            service_account=account,
            pod_name=names[0],
            pod_uid=uids[0],
            not_before=self._clock(),
        )


def _read(body: bytes) -> tuple[str, bytes]:
    """Lane and raw key of a request.

    Raises:
        BadInput: it is none.
    """
    try:
        ask = msgspec.json.decode(body, type=_Ask)
        public_key = base64.b64decode(ask.publicKey, validate=True)
    except (msgspec.MsgspecError, binascii.Error, ValueError) as error:
        raise BadInput(field="body", got=str(error)[:120], expected="lane and publicKey") from error
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise BadInput(field="publicKey", got=f"{len(public_key)} bytes", expected=f"{PUBLIC_KEY_BYTES}")
    return ask.lane, public_key


def _refusal(status: HTTPStatus, why: str) -> web.Response:
    return web.Response(status=status, text=f"{why}\n")
