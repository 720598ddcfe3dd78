"""How a guard ends when one of its parts fails: soon, whatever kopf leaves behind."""

import asyncio
import contextlib
import importlib.util
from pathlib import Path

import kopf
import pytest

from interlock.wiring import ending
from interlock.wiring.ending import Operator

STUBBORN = '''
import asyncio
async def watch(started):
    """A watcher that swallows one cancellation, as kopf's do when they lose their connection at that moment."""
    started.set()
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.Event().wait()
'''


@pytest.fixture
def left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """A module that passes for a part of kopf."""
    path = tmp_path / "stubborn.py"
    path.write_text(STUBBORN)
    monkeypatch.setattr(ending, "KOPF", tmp_path)
    specification = importlib.util.spec_from_file_location("stubborn", path)
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.watch


async def test_what_kopf_leaves_is_ended_when_something_else_fails(
    left_behind: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is cancelled from outside; its stray watcher is gone before the run's end is told."""
    started = asyncio.Event()
    strays: list[asyncio.Task[None]] = []

    async def _run(*_: object, **__: object) -> None:
        strays.append(asyncio.create_task(left_behind(started)))  # type: ignore[operator]
        await asyncio.Event().wait()

    monkeypatch.setattr(ending, "_run_kopf", _run)
    operator = Operator(registry=kopf.OperatorRegistry(), configuration=kopf.OperatorSettings(), identity="guard")
    running = asyncio.create_task(ending.operate(operator, stopping=asyncio.Event(), over=asyncio.Event()))
    await started.wait()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running

    assert (running.cancelled(), [stray.done() for stray in strays]) == (True, [True])
