"""The guard as a process of its own, as the chart starts it, with an API server in memory: from nothing to its end."""

import asyncio
import base64
import contextlib
import gzip
import signal
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
import trustme

from interlock.core.audit import certificate
from interlock.core.types import JsonObject
from tests.fakes.kube_api import CONFIG_MAPS, LEASES, NAMESPACES, POLICIES, SECRETS, KubeApi
from tests.kube.conftest import eventually
from tests.serve.client import Client, post
from tests.support.policies import SOUND
from tests.support.reviews import response, review
from tests.wiring.process import NAMESPACE, TOKEN, Process

POD = "interlock-guard-0"
SERVICE = "interlock-guard.interlock-system.svc"
PATH_SECRET, ROTATED = "a" * 64, "b" * 64
DIGEST_KEY = b"d" * 32


class Guard(Process):
    """A guard process and what is around it."""

    async def start(self) -> None:
        """Start the process."""
        notary = (f"--notary-token-file={self.directory}/token", "--notary-service=interlock-controller")
        await self.run("guard", f"--pod-name={POD}", *notary)

    def give_keys(self, *, path_secrets: str = PATH_SECRET) -> None:
        """Make the Secrets, or renew them."""
        leaf = self.authority.issue_cert(SERVICE)
        held = {
            "tls.crt": b"".join(blob.bytes() for blob in leaf.cert_chain_pems),
            "tls.key": leaf.private_key_pem.bytes(),
            "ca.crt": self.authority.cert_pem.bytes(),
            "path-secrets": path_secrets.encode(),
        }
        for name, data in (("interlock-digest-key", {"key": DIGEST_KEY}), ("interlock-guard", held)):
            encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
            self.fake.put(SECRETS, {"metadata": {"name": name, "namespace": NAMESPACE}, "data": encoded})

    @property
    def client(self) -> Client:
        """An API server that trusts the authority."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return Client(host="127.0.0.1", port=self.port, context=context, name=SERVICE)

    def records(self) -> list[JsonObject]:
        """Every record stored."""
        commits = [obj for name in self.commits() if (obj := self.fake.object(CONFIG_MAPS, name, NAMESPACE))]
        lines = [
            line for obj in commits for line in gzip.decompress(base64.b64decode(obj["binaryData"]["r"])).splitlines()
        ]
        return [orjson.loads(base64.b64decode(orjson.loads(line)["payload"])) for line in lines]

    def commits(self) -> list[str]:
        """Names of the commits stored."""
        return sorted(name for name in self.fake.names(CONFIG_MAPS) if name.startswith("interlock-lane-"))


@pytest.fixture
async def guard(tmp_path: Path) -> AsyncIterator[Guard]:
    """A guard that was not started yet, in a cluster with a policy and no Secret."""
    authority, fake = trustme.CA(), KubeApi()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    fake.put(NAMESPACES, {"metadata": {"name": "kube-system"}})
    fake.put(NAMESPACES, {"metadata": {"name": "prod-shop"}})
    fake.put(POLICIES, {"metadata": {"name": "deny"}, "spec": SOUND})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with fake.serve(context) as server:
        guard = Guard(fake, server, tmp_path, authority)
        yield guard
        await guard.killed()


def review_path(generation: int, secret: str = PATH_SECRET) -> str:
    """As the webhook configuration has it."""
    return f"/review/enforce/{generation}/{secret}?timeout=5s"


async def test_from_nothing_to_the_end(guard: Guard) -> None:
    """It waits alive but not ready, becomes ready, decides, records, drains on SIGTERM, closes its lane and exits 0."""
    await guard.start()
    assert "digest-key" in await guard.becomes(503)
    assert (await guard.probe("/healthz"))[0] == 200
    guard.give_keys()
    assert await guard.becomes(200) == "".join(
        f"[+]{name} ok\n" for name in ("snapshot", "certificate", "listener", "lane", "not-stopping")
    )

    async with guard.client.wire() as wire:
        await wire.send(post(review_path(guard.fake.version), review()))
        denied = response((await wire.reply()).body)
        guard.signal(signal.SIGTERM)
        assert "[-]not-stopping: stopping\n" in await guard.becomes(503)
        await wire.send(post(review_path(0), review(dryRun=True)))
        last = await wire.reply()

    assert (denied["allowed"], denied["status"]["code"]) == (False, 403)
    assert (last.status, last.headers["connection"]) == (200, "close")
    assert await guard.ended() == 0
    assert [record["kind"] for record in guard.records()] == ["LaneOpen", "Decision", "LaneClose"]


async def test_lease_and_metrics(guard: Guard) -> None:
    """The Lease tells the generation and the lane; metrics show them as well; the log is JSON and holds no secret."""
    guard.give_keys()
    await guard.start()
    await guard.becomes(200)
    stored = guard.fake.put(POLICIES, {"metadata": {"name": "second"}, "spec": SOUND})
    generation = stored["metadata"]["resourceVersion"]

    def annotations() -> JsonObject:
        lease = guard.fake.object(LEASES, POD, NAMESPACE) or {}
        found: JsonObject = lease.get("metadata", {}).get("annotations", {})
        return found

    await eventually(lambda: annotations().get("interlock.dev/generation") == generation)
    _, metrics = await guard.probe("/metrics")
    await guard.client.ask(post(review_path(0, ROTATED), review()))
    await guard.client.ask(post(review_path(0), b"not a review"))
    assert await guard.stop() == 0

    assert annotations()["interlock.dev/lane"] == guard.records()[0]["lane"]
    assert f"interlock_snapshot_generation {float(generation)}" in metrics
    text = guard.log.read_text()
    assert all(orjson.loads(line)["level"] != "error" for line in text.splitlines())
    for secret in (PATH_SECRET, ROTATED, TOKEN, base64.b64encode(DIGEST_KEY).decode(), "PRIVATE KEY"):
        assert secret not in text


async def test_keys_are_renewed_while_it_runs(guard: Guard) -> None:
    """A new certificate and new path secrets serve at once; a Secret that makes no sense changes nothing."""
    guard.give_keys()
    await guard.start()
    await guard.becomes(200)

    async def status(secret: str) -> int:
        return (await guard.client.ask(post(review_path(0, secret), review(dryRun=True)))).status

    async def shown() -> bytes:
        async with guard.client.wire() as wire:
            found: bytes = wire.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            return found

    before = await shown()
    assert [await status(PATH_SECRET), await status(ROTATED)] == [200, 401]
    guard.give_keys(path_secrets=f"{ROTATED}\n{PATH_SECRET}")
    async with asyncio.timeout(5):
        while await status(ROTATED) != 200 or await shown() == before:
            await asyncio.sleep(0.02)
    guard.fake.put(
        SECRETS, {"metadata": {"name": "interlock-guard", "namespace": NAMESPACE}, "data": {"tls.crt": "eA=="}}
    )
    await eventually(lambda: "makes no sense" in guard.log.read_text())
    assert [await status(PATH_SECRET), await status(ROTATED)] == [200, 200]
    assert await guard.stop() == 0


async def test_without_a_controller(guard: Guard) -> None:
    """Without a controller the lane is open and uncertified, and the guard is ready all the same."""
    guard.give_keys()
    await guard.start()
    await guard.becomes(200)

    lane_open = guard.records()[0]
    assert (lane_open["kind"], "certificate" in lane_open) == ("LaneOpen", False)
    assert certificate.lane_of(base64.b64decode(lane_open["publicKey"])) == lane_open["lane"]
    assert await guard.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_ends_while_it_waits(guard: Guard, number: signal.Signals) -> None:
    """A signal before it has begun to serve ends it at once and in order."""
    await guard.start()
    await guard.becomes(503)
    guard.signal(number)

    assert await guard.ended() == 0


async def test_kopf_begins_anew(guard: Guard) -> None:
    """An error that ends kopf ends neither the guard nor one connection, and later changes still arrive."""
    guard.give_keys()
    await guard.start()
    await guard.becomes(200)

    async with guard.client.wire() as wire:
        guard.fake.upset()
        await eventually(lambda: "begun anew" in guard.log.read_text())
        await wire.send(post(review_path(0), review()))
        assert response((await wire.reply()).body)["allowed"] is False
        guard.fake.remove(POLICIES, "deny")
        await wire.send(post(review_path(guard.fake.version), review()))
        assert response((await wire.reply()).body)["allowed"] is True
        listed = ("WATCH", "/api/v1/namespaces")
        await eventually(lambda: guard.fake.requests.count(listed) == 2)
    assert await guard.stop() == 0


async def test_rewound_history_ends_it(guard: Guard) -> None:
    """When the cluster's history was rewound it ends with an error, to begin anew."""
    guard.give_keys()
    await guard.start()
    await guard.becomes(200)
    guard.fake.rewind(10)
    with contextlib.suppress(EOFError, ConnectionError, ssl.SSLError):  # it may be gone before it answers
        await guard.client.ask(post(review_path(1000), review()))

    assert await guard.ended() == 1
    assert "rewound" in guard.log.read_text()
