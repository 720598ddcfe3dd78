"""Watches: what is there, if that was asked for, then every change, each as soon as it is known.

A watch has no queue. It remembers how far it is and reads the changes after that when it is woken and its peer has
taken those before; so fifty watches cost no more memory than one. One that falls behind what is still known ends with
410 Expired, and its client lists again.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator
from http import HTTPStatus

import orjson

from interlock.core.auditapi import status
from interlock.core.auditapi.options import Options
from interlock.core.auditapi.window import Change, Event, Expired, Wanted
from interlock.core.types import JsonObject
from interlock.serve.auditapi.live import Live
from interlock.serve.auditapi.views import View, Writer

MOST_WATCHES = 1000
"""At once; one more is asked to come again. Each costs a connection and some kilobytes."""

WATCH_SECONDS = 1800
"""Longest watch, as the API server's: permissions are looked at anew when it begins again."""

BOOKMARK_SECONDS = 60.0
"""Between two bookmarks, as from the API server."""

BATCH_EVENTS = 64
"""Changes written at once, before others have their turn."""


class Watch:
    """One watch."""

    def __init__(self, live: Live, writer: Writer, view: View, *, namespace: str, options: Options) -> None:
        """Prepare it.

        Args:
            live: what is watched.
            writer: writes what is sent.
            view: how the client sees it.
            namespace: whose records; empty for all.
            options: as asked for.
        """
        self._live = live
        self._writer = writer
        self._view = view
        self._namespace = namespace
        self._options = options
        self._cursor = options.version or 0
        self._headed = True  # until the first line of a table has said its columns

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Its lines, as they come."""
        self._live.watches += 1
        try:
            for piece in self._initial():
                yield piece
                await asyncio.sleep(0)
            async for piece in self._changes():
                yield piece
        except Expired as error:
            yield _expired(error)
        finally:
            self._live.watches -= 1

    def _initial(self) -> Iterator[bytes]:
        """What is there as if it were added now, if the client begins without a version or asks for it."""
        options, window = self._options, self._live.trail.window
        if options.initial is False or (options.initial is None and options.version):
            self._cursor = options.version or window.version
            return
        page = window.page(namespace=self._namespace, wanted=self._wanted, limit=0)
        self._cursor = page.version
        for start in range(0, len(page.items), BATCH_EVENTS):
            yield b"".join(map(self._added, page.items[start : start + BATCH_EVENTS]))
        if options.initial and options.bookmarks:
            yield self._writer.bookmark(self._view, self._cursor, initial_end=True)

    async def _changes(self) -> AsyncGenerator[bytes]:
        """Every change from now on; a bookmark where there was none for long, and at the end."""
        loop = asyncio.get_running_loop()
        end = loop.time() + min(self._options.seconds or WATCH_SECONDS, WATCH_SECONDS)
        bookmark = loop.time() + BOOKMARK_SECONDS
        while True:
            moved = self._live.moved
            async for piece in self._since():
                yield piece
            now = loop.time()
            if now >= min(bookmark, end) or self._live.stopping:
                bookmark = now + BOOKMARK_SECONDS
                if self._options.bookmarks:
                    yield self._writer.bookmark(self._view, self._cursor, initial_end=False)
            if now >= end or self._live.stopping:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(min(bookmark, end)):
                    await moved.wait()

    async def _since(self) -> AsyncGenerator[bytes]:
        """The changes that are known and were not told yet."""
        window = self._live.trail.window
        events, version = window.since(self._cursor), window.version
        for start in range(0, len(events), BATCH_EVENTS):
            batch = events[start : start + BATCH_EVENTS]
            yield b"".join(self._line(event) for event in batch if self._wants(self._writer.decoded(event)))
            await asyncio.sleep(0)
        self._cursor = max(self._cursor, version)

    def _added(self, raw: bytes) -> bytes:
        version = int(orjson.loads(raw)["metadata"]["resourceVersion"])
        return self._line(Event(version=version, change=Change.ADDED, raw=raw), again=True)

    def _line(self, event: Event, *, again: bool = False) -> bytes:
        headed, self._headed = self._headed, False
        return self._writer.change(event, self._view, headed=headed, kind=Change.ADDED if again else "")

    def _wants(self, made: JsonObject) -> bool:
        return self._namespace in {"", made["metadata"]["namespace"]} and self._options.selection.match(made)

    @property
    def _wanted(self) -> Wanted | None:
        return None if self._options.selection.everything else self._options.selection.match


def _expired(error: Expired) -> bytes:
    return orjson.dumps({"type": "ERROR", "object": status.failure(HTTPStatus.GONE, str(error))}) + b"\n"
