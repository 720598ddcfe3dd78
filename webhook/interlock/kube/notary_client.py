"""How a guard has its lane certified: one POST to whichever controller answers behind its Service.

The Service's address is read through the API, so that no DNS is needed, and the certificate is checked for the
Service's name against the product's own authority. The token goes nowhere else: it is of an audience that only
controllers accept, and this session carries no other credential.
"""

import base64
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from yarl import URL

from interlock.core.types import JsonObject
from interlock.errors import ClusterError, Forbidden, Unavailable
from interlock.kube import answers, paths
from interlock.kube.client import ApiClient

SECONDS = 3.0  # for one attempt; the ledger asks again
PATH = "/v1/lanes"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Address:
    host: str
    port: int


class KubeNotaryClient:
    """Implements `core.ports.NotaryClient`."""

    def __init__(
        self,
        api: ApiClient,
        *,
        namespace: str,
        service: str,
        token_file: Path,
        authority: Callable[[], bytes],
    ) -> None:
        """Wire it; nothing is read before the first use.

        Args:
            api: where the Service is looked up.
            namespace: of the Service.
            service: its name.
            token_file: token of the notary's audience; the kubelet renews it.
            authority: PEM of the authority that signs the controllers' certificates, as known now; may be empty.
        """
        self._api = api
        self._namespace = namespace
        self._service = service
        self._token_file = token_file
        self._authority = authority

    async def certify(self, *, lane: str, public_key: bytes) -> JsonObject:
        """Ask for a certificate of this lane key (raw Ed25519, 32 bytes); returns a DSSE envelope.

        Raises:
            Unavailable: no controller answered; go on uncertified and try again.
            Forbidden: the controller refused.
        """
        body = orjson.dumps({"lane": lane, "publicKey": base64.b64encode(public_key).decode()})
        try:
            address = await self._address()
            status, answer = await self._post(address, body)
        except (aiohttp.ClientError, OSError, ssl.SSLError, ClusterError) as error:
            raise Unavailable(f"notary: {answers.why(error)}") from error
        return _judged(status, answer)

    async def _address(self) -> _Address:
        """Where the Service is.

        Raises:
            Unavailable: it has no address.
        """
        path = paths.named("", "v1", "services", self._service, namespace=self._namespace)
        spec = (await self._api.get(path, seconds=SECONDS))["spec"]
        ports: dict[str, Any] = {port.get("name", ""): port["port"] for port in spec.get("ports") or ()}
        if not spec.get("clusterIP") or "https" not in ports:
            raise Unavailable(f"Service {self._service} has no cluster address, or no port named https")
        return _Address(host=spec["clusterIP"], port=ports["https"])

    async def _post(self, address: _Address, body: bytes) -> tuple[int, bytes]:
        headers = {
            "Authorization": f"Bearer {self._token_file.read_text(encoding='ascii').strip()}",
            "Content-Type": "application/json",
        }
        connector = aiohttp.TCPConnector(ssl=self._trust(), force_close=True)
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.post(
                URL.build(scheme="https", host=address.host, port=address.port, path=PATH),
                data=body,
                headers=headers,
                server_hostname=f"{self._service}.{self._namespace}.svc",
                allow_redirects=False,
            ) as response,
        ):
            return response.status, await response.read()

    def _trust(self) -> ssl.SSLContext:
        """Trust the product's own authority and nobody else.

        Raises:
            Unavailable: it is not known yet.
        """
        authority = self._authority()
        if not authority:
            raise Unavailable("the authority of the controllers' certificates is not known yet")
        return ssl.create_default_context(cadata=authority.decode("ascii"))


def _judged(status: int, answer: bytes) -> JsonObject:
    """What the notary's answer means.

    Raises:
        Unavailable: it could not answer.
        Forbidden: it refused.
    """
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise Forbidden(f"notary: {status} {answers.scrubbed(answer.decode(errors='replace'))}")
    return answers.checked("notary", status, answer)
