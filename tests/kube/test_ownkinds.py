"""Validation of policies by kopf's own function, called as the admission server calls it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import kopf
import pytest

from interlock.core.types import JsonObject
from interlock.kube import ownkinds, watches
from tests.kube.conftest import Cluster
from tests.kube.test_snapshots import Everything
from tests.support.policies import SOUND, changed, policy

NOW = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)
CLOSED = {
    "timeZone": "UTC",
    "allow": [{"name": "past", "once": {"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"}}],
}
FROZEN = {
    "timeZone": "UTC",
    "freeze": [{"name": "ever", "once": {"start": "2020-01-01T00:00:00Z", "end": "2040-01-02T00:00:00Z"}}],
}
BROAD = {"actions": ["*"]}
ORDINARY = [{"systemIdentities": "Ordinary"}]


@pytest.fixture
async def review(cluster: Cluster) -> AsyncIterator[Callable[..., Any]]:
    """Reviews an operation on a policy; gives the response."""
    functions: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def serve(function: Any) -> AsyncIterator[dict[str, Any]]:
        functions.set_result(function)
        yield {}
        await asyncio.Event().wait()

    registry, over = kopf.OperatorRegistry(), asyncio.Event()
    watches.register_login(registry, cluster.target, cluster.session)
    ownkinds.register_validation(registry, clock=lambda: NOW)
    tasks = await kopf.spawn_tasks(
        registry=registry, settings=watches.configured(serve), clusterwide=True, stop_flag=over
    )
    operator = asyncio.create_task(kopf.run_tasks(tasks, ignored=Everything()))
    function = await functions

    async def review(operation: str, new: JsonObject | None, old: JsonObject | None = None) -> JsonObject:
        answer = await function(
            {
                "apiVersion": "admission.k8s.io/v1",
                "kind": "AdmissionReview",
                "request": {
                    "uid": "u",
                    "kind": {"group": "interlock.dev", "version": "v1alpha1", "kind": "DangerPolicy"},
                    "resource": {"group": "interlock.dev", "version": "v1alpha1", "resource": "dangerpolicies"},
                    "operation": operation,
                    "userInfo": {"username": "alice"},
                    "object": new,
                    "oldObject": old,
                },
            }
        )
        found: JsonObject = answer["response"]
        return found

    yield review
    over.set()
    await operator


def sound(**change: Any) -> JsonObject:
    """A sound policy with changes."""
    return policy(changed(SOUND, change)) | {"metadata": {"name": "sound", "uid": "p"}}


UNSOUND = sound(match={"actions": ["no-such-action"]}, verdict="Perhaps")


async def test_sound_policy_passes(review: Any) -> None:
    """A policy that compiles and raises no doubt is allowed without a word."""
    assert await review("CREATE", sound()) == {"uid": "u", "allowed": True}


@pytest.mark.parametrize("operation", ["CREATE", "UPDATE"])
async def test_unsound_policy_is_refused(review: Any, operation: str) -> None:
    """A policy that does not compile is refused with every violation's field path, got and expected."""
    found = await review(operation, UNSOUND, sound() if operation == "UPDATE" else None)

    assert (found["allowed"], found["status"]["code"]) == (False, 400)
    lines = found["status"]["message"].splitlines()
    assert [line.partition(":")[0] for line in lines] == ["spec.match.actions[0]", "spec.verdict"]


async def test_unsound_policy_can_be_labelled_and_deleted(review: Any) -> None:
    """What leaves the spec alone is not judged, so that a policy which an older version accepted can be let go."""
    labelled = UNSOUND | {"metadata": UNSOUND["metadata"] | {"labels": {"a": "b"}}}

    assert await review("UPDATE", labelled, UNSOUND) == {"uid": "u", "allowed": True}
    assert await review("DELETE", None, UNSOUND) == {"uid": "u", "allowed": True}


DOUBTS = {
    "denying controllers": (sound(match=BROAD), "spec.exclude"),
    "never open": (sound(windows=CLOSED), "spec.windows.allow"),
    "always frozen": (sound(windows=FROZEN), "spec.windows.freeze"),
    "allowing": (sound(verdict="Allow"), "spec.verdict"),
}


@pytest.mark.parametrize(("stored", "field"), DOUBTS.values(), ids=DOUBTS.keys())
async def test_doubts_are_warnings(review: Any, stored: JsonObject, field: str) -> None:
    """What is legal but probably not meant is allowed with a warning that names the field."""
    found = await review("CREATE", stored)

    assert found["allowed"] is True
    assert [warning.partition(":")[0] for warning in found["warnings"]] == [field]


CLEAR = {
    "ordinary work excluded": sound(match=BROAD, exclude=ORDINARY),
    "only observing": sound(match=BROAD, mode="Observe"),
    "some users": sound(match=BROAD | {"subjects": {"users": ["alice"]}}),
}


@pytest.mark.parametrize("stored", CLEAR.values(), ids=CLEAR.keys())
async def test_no_doubt(review: Any, stored: JsonObject) -> None:
    """A broad policy that leaves Kubernetes alone raises no doubt."""
    assert await review("CREATE", stored) == {"uid": "u", "allowed": True}
