"""How a guard asks for its certificate: where, with which proof, and what each answer means. Over real TLS."""

import base64
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer

from interlock.errors import Forbidden, Unavailable
from interlock.kube.notary_client import KubeNotaryClient
from tests.fakes.kube_api import SERVICES
from tests.kube.conftest import Cluster

NAME = "interlock-controller.interlock-system.svc"
KEY = bytes(range(32))


@dataclass
class Controller:
    """A notary's counter that answers as told.

    Attributes:
        asked: Host, token and body of each request.
    """

    authority: trustme.CA
    port: int = 0
    status: int = 200
    answer: bytes = b'{"payload": "x"}'
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    async def certify(self, request: web.Request) -> web.Response:
        """Answer."""
        self.asked.append((request.host, request.headers["Authorization"], await request.json()))
        return web.Response(status=self.status, body=self.answer)


@pytest.fixture
async def controller() -> AsyncIterator[Controller]:
    """A listening one, under the name of the Service."""
    controller = Controller(trustme.CA())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    controller.authority.issue_cert(NAME).configure_cert(context)
    app = web.Application()
    app.router.add_post("/v1/lanes", controller.certify)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=context)
    controller.port = server.port or 0
    yield controller
    await server.close()


class Guard:
    """A client with a token file and an authority that can change."""

    def __init__(self, cluster: Cluster, controller: Controller, directory: Path) -> None:
        self.token = directory / "token"
        self.token.write_text("first\n")
        self.authority = controller.authority.cert_pem.bytes()
        self.client = KubeNotaryClient(
            cluster.api,
            namespace="interlock-system",
            service="interlock-controller",
            token_file=self.token,
            authority=lambda: self.authority,
        )

    async def ask(self) -> dict[str, object]:
        """Ask for a certificate."""
        return await self.client.certify(lane="ab", public_key=KEY)


@pytest.fixture
def guard(cluster: Cluster, controller: Controller, tmp_path: Path) -> Guard:
    """A guard in a cluster whose Service leads to the controller."""
    cluster.fake.put(
        SERVICES,
        {
            "metadata": {"name": "interlock-controller", "namespace": "interlock-system"},
            "spec": {"clusterIP": "127.0.0.1", "ports": [{"name": "https", "port": controller.port}]},
        },
    )
    return Guard(cluster, controller, tmp_path)


async def test_asks(guard: Guard, controller: Controller) -> None:
    """The lane and its key are sent with the token as it is now, to whoever shows the Service's name."""
    assert await guard.ask() == {"payload": "x"}
    guard.token.write_text("second")
    await guard.ask()

    asked = {"lane": "ab", "publicKey": base64.b64encode(KEY).decode()}
    host = f"127.0.0.1:{controller.port}"
    assert controller.asked == [(host, f"Bearer {token}", asked) for token in ("first", "second")]


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, Forbidden), (401, Forbidden), (403, Forbidden), (429, Unavailable), (500, Unavailable), (503, Unavailable)],
)
async def test_refusals(guard: Guard, controller: Controller, status: int, error: type[Exception]) -> None:
    """A refusal is final until something changes, anything else is worth another try."""
    controller.status = status
    controller.answer = b"why\x1b[31m"

    with pytest.raises(error) as caught:
        await guard.ask()
    assert "\x1b" not in str(caught.value)


async def test_another_authority_is_not_trusted(guard: Guard, controller: Controller) -> None:
    """The token is never shown to a server whose certificate the product's own authority did not sign."""
    guard.authority = trustme.CA().cert_pem.bytes()

    with pytest.raises(Unavailable):
        await guard.ask()
    assert controller.asked == []


async def test_without_an_authority(guard: Guard, controller: Controller) -> None:
    """Before the authority is known nobody is asked."""
    guard.authority = b""

    with pytest.raises(Unavailable, match="not known yet"):
        await guard.ask()
    assert controller.asked == []


async def test_without_a_service(guard: Guard, cluster: Cluster) -> None:
    """Without a Service, or one without an address, no controller can be asked."""
    cluster.fake.put(
        SERVICES,
        {"metadata": {"name": "interlock-controller", "namespace": "interlock-system"}, "spec": {"clusterIP": "None"}},
    )
    with pytest.raises(Unavailable):
        await guard.ask()
    cluster.fake.remove(SERVICES, "interlock-controller", "interlock-system")
    with pytest.raises(Unavailable):
        await guard.ask()


async def test_without_a_token(guard: Guard) -> None:
    """A token file that is not there yet is worth another try."""
    guard.token.unlink()

    with pytest.raises(Unavailable):
        await guard.ask()
