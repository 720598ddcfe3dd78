"""The API of AuditRecords over a ledger in memory, asked without a connection."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from interlock.core.auditapi.frontproxy import FrontProxy
from interlock.core.auditapi.trail import Found, Trail
from interlock.core.auditapi.window import Window
from interlock.core.types import JsonObject
from interlock.serve.auditapi.application import AuditApi
from interlock.serve.auditapi.live import Live
from interlock.serve.messages import Answer, Head, Headers, Peer
from tests.fakes.access import FakeAccess
from tests.ledger.guards import Ledger, body
from tests.ledger.logs import NotaryKey
from tests.support.auditrecords import SYSTEM

PROXY = FrontProxy(
    authority="",
    names=("front-proxy-client",),
    users=("x-remote-user",),
    uids=("x-remote-uid",),
    groups=("x-remote-group",),
    extras=("x-remote-extra-",),
)
RECORDS = "/apis/audit.interlock.dev/v1alpha1/auditrecords"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
READS = [("ada", verb, "auditrecords", "*") for verb in ("get", "list", "watch")]
EVIDENCE = ("ada", "get", "auditrecords/evidence", "*")
PROOF = ("ada", "get", "auditrecords/proof", "*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back."""

    status: int
    body: bytes
    headers: Headers = ()

    def json(self) -> Any:
        """The body, read."""
        return orjson.loads(self.body)

    def lines(self) -> list[Any]:
        """The lines of a watch, read."""
        return [orjson.loads(line) for line in self.body.splitlines()]


@dataclass
class Api:
    """An API over a guard's ledger.

    Attributes:
        ledger: of the guard, started.
        access: who may read.
        live: what the API knows.
    """

    ledger: Ledger
    access: FakeAccess = field(default_factory=lambda: FakeAccess(*READS, EVIDENCE, PROOF))
    max_bytes: int = 1_000_000

    def __post_init__(self) -> None:
        window = Window(max_bytes=self.max_bytes, version=0)
        self.live = Live(Trail(trust=NotaryKey().trust, system=SYSTEM, window=window))
        self.version = 0
        self.application = AuditApi(
            self.live,
            reviewer=self.access,
            front_proxy=lambda: PROXY,
            version="0.1.0",
            clock=self.ledger.clock,
            error_id=lambda: "an-id",
        )

    async def begin(self) -> None:
        """Take what is stored so far, as at a start."""
        stored = self.ledger.store.stored()
        found = [Found(stored=each, version=number) for number, each in enumerate(stored, 1)]
        self.version = len(found)
        await self.live.load(found, [], version=self.version)

    async def record(self, *names: str) -> None:
        """The guard records a decision for each name, and the API hears of it."""
        for name in names:
            await self.ledger.lane.append(body(self.ledger.clock, name=name)).stored(seconds=5)
        for each in self.ledger.store.stored()[self.version :]:
            self.version += 1
            self.live.commit(Found(stored=each, version=self.version))

    def head(self, target: str, *headers: tuple[str, str], method: str = "GET", user: str = "ada") -> Head:
        """The head of a request as the front proxy sends it."""
        sent = (("x-remote-user", user), *headers)
        return Head(method=method, target=target, headers=sent, common_name="front-proxy-client")

    async def ask(
        self,
        target: str,
        *headers: tuple[str, str],
        method: str = "GET",
        user: str = "ada",
        peer: Peer = Peer.CERTIFIED,
    ) -> Reply:
        """Send a request and take the whole answer."""
        head = self.head(target, *headers, method=method, user=user)
        answer = self.application.screen(head, peer) or await self.application.handle(head, peer, b"")
        if isinstance(answer, Answer):
            return Reply(status=answer.status, body=answer.body, headers=answer.headers)
        return Reply(status=200, body=b"".join([piece async for piece in answer.pieces]), headers=answer.headers)

    async def list(self, query: str = "", **kwargs: Any) -> JsonObject:
        """A list that succeeds."""
        reply = await self.ask(f"{RECORDS}?{query}", **kwargs)
        assert reply.status == 200, reply.body
        found: JsonObject = reply.json()
        return found


Start = Callable[..., Awaitable[Api]]
"""Starts an API over the ledger of a guard that has recorded a decision for each of these names."""


def names_in(listed: JsonObject) -> list[str]:
    """Names of the targets in a list."""
    return [each["target"]["name"] for each in listed["items"]]
