"""A process that lives long takes up new time zones, and says as a number by which it goes."""

import asyncio

import pytest

from interlock.core.policies import zones
from interlock.wiring import timezones


@pytest.mark.parametrize(("version", "number"), [("2026f", 2026.06), ("2027a", 2027.01), ("2027", 2027.0)])
def test_release_is_a_number_that_grows(monkeypatch: pytest.MonkeyPatch, version: str, number: float) -> None:
    """Year and letter become year and hundredths."""
    monkeypatch.setattr(zones, "version", lambda: version)

    assert timezones.release() == pytest.approx(number)


async def test_looking_goes_on_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that cannot be read for a while is looked at again."""
    answers, over = [OSError("half written"), True], asyncio.Event()

    def refresh() -> bool:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        over.set()
        return True

    monkeypatch.setattr(timezones, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(zones, "refresh", refresh)
    following = asyncio.create_task(timezones.follow())
    await asyncio.wait_for(over.wait(), timeout=10)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following

    assert answers == []
