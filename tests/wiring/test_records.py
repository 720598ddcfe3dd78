"""The process that serves AuditRecords, as the chart starts it, with an API server in memory: from start to end."""

import asyncio
import base64
import signal
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
import trustme

from interlock.core.types import JsonObject
from tests.fakes.kube_api import CONFIG_MAPS, SECRETS, KubeApi
from tests.ledger.guards import Ledger, written
from tests.ledger.logs import NotaryKey
from tests.serve.client import Client, Wire
from tests.wiring.process import NAMESPACE, Process

SERVICE = "interlock-records.interlock-system.svc"
PROXY = "front-proxy-client"
LIST = "/apis/audit.interlock.dev/v1alpha1/auditrecords"


class Records(Process):
    """The process and what is around it."""

    async def start(self) -> None:
        """Start the process."""
        await self.run("records", "--pod-name=interlock-records-0")

    def put_config(self, name: str, data: dict[str, str], *, namespace: str = NAMESPACE) -> None:
        """Make or change a ConfigMap."""
        self.fake.put(CONFIG_MAPS, {"metadata": {"name": name, "namespace": namespace}, "data": data})

    def put_certificate(self) -> None:
        """Make the Secret with a serving certificate, or renew it."""
        leaf = self.authority.issue_cert(SERVICE)
        held = {
            "tls.crt": b"".join(blob.bytes() for blob in leaf.cert_chain_pems),
            "tls.key": leaf.private_key_pem.bytes(),
        }
        encoded = {key: base64.b64encode(value).decode() for key, value in held.items()}
        self.fake.put(SECRETS, {"metadata": {"name": "interlock-records", "namespace": NAMESPACE}, "data": encoded})

    def trust(self, authority: trustme.CA) -> None:
        """Say which authority signs the front proxy's certificate."""
        data = {
            "requestheader-client-ca-file": authority.cert_pem.bytes().decode(),
            "requestheader-allowed-names": f'["{PROXY}"]',
            "requestheader-username-headers": '["X-Remote-User"]',
            "requestheader-group-headers": '["X-Remote-Group"]',
            "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
        }
        self.put_config("extension-apiserver-authentication", data, namespace="kube-system")

    def store(self, name: str, commit: bytes) -> None:
        """Store a commit as a guard does."""
        metadata = {"name": name, "namespace": NAMESPACE, "labels": {"interlock.dev/ledger": "lane"}}
        data = {"r": base64.b64encode(commit).decode()}
        self.fake.put(CONFIG_MAPS, {"metadata": metadata, "binaryData": data})

    def client(self, proxy: trustme.CA | None, *, name: str = PROXY) -> Client:
        """An API server whose front proxy has a certificate of this authority, or somebody without one."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        if proxy is not None:
            proxy.issue_cert(common_name=name).configure_cert(context)
        return Client(host="127.0.0.1", port=self.port, context=context, name=SERVICE)


def _get(target: str, *, user: str = "ada") -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: a\r\nX-Remote-User: {user}\r\n\r\n".encode()


async def _listed(client: Client) -> list[str]:
    """Names of the targets of the records that ada may see."""
    reply = await client.ask(_get(LIST))
    assert reply.status == 200, reply.body
    return [item["target"]["name"] for item in orjson.loads(reply.body)["items"]]


@pytest.fixture
def proxy() -> trustme.CA:
    """Signs the front proxy's certificate."""
    return trustme.CA()


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[Records]:
    """The process, not started yet, in a cluster where ada may read, with a ledger of one record."""
    authority, fake = trustme.CA(), KubeApi()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    fake.allowed = {"ada"}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with fake.serve(context) as server:
        made = Records(fake, server, tmp_path, authority)
        for commit in (await written(["shop"])).store.stored():
            made.store(commit.name, commit.body)
        yield made
        await made.killed()


def _ready(records: Records, proxy: trustme.CA) -> None:
    records.put_config("interlock-notary", {"notary.pub": str(NotaryKey().public)})
    records.put_certificate()
    records.trust(proxy)


async def test_from_nothing_to_the_end(records: Records, proxy: trustme.CA) -> None:
    """It waits alive but not ready, becomes ready, lists, watches, ends its watches on SIGTERM and exits 0."""
    await records.start()
    assert "notary-key" in await records.becomes(503)
    assert (await records.probe("/healthz"))[0] == 200
    _ready(records, proxy)
    assert await records.becomes(200) == "".join(
        f"[+]{name} ok\n" for name in ("ledger", "front-proxy", "listener", "not-stopping")
    )
    client = records.client(proxy)
    assert await _listed(client) == ["shop"]

    async with client.wire() as wire:
        await wire.send(_get(f"{LIST}?watch=true&resourceVersion=0"))
        assert (await _event(wire))["object"]["target"]["name"] == "shop"
        for commit in (await written(["pay"], Ledger(seed="another"))).store.stored():
            records.store(commit.name, commit.body)
        told = await _event(wire)
        records.signal(signal.SIGTERM)
        assert (await wire.closed()).endswith(b"0\r\n\r\n")

    assert (told["type"], told["object"]["target"]["name"], told["object"]["ledger"]["verified"]) == (
        "ADDED",
        "pay",
        True,
    )
    assert await records.ended() == 0


async def _event(wire: Wire) -> JsonObject:
    """The next line of a watch."""
    async with asyncio.timeout(10):
        while True:
            line = await wire.reader.readline()
            if line.startswith(b"{"):
                found: JsonObject = orjson.loads(line)
                return found


async def test_who_is_let_in(records: Records, proxy: trustme.CA) -> None:
    """The front proxy's certificate opens the door, and no other; who may not read does not."""
    _ready(records, proxy)
    await records.start()
    await records.becomes(200)

    assert (await records.client(None).ask(_get(LIST))).status == 401
    assert (await records.client(proxy, name="kubelet").ask(_get(LIST))).status == 401
    assert (await records.client(proxy).ask(_get(LIST, user="eve"))).status == 403
    with pytest.raises((ConnectionError, ssl.SSLError, asyncio.IncompleteReadError)):
        await records.client(trustme.CA()).ask(_get(LIST))


async def test_another_authority(records: Records, proxy: trustme.CA) -> None:
    """When the front proxy's authority changes, the old one is nobody at once, on open connections too."""
    _ready(records, proxy)
    await records.start()
    await records.becomes(200)
    other = trustme.CA()
    async with records.client(proxy).wire() as wire:
        await wire.send(_get(LIST))
        assert (await wire.reply()).status == 200
        records.trust(other)
        await wire.closed()

    assert await _listed(records.client(other)) == ["shop"]
    with pytest.raises((ConnectionError, ssl.SSLError, asyncio.IncompleteReadError)):
        await records.client(proxy).ask(_get(LIST))


async def test_another_certificate(records: Records, proxy: trustme.CA) -> None:
    """A new serving certificate is shown to connections that begin after it; one that is none changes nothing."""
    _ready(records, proxy)
    await records.start()
    await records.becomes(200)
    client = records.client(proxy)
    async with client.wire() as wire:
        before = wire.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        records.put_certificate()
        async with asyncio.timeout(10):
            while await _shown(client) == before:
                await asyncio.sleep(0.05)
        await wire.send(_get(LIST))
        assert (await wire.reply()).status == 200
    held = {"tls.crt": base64.b64encode(b"junk").decode()}
    metadata = {"name": "interlock-records", "namespace": NAMESPACE}
    records.fake.put(SECRETS, {"metadata": metadata, "data": held})
    async with asyncio.timeout(10):
        while "makes no sense" not in records.log.read_text():
            await asyncio.sleep(0.05)

    assert await _listed(client) == ["shop"]


async def _shown(client: Client) -> bytes:
    async with client.wire() as wire:
        found: bytes = wire.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return found
