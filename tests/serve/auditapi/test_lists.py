"""Lists and watches as clients of Kubernetes use them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import orjson
import pytest

from interlock.serve.messages import Peer, Stream
from tests.serve.auditapi.apis import RECORDS, TABLE, Api, Start, names_in

SECONDS = 5.0


@asynccontextmanager
async def watching(api: Api, query: str, *headers: tuple[str, str]) -> AsyncIterator["Watching"]:
    """A watch for the length of a block."""
    stream = await api.application.handle(api.head(f"{RECORDS}?watch=1&{query}", *headers), Peer.CERTIFIED, b"")
    assert isinstance(stream, Stream)
    async with aclosing(stream.pieces) as pieces:
        yield Watching(pieces)


class Watching:
    """Reads a watch line by line."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._lines: list[bytes] = []

    async def next(self) -> Any:
        """The next line."""
        async with asyncio.timeout(SECONDS):
            while not self._lines:
                self._lines = (await anext(self._pieces)).splitlines()
        return orjson.loads(self._lines.pop(0))

    async def names(self, count: int) -> list[tuple[str, str]]:
        """Type and target of so many changes."""
        lines = [await self.next() for _ in range(count)]
        return [(line["type"], line["object"]["target"]["name"]) for line in lines]


async def test_pages(start: Start) -> None:
    """Pages follow one another by their tokens, at the version of the first, whatever comes meanwhile."""
    api = await start(*"abcde")
    first = await api.list("limit=2")
    await api.record("f")
    second = await api.list(f"limit=2&continue={first['metadata']['continue']}")
    third = await api.list(f"limit=2&continue={second['metadata']['continue']}")

    assert names_in(first) + names_in(second) + names_in(third) == [*"abcde"]
    assert {page["metadata"]["resourceVersion"] for page in (first, second, third)} == {
        first["metadata"]["resourceVersion"]
    }
    assert "continue" not in third["metadata"]
    assert len(names_in(await api.list())) == 6


async def test_a_long_list(start: Start) -> None:
    """A list of more than is written at once is one document all the same, in every form."""
    api = await start()
    await api.record(*[f"n{number:03d}" for number in range(150)])
    table = (await api.ask(RECORDS, ("accept", TABLE))).json()
    metadata = (
        await api.ask(RECORDS, ("accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"))
    ).json()

    assert names_in(await api.list()) == [f"n{number:03d}" for number in range(150)]
    assert (table["kind"], len(table["rows"]), table["columnDefinitions"][0]["name"]) == ("Table", 150, "Name")
    assert (metadata["kind"], len(metadata["items"])) == ("PartialObjectMetadataList", 150)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("fieldSelector=target.name%3Db", ["b"]),
        ("fieldSelector=verdict%3DDeny,user%3Dada", ["a", "b"]),
        ("labelSelector=severity%3DCritical,verdict%20in%20(Deny,Warn)", ["a", "b"]),
        ("labelSelector=severity!%3DCritical", []),
    ],
)
async def test_selectors(start: Start, query: str, expected: list[str]) -> None:
    """Both selectors choose; what they do not choose is not there."""
    assert names_in(await (await start("a", "b")).list(query)) == expected


async def test_versions(start: Start) -> None:
    """A list is of any version, of one not older than asked for, or of just that one."""
    api = await start("a")
    old = (await api.list())["metadata"]["resourceVersion"]
    await api.record("b")

    assert names_in(await api.list("resourceVersion=0")) == ["a", "b"]
    assert names_in(await api.list(f"resourceVersion={old}&resourceVersionMatch=NotOlderThan")) == ["a", "b"]
    assert names_in(await api.list(f"resourceVersion={old}&resourceVersionMatch=Exact")) == ["a"]
    assert names_in(await api.list(f"resourceVersion={old}&limit=500")) == ["a"]
    gone = await api.ask(f"{RECORDS}?resourceVersion=1&resourceVersionMatch=Exact")
    assert (gone.status, gone.json()["reason"]) == (410, "Expired")


async def test_a_version_that_another_replica_has_told(start: Start) -> None:
    """A list of a version that is not here yet waits for it."""
    api = await start("a")
    ahead = int((await api.list())["metadata"]["resourceVersion"]) + 1
    listing = asyncio.create_task(api.list(f"resourceVersion={ahead}"))
    await asyncio.sleep(0)
    assert not listing.done()
    await api.record("b")

    assert names_in(await listing) == ["a", "b"]


async def test_what_is_older_is_said(start: Start) -> None:
    """A list that does not hold everything says so, once."""
    api = await start(*"abc")
    before = await api.ask(RECORDS)
    api.live.retired(api.ledger.store.stored()[1].name, version=99)
    first = await api.ask(f"{RECORDS}?limit=1")
    second = await api.ask(f"{RECORDS}?limit=1&continue={first.json()['metadata']['continue']}")

    assert (before.headers, second.headers) == ((), ())
    assert dict(first.headers)["Warning"].startswith('299 - "older records are no longer in the cluster')


async def test_watch_from_a_list(start: Start) -> None:
    """What comes after a list's version is told, each change once, selected like a list."""
    api = await start("a")
    version = (await api.list())["metadata"]["resourceVersion"]
    await api.record("b")
    async with watching(api, f"resourceVersion={version}&fieldSelector=target.name!%3Dc") as watch:
        assert await watch.names(1) == [("ADDED", "b")]
        await api.record("c", "d")
        assert await watch.names(1) == [("ADDED", "d")]
        assert api.live.watches == 1
    assert api.live.watches == 0


async def test_watch_resumes(start: Start) -> None:
    """A watch that was cut goes on after the version that it told last."""
    api = await start()
    async with watching(api, "resourceVersion=0") as watch:
        await api.record("a", "b")
        first = await watch.next()
    async with watching(api, f"resourceVersion={first['object']['metadata']['resourceVersion']}") as watch:
        assert await watch.names(1) == [("ADDED", "b")]


async def test_watch_from_nothing(start: Start) -> None:
    """Without a version a watch begins with what is there."""
    api = await start("a", "b")
    async with watching(api, "") as watch:
        assert await watch.names(2) == [("ADDED", "a"), ("ADDED", "b")]
        await api.record("c")
        assert await watch.names(1) == [("ADDED", "c")]


async def test_watch_list(start: Start) -> None:
    """Asked for initial events, a watch tells what is there, says that this was all, and goes on."""
    api = await start("a")
    query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    async with watching(api, query) as watch:
        assert await watch.names(1) == [("ADDED", "a")]
        end = await watch.next()
        assert (end["type"], end["object"]["metadata"]["annotations"]) == (
            "BOOKMARK",
            {"k8s.io/initial-events-end": "true"},
        )
        await api.record("b")
        assert await watch.names(1) == [("ADDED", "b")]


async def test_watch_from_the_past(start: Start) -> None:
    """A watch from a version that is forgotten ends with 410, so that its client lists again."""
    [line] = (await (await start("a")).ask(f"{RECORDS}?watch=1&resourceVersion=1")).lines()

    assert (line["type"], line["object"]["code"], line["object"]["reason"]) == ("ERROR", 410, "Expired")


async def test_watch_that_falls_behind(start: Start) -> None:
    """A watch whose peer takes nothing while more comes than is kept ends with 410, and costs no memory meanwhile."""
    api = await start("a", max_bytes=20_000)
    version = (await api.list())["metadata"]["resourceVersion"]
    async with watching(api, f"resourceVersion={version}") as watch:
        await api.record("b")
        assert await watch.names(1) == [("ADDED", "b")]
        await api.record(*[f"n{number}" for number in range(50)])
        assert (await watch.next())["type"] == "ERROR"


async def test_watch_ends(start: Start) -> None:
    """A watch ends when its time is over, with a bookmark if it takes them, or when the process stops."""
    api = await start("a")
    version = (await api.list())["metadata"]["resourceVersion"]
    timed = await api.ask(f"{RECORDS}?watch=1&resourceVersion={version}&timeoutSeconds=1&allowWatchBookmarks=true")
    silent = asyncio.create_task(api.ask(f"{RECORDS}?watch=1&resourceVersion={version}"))
    await asyncio.sleep(0.05)
    api.live.stop()

    assert [(line["type"], line["object"]["metadata"]["resourceVersion"]) for line in timed.lines()] == [
        ("BOOKMARK", version)
    ]
    assert (await silent).body == b""


async def test_watch_as_a_table(start: Start) -> None:
    """Each change is a table of one row; only the first says its columns."""
    api = await start("a")
    async with watching(api, "", ("accept", TABLE)) as watch:
        await api.record("b")
        lines = [await watch.next() for _ in range(2)]

    assert [(line["object"]["kind"], bool(line["object"]["columnDefinitions"])) for line in lines] == [
        ("Table", True),
        ("Table", False),
    ]
    assert [line["object"]["rows"][0]["cells"][6] for line in lines] == ["namespaces a", "namespaces b"]


async def test_too_many_watches(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """One watch more than there may be is asked to come again."""
    api = await start()
    monkeypatch.setattr(api.live, "watches", 1000)
    reply = await api.ask(f"{RECORDS}?watch=1")

    assert (reply.status, reply.json()["reason"], reply.headers) == (429, "TooManyRequests", (("Retry-After", "1"),))
