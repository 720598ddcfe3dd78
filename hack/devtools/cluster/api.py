"""A small client of the Kubernetes API: one identity, plain JSON, and a watch that never ends.

It knows no kinds: objects are what the API sends, paths are what the API calls them. Only what the stand-ins for
kubelet, scheduler and kube-proxy need is here; a request that fails raises, a watch that breaks starts over.
"""

import asyncio
import json
import ssl
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from devtools.cluster.pki import Pair

Object = dict[str, Any]

REQUEST_SECONDS = 30.0
RETRY_SECONDS = 0.3  # between attempts while the API server is away; it starts in about two seconds
LINE_BYTES = 4 * 1024 * 1024  # one watch event; objects are at most 1.5 MiB in etcd
HTTP_ERROR = 400
NOT_FOUND = 404
CONFLICT = 409
GONE = 410  # the resource version is no longer in the watch cache: list again


class ApiError(Exception):
    """The API server refused a request.

    Attributes:
        code: HTTP status.
        message: what the server said.
    """

    def __init__(self, code: int, message: str) -> None:
        """Keep the code for decisions and the message for people."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that a watch tells: an object as it is now, or as it last was.

    Attributes:
        object: the object.
        gone: whether it no longer exists.
    """

    object: Object
    gone: bool


class Api:
    """The API server as one user sees it. Use it as an asynchronous context manager."""

    def __init__(self, *, server: str, authority: Path, client: Pair) -> None:
        """Prepare a client; nothing is sent yet.

        Args:
            server: URL of the API server.
            authority: certificate to check it against.
            client: certificate and key that say who we are.
        """
        self._server = server
        self._tls = ssl.create_default_context(cafile=str(authority))
        self._tls.load_cert_chain(client.certificate, client.key)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the connection pool."""
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=0)
        timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
        self._session = aiohttp.ClientSession(
            self._server,
            connector=connector,
            timeout=timeout,
            read_bufsize=LINE_BYTES,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close all connections."""
        if self._session:
            await self._session.close()

    async def ready(self) -> bool:
        """Whether the server is there and says that it is ready."""
        try:
            async with self._open().get("/readyz") as response:
                return response.status < HTTP_ERROR
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def find(self, path: str) -> Object | None:
        """Read an object that may not exist.

        Raises:
            ApiError: the server refused for another reason.
            aiohttp.ClientError: it could not be reached.
        """
        try:
            return await self.get(path)
        except ApiError as error:
            if error.code != NOT_FOUND:
                raise
            return None

    async def get(self, path: str, **query: str) -> Object:
        """Read an object or a list.

        Raises:
            ApiError: the server refused.
            aiohttp.ClientError: it could not be reached.
        """
        return await self._request("GET", path, query=query)

    async def create(self, path: str, body: Object) -> Object:
        """POST an object.

        Raises:
            ApiError: the server refused.
            aiohttp.ClientError: it could not be reached.
        """
        return await self._request("POST", path, body=body)

    async def merge(self, path: str, body: Object) -> Object:
        """PATCH an object by JSON merge: maps are merged, lists and values replaced.

        Raises:
            ApiError: the server refused.
            aiohttp.ClientError: it could not be reached.
        """
        return await self._request("PATCH", path, body=body, content_type="application/merge-patch+json")

    async def delete(self, path: str, options: Object) -> Object:
        """DELETE an object.

        Raises:
            ApiError: the server refused.
            aiohttp.ClientError: it could not be reached.
        """
        return await self._request("DELETE", path, body=options)

    async def follow(self, path: str, **query: str) -> AsyncIterator[Change]:
        """Tell every object of a collection as it is now, then every change, for ever.

        An object may be told again unchanged. When the connection breaks, everything is listed anew, and what went
        away in between is told as gone.
        """
        known: dict[str, Object] = {}
        while True:
            try:
                async for change in self._once(path, query, known):
                    yield change
            except (ApiError, aiohttp.ClientError, TimeoutError) as error:
                print(f"watch {path}: {error!r}; starting over", file=sys.stderr, flush=True)
                await asyncio.sleep(RETRY_SECONDS)

    async def _once(self, path: str, query: dict[str, str], known: dict[str, Object]) -> AsyncIterator[Change]:
        """List, then watch until the connection ends; `known` is kept up to date."""
        listing = await self.get(path, **query)
        present = {item["metadata"]["uid"]: item for item in listing["items"]}
        for uid in known.keys() - present.keys():
            yield Change(object=known.pop(uid), gone=True)
        for item in present.values():
            yield Change(object=item, gone=False)
        known.update(present)
        async for event in self._watch(path, query, listing["metadata"]["resourceVersion"]):
            change = Change(object=event["object"], gone=event["type"] == "DELETED")
            uid = change.object["metadata"]["uid"]
            known.pop(uid, None) if change.gone else known.update({uid: change.object})
            yield change

    async def _watch(self, path: str, query: dict[str, str], version: str) -> AsyncIterator[Object]:
        parameters = {**query, "watch": "1", "resourceVersion": version}
        forever = aiohttp.ClientTimeout(total=None, sock_connect=REQUEST_SECONDS)
        async with self._open().get(path, params=parameters, timeout=forever) as response:
            await _checked(response)
            async for line in response.content:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise ApiError(event["object"].get("code", GONE), event["object"].get("message", ""))
                yield event

    async def _request(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Object | None = None,
        content_type: str = "application/json",
    ) -> Object:
        data = json.dumps(body) if body is not None else None
        headers = {"Content-Type": content_type} if data else {}
        async with self._open().request(method, path, params=query, data=data, headers=headers) as response:
            await _checked(response)
            answer: Object = await response.json(content_type=None)
            return answer

    def _open(self) -> aiohttp.ClientSession:
        if not self._session:
            raise RuntimeError("use Api as an asynchronous context manager")
        return self._session


async def _checked(response: aiohttp.ClientResponse) -> None:
    if response.status >= HTTP_ERROR:
        text = await response.text()
        try:
            text = json.loads(text)["message"]
        except (ValueError, KeyError, TypeError):
            text = text[:200]  # not from the API server itself; enough to see from whom
        raise ApiError(response.status, text)
