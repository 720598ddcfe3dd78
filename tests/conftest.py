"""What all tests share: tests on real parts only where there are some, and a watch over forgotten asyncio tasks."""

import asyncio
import inspect
import os
from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

KUBECONFIG = "INTERLOCK_TEST_KUBECONFIG"
STORES = "INTERLOCK_TEST_STORES"

# No time limit for one example: on a busy machine it fails for the machine's sake. A failure prints how to repeat it.
settings.register_profile("interlock", deadline=None, print_blob=True, max_examples=25)  # seconds, many times a day
settings.register_profile("thorough", deadline=None, print_blob=True, max_examples=2_000)  # minutes: `hack/test soak`
settings.load_profile(os.environ.get("INTERLOCK_TEST_EXAMPLES", "interlock"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests whose cluster or S3 server is not there, naming the command that brings it; watch over async tests."""
    no_cluster = pytest.mark.skip(reason=f"{KUBECONFIG} is not set: run `hack/test cluster`")
    no_store = pytest.mark.skip(reason=f"{STORES} is not set: run `hack/test stores`")
    for item in items:
        if item.get_closest_marker("cluster") and not os.environ.get(KUBECONFIG):
            item.add_marker(no_cluster)
        if item.get_closest_marker("object_store") and not os.environ.get(STORES):
            item.add_marker(no_store)
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.fixturenames.insert(0, "_no_task_left_behind")


@pytest.fixture
async def _no_task_left_behind() -> AsyncIterator[None]:
    """Fail an async test that ends while tasks which it started still run, after its other fixtures have cleaned up."""
    before = asyncio.all_tasks()
    yield
    left = {task for task in asyncio.all_tasks() - before if task is not asyncio.current_task()}
    assert not left, f"still running: {left}"
