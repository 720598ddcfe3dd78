"""A Kubernetes API in memory, served over HTTP, and a client of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import aiohttp
import pytest

from interlock.kube.client import ApiClient
from interlock.kube.session import ApiTarget, open_session
from tests.fakes.kube_api import NAMESPACES, KubeApi

SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """The fake, and what our code needs to reach it."""

    fake: KubeApi
    target: ApiTarget
    session: aiohttp.ClientSession
    api: ApiClient


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """A cluster with namespaces kube-system and shop."""
    fake = KubeApi()
    for name in ("kube-system", "shop"):
        fake.put(NAMESPACES, {"metadata": {"name": name, "labels": {}}})
    async with fake.serve() as server:
        target = ApiTarget(server=server)
        async with open_session(target) as session:
            yield Cluster(fake, target, session, ApiClient(target, session))
            fake.cut()


async def eventually(holds: Callable[[], bool], *, seconds: float = SECONDS) -> None:
    """Wait until it holds; fail when the time is over."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not holds():
        assert loop.time() < end, "did not come true in time"
        await asyncio.sleep(0.01)
