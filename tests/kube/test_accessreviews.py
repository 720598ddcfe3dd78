"""Who may read, asked of the cluster and remembered for a moment."""

import asyncio

import pytest

from interlock.core.ports import Access
from interlock.core.types import User
from interlock.errors import Unavailable
from interlock.kube import accessreviews
from interlock.kube.accessreviews import AccessReviews
from tests.kube.conftest import Cluster

ADA = User(name="ada", groups=("dev",), extra={"scopes": ("a", "b")})
LIST = Access(verb="list", group="audit.interlock.dev", version="v1alpha1", resource="auditrecords", namespace="shop")


def _asked(cluster: Cluster) -> int:
    return sum(path.endswith("subjectaccessreviews") for _, path in cluster.fake.requests)


async def test_asked_once(cluster: Cluster) -> None:
    """The same question is asked once, also by many at the same time; another one is asked anew."""
    cluster.fake.allowed = {"ada"}
    reviews = AccessReviews(cluster.api)
    answers = await asyncio.gather(*(reviews.allows(ADA, LIST) for _ in range(20)))

    assert (answers, _asked(cluster)) == ([True] * 20, 1)
    assert await reviews.allows(ADA, LIST)
    assert not await reviews.allows(User(name="bob"), LIST)
    assert _asked(cluster) == 2


async def test_forgotten_soon(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A right that was taken away is taken away here, too, when the answer has become old."""
    cluster.fake.allowed = {"ada"}
    reviews = AccessReviews(cluster.api)
    assert await reviews.allows(ADA, LIST)
    cluster.fake.allowed = set()
    assert await reviews.allows(ADA, LIST)
    monkeypatch.setattr(accessreviews, "REMEMBERED_SECONDS", 0.0)

    assert not await reviews.allows(ADA, LIST)


async def test_bounded(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask, so many answers are remembered and no more."""
    monkeypatch.setattr(accessreviews, "REMEMBERED_ANSWERS", 3)
    reviews = AccessReviews(cluster.api)
    for number in range(5):
        await reviews.allows(User(name=f"user-{number}"), LIST)
    await reviews.allows(User(name="user-4"), LIST)
    assert _asked(cluster) == 5
    await reviews.allows(User(name="user-0"), LIST)

    assert _asked(cluster) == 6


async def test_nobody_answers(cluster: Cluster) -> None:
    """What the API server does not say is not known, and asked again the next time."""
    cluster.fake.fail("/apis/authorization.k8s.io", 500)
    reviews = AccessReviews(cluster.api)
    with pytest.raises(Unavailable):
        await reviews.allows(ADA, LIST)
    cluster.fake.fail("/apis/authorization.k8s.io", 0)
    cluster.fake.allowed = {"ada"}

    assert await reviews.allows(ADA, LIST)


async def test_who_leaves(cluster: Cluster) -> None:
    """Who gives up waiting takes the answer from nobody else."""
    cluster.fake.allowed = {"ada"}
    reviews = AccessReviews(cluster.api)
    first, second = (asyncio.create_task(reviews.allows(ADA, LIST)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()

    assert await second
    assert _asked(cluster) == 1
