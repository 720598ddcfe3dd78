"""Verification of a log outside as commands do it: with progress, and held against what was seen before."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from interlock.cli import remembered
from interlock.cli.progress import shown
from interlock.core import times
from interlock.core.audit import cosignature
from interlock.core.audit.keyring import Trust
from interlock.core.audit.lanes import Status
from interlock.core.audit.lanewalk import Walk
from interlock.core.audit.logreport import LogReport
from interlock.core.audit.logwalk import LogWalk
from interlock.core.audit.notekey import COSIGNATURE, VerifierKey
from interlock.errors import UsageError
from interlock.ledger.sightings import Sighting
from interlock.ledger.stores import opening
from interlock.ledger.verifying import Verification, Wanted
from interlock.wiring import clock

Taken = Callable[[Walk], None]


def verified(
    store: str, trust: Trust, *, wanted: Wanted, state: Path | None, taken: Taken = lambda _walk: None
) -> tuple[LogReport, LogWalk]:
    """Verify a log, and remember its end if it is proven.

    Args:
        store: where.
        trust: who the notary is.
        wanted: what is asked of it.
        state: file that remembers; None for none.
        taken: told of each good record.

    Raises:
        InterlockError: nothing could be verified.
        OSError: the file cannot be read or written.
    """
    seen = remembered.read(state) if state else []
    report, walk = asyncio.run(_verified(store, trust, replace(wanted, seen=(*wanted.seen, *seen)), taken))
    if state is not None and report.status is Status.PROVEN:
        remembered.write(state, report)
    return report, walk


async def _verified(store: str, trust: Trust, wanted: Wanted, taken: Taken) -> tuple[LogReport, LogWalk]:
    async with opening.opened(store, clock=clock.now) as opened:
        with shown("segments") as progress:
            verification = Verification(opened, trust, wanted=wanted, progress=progress, taken=taken)
            return await verification.run(), verification.walk


def cosigned(notes: Sequence[Path], witnesses: Sequence[Path]) -> tuple[Sighting, ...]:
    """Checkpoints that witnesses have cosigned, every one of them by every witness.

    Args:
        notes: files with a checkpoint each.
        witnesses: files with a witness's public key each.

    Raises:
        UsageError: one without the other.
        BadInput: a witness has not cosigned a checkpoint.
        OSError: a file cannot be read.
    """
    if bool(notes) is not bool(witnesses):
        raise UsageError("--cosigned and --witness go together: a checkpoint, and the key of who has seen it")
    keys = [VerifierKey.parse(file.read_text(encoding="utf-8"), kind=COSIGNATURE) for file in witnesses]
    return tuple(_sighting(file.read_text(encoding="utf-8"), key) for file in notes for key in keys)


def _sighting(note: str, key: VerifierKey) -> Sighting:
    seen, at = cosignature.opened(note, key)
    return Sighting(checkpoint=seen, evidence=f"witness {key.name}, which saw it at {times.write(at)}")
