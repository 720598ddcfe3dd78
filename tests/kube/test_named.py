"""Following one named object: before it exists, through changes, and while the API server is away."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from interlock.core.types import JsonObject
from interlock.kube import named
from tests.fakes.kube_api import SECRETS, KubeApi
from tests.kube.conftest import Cluster, eventually


def secret(value: str) -> JsonObject:
    """Secret `keys` with a value, base64."""
    return {"metadata": {"name": "keys", "namespace": "interlock-system"}, "data": {"key": value}}


class Seen:
    """What a follower has yielded."""

    def __init__(self, states: AsyncIterator[JsonObject]) -> None:
        self.values: list[bytes] = []
        self._task = asyncio.create_task(self._run(states))

    async def _run(self, states: AsyncIterator[JsonObject]) -> None:
        async for obj in states:
            self.values.append(named.secret_data(obj)["key"])

    async def stop(self) -> None:
        """End."""
        self._task.cancel()
        await asyncio.wait({self._task})


@pytest.fixture
async def seen(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Seen]:
    """A follower of Secret `keys`, in a hurry."""
    monkeypatch.setattr(named, "RETRY_SECONDS", 0.02)
    seen = Seen(named.follow(cluster.api, "secrets", "keys", namespace="interlock-system"))
    yield seen
    await seen.stop()


async def test_waits_and_says_so_once(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the object does not exist the log says it once; then it is yielded."""
    monkeypatch.setattr(named, "RETRY_SECONDS", 0.01)
    with capture_logs() as logs:
        seen = Seen(named.follow(cluster.api, "secrets", "keys", namespace="interlock-system"))
        await eventually(lambda: len(cluster.fake.requests) > 5)
        cluster.fake.put(SECRETS, secret("b25l"))
        await eventually(lambda: seen.values == [b"one"])
        await seen.stop()

    assert [(log["event"], log["why"]) for log in logs] == [("waiting for an object", "it does not exist yet")]


async def test_changes_are_yielded_once_each(cluster: Cluster, seen: Seen) -> None:
    """Every change is seen, across cut watches and forgotten histories, and none twice."""
    fake: KubeApi = cluster.fake
    fake.put(SECRETS, secret("b25l"))
    await eventually(lambda: seen.values == [b"one"])
    fake.put(SECRETS, secret("dHdv"))
    await eventually(lambda: seen.values == [b"one", b"two"])
    fake.cut()
    asked = len(fake.requests)
    await eventually(lambda: len(fake.requests) >= asked + 2)
    fake.put(SECRETS, secret("dGhyZWU="))
    fake.forget()
    await eventually(lambda: seen.values == [b"one", b"two", b"three"])


async def test_deletion_and_outage_change_nothing(cluster: Cluster, seen: Seen) -> None:
    """What was seen stays seen when the object goes or nobody answers; a new object is seen."""
    fake = cluster.fake
    fake.put(SECRETS, secret("b25l"))
    await eventually(lambda: seen.values == [b"one"])
    fake.remove(SECRETS, "keys", "interlock-system")
    fake.fail("/api/v1", 503)
    fake.cut()
    fake.put(SECRETS, secret("dHdv"))
    fake.fail("/api/v1", 0)

    await eventually(lambda: seen.values == [b"one", b"two"])


async def test_only_this_name_is_asked_for(cluster: Cluster, seen: Seen) -> None:
    """No other Secret is read: a get of the name, and watches that name it."""
    cluster.fake.put(SECRETS, {"metadata": {"name": "other", "namespace": "interlock-system"}, "data": {"key": ""}})
    cluster.fake.put(SECRETS, secret("b25l"))
    await eventually(lambda: seen.values == [b"one"])
    await eventually(lambda: any(method == "WATCH" for method, _ in cluster.fake.requests))

    collection = "/api/v1/namespaces/interlock-system/secrets"
    assert set(cluster.fake.requests) == {("GET", f"{collection}/keys"), ("WATCH", collection)}
