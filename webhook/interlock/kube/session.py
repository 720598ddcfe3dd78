"""How a process reaches the API server: TLS, the token that the kubelet keeps renewing, one connection pool.

kopf gets a session of its own over the same pool (`borrowed_session`), because kopf closes the session that it was
given as soon as it meets a 401.
"""

import ssl
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Self

import aiohttp

import interlock
from interlock.settings import ApiAccess

TOKEN_REREAD_SECONDS = 10.0
"""Age at which a token is read again; the kubelet replaces it after four fifths of its life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiTarget:
    """Where the API server is and how to prove who we are.

    Attributes:
        server: base URL, ``https://host:port``.
        ca_file: PEM file of the authorities to trust; empty for the system's.
        token_file: file with a bearer token, read again and again; empty for none.
        client_cert_file: PEM certificate for TLS client authentication; empty for none.
        client_key_file: its key.
        server_name: name that its certificate has to bear; empty for the host of `server`.
    """

    server: str
    ca_file: str = ""
    token_file: str = ""
    client_cert_file: str = ""
    client_key_file: str = ""
    server_name: str = ""

    @classmethod
    def of(cls, access: ApiAccess) -> Self:
        """With the account of a pod."""
        return cls(server=access.server, ca_file=str(access.ca_file), token_file=str(access.token_file))


class TokenFile:
    """The bearer token of a process: puts the file's present content on every request.

    It is an aiohttp client middleware, so that kopf's own requests carry it as well.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._value = ""
        self._read_at = float("-inf")

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send one request with the token; a 401 makes the next request read the file again."""
        request.headers["Authorization"] = f"Bearer {self.value()}"
        response = await handler(request)
        if response.status == HTTPStatus.UNAUTHORIZED:
            self._read_at = float("-inf")
        return response

    def value(self) -> str:
        """The token, at most `TOKEN_REREAD_SECONDS` old.

        Raises:
            OSError: the file cannot be read.
        """
        now = time.monotonic()
        if now - self._read_at > TOKEN_REREAD_SECONDS:
            self._value = self._path.read_text(encoding="ascii").strip()
            self._read_at = now
        return self._value


def open_session(target: ApiTarget) -> aiohttp.ClientSession:
    """Open the process's connection pool; the caller closes the session, or uses it as a context manager.

    Raises:
        OSError: a file of the target cannot be read.
    """
    context = ssl.create_default_context(cafile=target.ca_file or None)
    if target.client_cert_file:
        context.load_cert_chain(target.client_cert_file, target.client_key_file)
    # No limit on connections: every watch keeps one for itself, and an eviction must not wait for a slow list.
    return _session(target, aiohttp.TCPConnector(ssl=context, limit=0), owner=True)


def borrowed_session(target: ApiTarget, session: aiohttp.ClientSession) -> aiohttp.ClientSession:
    """Open a second session over the same connection pool; closing it leaves the pool open.

    Raises:
        ValueError: the session is closed.
    """
    if session.connector is None:
        raise ValueError("the session that lends its connections is closed")
    return _session(target, session.connector, owner=False)


def _session(target: ApiTarget, connector: aiohttp.BaseConnector, *, owner: bool) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        connector_owner=owner,
        headers={"User-Agent": f"interlock/{interlock.__version__}"},
        middlewares=(TokenFile(target.token_file),) if target.token_file else (),
    )
