"""A small client of the Kubernetes API: one call is one request, and every failure is one of our own errors.

It never retries, caches or guesses. Whether an operation may be repeated is known only to its caller, who is told by
the error's type what is certain: `Unavailable` means that the effect is unknown, every other that there was none.

    async with open_session(target) as session:
        api = ApiClient(target, session)
        policies, seen = await api.list(paths.collection("interlock.dev", "v1alpha1", "dangerpolicies"))
        async for kind, policy in api.watch(path, resource_version=seen): ...
"""

import builtins
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus

import aiohttp
import orjson
from yarl import URL

from interlock.core.types import JsonObject
from interlock.errors import Unavailable
from interlock.kube import answers
from interlock.kube.session import ApiTarget, open_session

__all__ = ["ApiClient", "ApiTarget", "open_session"]

REQUEST_SECONDS = 5.0
"""Longest wait for one answer unless the caller says otherwise; the API server answers in milliseconds when well."""

LIST_SECONDS = 30.0
"""Longest wait for one page: the first pages after an API server's start are read from etcd."""

PAGE_ITEMS = 500
"""Objects per page of a list, as client-go asks for."""

WATCH_SERVER_SECONDS = 240
"""The API server is asked to end a watch after this long, so that watches spread over API servers again."""

WATCH_SILENCE_SECONDS = 90.0
"""A watch without even a bookmark (sent about once a minute) for so long is broken."""

WATCH_CHUNK_BYTES = 1 << 18
"""Bytes asked of a watch at once; an event may be larger than aiohttp's own limit for a line."""

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


class ApiClient:
    """The verbs of the Kubernetes API.

    Every method raises, besides what its own docstring names:

    - `Unavailable`: no answer in time, a broken connection, 401, 410, 429 or 5xx; the effect is unknown.
    - `Forbidden`: our account may not, or admission refused.
    - `NotFound`: no such object, resource or namespace.
    - `ClusterError` itself: the request was wrong (400, 422, ...), so trying again is useless.
    """

    def __init__(self, target: ApiTarget, session: aiohttp.ClientSession) -> None:
        self._server = target.server.rstrip("/")
        self._server_name = target.server_name or None
        self._session = session

    async def get(
        self, path: str, *, params: Mapping[str, str] | None = None, seconds: float = REQUEST_SECONDS
    ) -> JsonObject:
        """Read one object (or whatever the path names) from a quorum."""
        return await self._send("GET", path, params=params, seconds=seconds)

    async def list(
        self, path: str, *, label_selector: str = "", field_selector: str = "", seconds: float = LIST_SECONDS
    ) -> tuple[list[JsonObject], str]:
        """Read every object of a collection as of one instant, and that instant's resourceVersion.

        Items of a list carry neither apiVersion nor kind. `seconds` bounds each page.
        """
        items: list[JsonObject] = []
        version = ""
        pages = self.pages(path, label_selector=label_selector, field_selector=field_selector, seconds=seconds)
        async for page, version in pages:  # noqa: B007  every page has the same, needed after the last
            items += page
        return items, version

    async def pages(
        self, path: str, *, label_selector: str = "", field_selector: str = "", seconds: float = LIST_SECONDS
    ) -> AsyncIterator[tuple[builtins.list[JsonObject], str]]:
        """The same page by page, for what is too large to be held at once."""
        params = {"limit": str(PAGE_ITEMS)} | _selectors(label_selector, field_selector)
        while True:
            page = await self._send("GET", path, params=params, seconds=seconds)
            metadata = page["metadata"]
            yield page.get("items") or [], metadata["resourceVersion"]
            if not metadata.get("continue"):
                return
            params["continue"] = metadata["continue"]

    async def create(
        self, path: str, body: JsonObject, *, dry_run: bool = False, seconds: float = REQUEST_SECONDS
    ) -> JsonObject:
        """Create one object in the collection at `path`; returns it as stored.

        Raises:
            NameTaken: an object of that name exists.
        """
        params = {"dryRun": "All"} if dry_run else None
        return await self._send("POST", path, body=body, params=params, seconds=seconds)

    async def replace(self, path: str, body: JsonObject, *, seconds: float = REQUEST_SECONDS) -> JsonObject:
        """Replace one object.

        Raises:
            Conflict: the body's resourceVersion or uid is not the stored one.
        """
        return await self._send("PUT", path, body=body, seconds=seconds)

    async def apply(
        self,
        path: str,
        body: JsonObject,
        *,
        manager: str,
        force: bool = True,
        dry_run: bool = False,
        seconds: float = REQUEST_SECONDS,
    ) -> JsonObject:
        """Server-side apply; with `metadata.uid` in the body it can never create the object.

        Raises:
            Conflict: the uid is not the stored one, or another manager owns a field and `force` is off.
        """
        params = {"fieldManager": manager, "force": str(force).lower()} | ({"dryRun": "All"} if dry_run else {})
        return await self._send("PATCH", path, body=body, content=APPLY, params=params, seconds=seconds)

    async def merge_patch(self, path: str, body: JsonObject, *, seconds: float = REQUEST_SECONDS) -> JsonObject:
        """Patch one object (RFC 7386); returns it as stored.

        Raises:
            Conflict: the patch names a resourceVersion or uid that is not the stored one.
        """
        return await self._send("PATCH", path, body=body, content=MERGE, seconds=seconds)

    async def delete(
        self, path: str, *, uid: str = "", resource_version: str = "", seconds: float = REQUEST_SECONDS
    ) -> JsonObject:
        """Delete one object, only if it still has this uid and resourceVersion where they are given.

        Raises:
            Conflict: it has another one.
        """
        wanted = {"uid": uid, "resourceVersion": resource_version}
        preconditions = {key: value for key, value in wanted.items() if value}
        body = {"apiVersion": "v1", "kind": "DeleteOptions"} | (
            {"preconditions": preconditions} if preconditions else {}
        )
        return await self._send("DELETE", path, body=body, seconds=seconds)

    async def watch(
        self, path: str, *, resource_version: str, label_selector: str = "", field_selector: str = ""
    ) -> AsyncIterator[tuple[str, JsonObject]]:
        """Stream (type, object) of every change after `resource_version`, bookmarks included.

        It ends when the API server ends it, which it does every few minutes: go on from the last resourceVersion seen.

        Raises:
            Unavailable: the stream broke, or its resourceVersion is too old: list again.
        """
        params = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(WATCH_SERVER_SECONDS),
        } | _selectors(label_selector, field_selector)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=REQUEST_SECONDS, sock_read=WATCH_SILENCE_SECONDS)
        what = f"WATCH {path}"
        try:
            async with self._session.get(self._url(path), params=params, timeout=timeout) as response:
                if response.status != HTTPStatus.OK:
                    answers.checked(what, response.status, await response.read())
                async for line in _lines(response.content):
                    yield answers.event(what, line)
        except (aiohttp.ClientError, OSError) as error:  # a timeout is an OSError
            raise Unavailable(f"{what}: {answers.why(error)}") from error

    async def _send(
        self,
        method: str,
        path: str,
        *,
        seconds: float,
        body: JsonObject | None = None,
        content: str = JSON,
        params: Mapping[str, str] | None = None,
    ) -> JsonObject:
        """One request, one answer.

        Raises:
            Unavailable: no answer.
            InterlockError: what the answer means.
        """
        what = f"{method} {path}"
        try:
            async with self._session.request(
                method,
                self._url(path),
                params=params,
                data=None if body is None else orjson.dumps(body),
                headers={"Accept": JSON} if body is None else {"Accept": JSON, "Content-Type": content},
                timeout=aiohttp.ClientTimeout(total=seconds),
                allow_redirects=False,
                server_hostname=self._server_name,
            ) as response:
                answer = await response.read()
                status = response.status
        except (aiohttp.ClientError, OSError) as error:  # a timeout is an OSError
            raise Unavailable(f"{what}: {answers.why(error)}") from error
        return answers.checked(what, status, answer)

    def _url(self, path: str) -> URL:
        return URL(self._server + path, encoded=True)


def _selectors(labels: str, fields: str) -> dict[str, str]:
    """The query parameters of those selectors that are given."""
    return {key: value for key, value in (("labelSelector", labels), ("fieldSelector", fields)) if value}


async def _lines(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Lines of any length; aiohttp's own iteration refuses those above 128 KiB."""
    rest = bytearray()
    async for chunk in stream.iter_chunked(WATCH_CHUNK_BYTES):
        rest += chunk
        if b"\n" in chunk:
            *lines, last = bytes(rest).split(b"\n")
            rest = bytearray(last)
            for line in lines:
                yield line
