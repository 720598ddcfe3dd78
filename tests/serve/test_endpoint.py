"""The admission endpoint: who may ask, where, and when the answer is to be asked for again. Over real TLS."""

import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import trustme

from interlock.core import snapshot
from interlock.core.types import NamespaceView
from interlock.serve.endpoint import Endpoint
from interlock.serve.metrics import GuardMetrics
from interlock.serve.policychanges import PolicyChanges
from interlock.serve.proof import PathSecrets
from interlock.serve.recorder import Recorder
from interlock.serve.reviewer import Reviewer
from interlock.serve.tls import ServerIdentity, server_context
from tests.fakes.operations import alone
from tests.fakes.reader import FakeReader
from tests.fakes.sink import FakeSink, Outcome
from tests.fakes.snapshots import FakeSnapshots
from tests.serve.client import Reply, post
from tests.serve.conftest import Serve
from tests.serve.test_reviewer import AROUND
from tests.support.policies import SOUND, parsed, policy
from tests.support.reviews import UID, response, review

NOW = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)
SECRET, OLDER, WRONG = "a" * 64, "b" * 64, "c" * 64
PATH = f"/review/enforce/7/{SECRET}"
UNPROVEN = f"/review/enforce/7/{WRONG}"


@dataclass
class Stage:
    """An endpoint with everything around it, and a client of it."""

    accept_unproven: bool = False
    sink: FakeSink = field(default_factory=FakeSink)
    metrics: GuardMetrics = field(default_factory=GuardMetrics)

    def __post_init__(self) -> None:
        view = snapshot.build(generation=7, policies=[parsed("deny")], namespaces=[NamespaceView(name="prod-shop")])
        self.snapshots = FakeSnapshots(view)
        secrets = PathSecrets()
        secrets.replace(f"{SECRET}\n{OLDER}\n".encode())
        recorder = Recorder(surroundings=AROUND, sink=self.sink, clock=lambda: NOW, metrics=self.metrics)
        reviewer = Reviewer(
            recorder=recorder, reader=FakeReader(), operations=alone(), clock=lambda: NOW, metrics=self.metrics
        )
        self.endpoint = Endpoint(
            reviewer=reviewer,
            policy_changes=PolicyChanges(surroundings=AROUND, sink=self.sink, clock=lambda: NOW, metrics=self.metrics),
            snapshots=self.snapshots,
            secrets=secrets,
            accept_unproven_callers=self.accept_unproven,
            metrics=self.metrics,
            error_id=lambda: "error-1",
        )

    def proofs(self) -> list[str]:
        """The caller proof of each record."""
        return [record["callerProof"] for record in self.sink.bodies]


def why(reply: Reply) -> tuple[int, str | None]:
    """Status of a refusal, and when to come again; its body is a Status object that says why."""
    status = orjson.loads(reply.body)
    assert (status["kind"], status["code"], bool(status["message"])) == ("Status", reply.status, True)
    return reply.status, reply.headers.get("retry-after")


@pytest.mark.parametrize("path", [PATH, f"/review/observe/7/{OLDER}?timeout=5s", f"/review/system/0/{SECRET}"])
async def test_review(serve: Serve, path: str) -> None:
    """A review at any entry with a known secret is answered, whatever the query and the older secret."""
    stage = Stage()
    _, client = await serve(stage.endpoint)

    reply = await client.ask(post(path, review()))

    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert response(reply.body)["allowed"] is False
    assert stage.proofs() == ["path"]


REFUSED = {
    "no such path": (post("/", review()), 404),
    "no such entry": (post(f"/review/other/7/{SECRET}", review()), 404),
    "a generation that is no number": (post(f"/review/enforce/x/{SECRET}", review()), 404),
    "a generation without end": (post(f"/review/enforce/{'7' * 40}/{SECRET}", review()), 404),
    "a longer path": (post(f"{PATH}/x", review()), 404),
    "another spelling of the path": (post(f"//review/enforce/7/{SECRET}", review()), 404),
    "a GET": (f"GET {PATH} HTTP/1.1\r\nHost: a\r\n\r\n".encode(), 405),
    "a wrong secret": (post(UNPROVEN, review()), 401),
    "a secret that is nearly right": (post(f"/review/enforce/7/{SECRET[:-1]}b", review()), 401),
    "no secret": (post("/review/enforce/7/-", review()), 401),
    "a wrong secret for our own kinds": (post(f"/self/{WRONG}", review()), 401),
    "no content type": (f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{{}}".encode(), 415),
    "another content type": (post(PATH, review()).replace(b"application/json", b"text/plain"), 415),
    "no review": (post(PATH, b"{}"), 400),
    "no JSON": (post(PATH, b"{"), 400),
    "nothing": (post(PATH, b""), 400),
    "a wrong secret for a probe": (post(f"/probe/7/{WRONG}", review()), 401),
    "no review in a probe": (post(f"/probe/7/{SECRET}", b"{}"), 400),
    "no review of our own kinds": (post(f"/self/{SECRET}", b"{}"), 503),
}


@pytest.mark.parametrize(("data", "status"), REFUSED.values(), ids=REFUSED.keys())
async def test_refused(serve: Serve, data: bytes, status: int) -> None:
    """What cannot be answered with a review gets a status and a body that says why, and leaves no record."""
    stage = Stage()
    _, client = await serve(stage.endpoint)

    assert why(await client.ask(data))[0] == status
    assert stage.sink.bodies == []


async def test_content_type_with_a_parameter(serve: Serve) -> None:
    """JSON is JSON with a charset, too."""
    _, client = await serve(Stage().endpoint)

    data = post(PATH, review()).replace(b"application/json", b"Application/JSON; charset=utf-8")

    assert (await client.ask(data)).status == 200


@pytest.fixture
def certified(trust: ssl.SSLContext, authority: trustme.CA, callers: trustme.CA) -> ssl.SSLContext:
    """A client with a certificate of the callers' authority."""
    del trust
    context = ssl.create_default_context()
    authority.configure_trust(context)
    callers.issue_cert(common_name="kube-apiserver-admission").configure_cert(context)
    return context


@pytest.fixture
def asking(identity: ServerIdentity, callers: trustme.CA) -> ssl.SSLContext:
    """A server that asks for certificates of the callers' authority."""
    return server_context(identity, callers.cert_pem.bytes())


async def test_certificate_proves(serve: Serve, asking: ssl.SSLContext, certified: ssl.SSLContext) -> None:
    """A client certificate of the given authority proves the caller, whatever the secret in the path."""
    stage = Stage()
    _, client = await serve(stage.endpoint, context=asking)

    for path in (PATH, UNPROVEN):
        async with client.wire(certified) as wire:
            await wire.send(post(path, review(userInfo={"username": path})))
            assert (await wire.reply()).status == 200
    assert stage.proofs() == ["certificate", "certificate"]


async def test_path_proves_where_certificates_are_asked_for(serve: Serve, asking: ssl.SSLContext) -> None:
    """A caller without a certificate still connects, and its secret proves it."""
    stage = Stage()
    _, client = await serve(stage.endpoint, context=asking)

    assert (await client.ask(post(PATH, review()))).status == 200
    assert (await client.ask(post(UNPROVEN, review()))).status == 401
    assert stage.proofs() == ["path"]


async def test_foreign_certificate_ends_the_handshake(
    serve: Serve, asking: ssl.SSLContext, authority: trustme.CA
) -> None:
    """A certificate of another authority proves nothing and does not even connect."""
    stage = Stage()
    _, client = await serve(stage.endpoint, context=asking)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    trustme.CA().issue_cert(common_name="kube-apiserver-admission").configure_cert(context)

    async def ask() -> None:
        async with client.wire(context) as wire:
            await wire.send(post(PATH, review()))
            await wire.reply()

    with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
        await ask()
    assert stage.sink.bodies == []


async def test_unproven_callers_if_accepted_are_recorded_as_such(serve: Serve) -> None:
    """With the switch on, a caller that proves nothing is answered, and the record says so."""
    stage = Stage(accept_unproven=True)
    _, client = await serve(stage.endpoint)

    assert (await client.ask(post(UNPROVEN, review()))).status == 200
    assert stage.proofs() == ["none"]


async def test_before_the_first_snapshot(serve: Serve) -> None:
    """Without a snapshot nothing can be decided: ask again."""
    stage = Stage()
    stage.snapshots.snapshot = None
    _, client = await serve(stage.endpoint)

    assert why(await client.ask(post(PATH, review()))) == (503, "1")


async def test_behind_the_generation(serve: Serve) -> None:
    """A guard that has not seen the path's generation says so instead of deciding by older policies."""
    stage = Stage()
    _, client = await serve(stage.endpoint)

    async with client.wire() as wire:
        await wire.send(post(f"/review/enforce/8/{SECRET}", review()) + post(PATH, review()))
        assert why(await wire.reply()) == (503, "1")
        assert (await wire.reply()).status == 200
    assert stage.snapshots.asked == [8, 7]


async def test_probe(serve: Serve) -> None:
    """A probe is refused, dry run or not, with the generation that it was asked under; it leaves no record."""
    stage = Stage()
    _, client = await serve(stage.endpoint)

    found = response((await client.ask(post(f"/probe/7/{SECRET}?timeout=5s", review()))).body)

    assert found == {
        "uid": UID,
        "allowed": False,
        "status": {
            "status": "Failure",
            "message": "Interlock judges by policies as of 7",
            "reason": "Forbidden",
            "code": 403,
            "details": {"causes": [{"reason": "interlock.dev/generation", "message": "7"}]},
        },
    }
    assert stage.sink.bodies == []


async def test_probe_of_a_guard_that_is_behind(serve: Serve) -> None:
    """A guard that has not seen the generation does not say that it judges by it."""
    _, client = await serve(Stage().endpoint)

    assert why(await client.ask(post(f"/probe/8/{SECRET}", review()))) == (503, "1")


async def test_error_of_our_own(serve: Serve) -> None:
    """An error of our own is a well-formed refusal with an error id under the review's uid, and is counted."""
    stage = Stage(sink=FakeSink(Outcome.BREAKS))
    _, client = await serve(stage.endpoint)

    reply = await client.ask(post(PATH, review()))

    found = response(reply.body)
    assert (reply.status, found["uid"], found["allowed"]) == (200, UID, False)
    assert (found["status"]["code"], found["status"]["reason"]) == (500, "InternalError")
    assert "error-1" in found["status"]["message"]
    assert stage.metrics.values()[("interlock_reviews_refused_total", (("reason", "internal"),))] == 1


async def test_own_kinds_go_to_kopf(serve: Serve) -> None:
    """Reviews of our own kinds are given to kopf's function as JSON, and its refusal gets a reason."""
    seen: list[Any] = []

    async def kopf(given: Any) -> Any:
        seen.append(given)
        refusal = {"uid": given["request"]["uid"], "allowed": False, "status": {"message": "no", "code": 400}}
        return {"apiVersion": given["apiVersion"], "kind": given["kind"], "response": refusal}

    stage = Stage()
    stage.endpoint.validate_own_kinds_with(kopf)
    _, client = await serve(stage.endpoint)

    reply = await client.ask(post(f"/self/{SECRET}?timeout=5s", review()))

    assert seen == [orjson.loads(review())]
    assert response(reply.body)["status"] == {"message": "no", "code": 400, "reason": "BadRequest"}
    assert (await client.ask(post(f"/self/{SECRET}", review(operation="PATCH")))).status == 200
    assert len(seen) == 1


def change_of_policy(*, dry_run: bool = False) -> bytes:
    """A review of a DangerPolicy that is put into mode Observe."""
    old = policy(SOUND)
    return review(
        operation="UPDATE",
        resource={"group": "interlock.dev", "version": "v1alpha1", "resource": "dangerpolicies"},
        name="sound",
        namespace=None,
        object=policy({**SOUND, "mode": "Observe"}),
        oldObject=old,
        dryRun=dry_run,
    )


async def allowing(given: Any) -> Any:
    """What kopf answers where it has nothing against it."""
    answer = {"uid": given["request"]["uid"], "allowed": True}
    return {"apiVersion": given["apiVersion"], "kind": given["kind"], "response": answer}


async def test_policy_change_is_recorded(serve: Serve) -> None:
    """What is let through of a policy is a record with its difference and whether it loosens; the answer names it."""
    stage = Stage()
    stage.endpoint.validate_own_kinds_with(allowing)
    _, client = await serve(stage.endpoint)

    found = response((await client.ask(post(f"/self/{SECRET}", change_of_policy()))).body)

    [record] = stage.sink.bodies
    assert found["allowed"] is True
    assert list(found["auditAnnotations"].values()) == [f"Allow 0123456789abcdef/1 {'ab' * 32}"]
    assert (record["kind"], record["target"]["name"], record["user"]["name"]) == ("PolicyChange", "sound", "alice")
    assert (record["loosens"], record["callerProof"]) == (True, "path")
    assert record["changes"] == [{"field": "spec.mode", "before": '"Enforce"', "after": '"Observe"'}]


async def test_policy_change_that_is_no_change_leaves_no_record(serve: Serve) -> None:
    """A dry run of a change is let through without a trace."""
    stage = Stage()
    stage.endpoint.validate_own_kinds_with(allowing)
    _, client = await serve(stage.endpoint)

    found = response((await client.ask(post(f"/self/{SECRET}", change_of_policy(dry_run=True)))).body)

    assert (found["allowed"], stage.sink.bodies) == (True, [])


async def test_policy_change_that_cannot_be_recorded_is_let_through(serve: Serve) -> None:
    """Policies stay repairable while the ledger is away: the change passes, and a sink fault is counted."""
    stage = Stage(sink=FakeSink(Outcome.REFUSES))
    stage.endpoint.validate_own_kinds_with(allowing)
    _, client = await serve(stage.endpoint)

    found = response((await client.ask(post(f"/self/{SECRET}", change_of_policy()))).body)

    faults = ("interlock_sink_faults_total", (("durability", "Blocking"),))
    assert (found["allowed"], found["auditAnnotations"]) == (True, {})
    assert stage.metrics.values()[faults] == 1


async def test_error_of_kopf(serve: Serve) -> None:
    """An error in kopf's function is our own error as well."""

    async def kopf(given: Any) -> Any:
        raise LookupError(given)

    stage = Stage()
    stage.endpoint.validate_own_kinds_with(kopf)
    _, client = await serve(stage.endpoint)

    found = response((await client.ask(post(f"/self/{SECRET}", review()))).body)

    assert (found["uid"], found["status"]["code"]) == (UID, 500)
