"""The notary's keys through time: each hands over to the next by a note that both have signed.

    interlock.dev/key-rotation/v1
    <verifier key of the old key>
    <verifier key of the new key>
    <time>

    — <name> <signature of the old key>
    — <name> <signature of the new key>

The old key says who comes after it, the new one that its holder made it and whom it follows. Every cut carries all
rotations so far, so whoever knows one of the keys can tell which one has to have signed. A log never has fewer of them
than it had: a key that was replaced signs nothing any more, whoever has got hold of it.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Self

from interlock.core import times
from interlock.core.audit import dsse, signednote
from interlock.core.audit.notekey import VerifierKey
from interlock.errors import BadInput

TITLE = "interlock.dev/key-rotation/v1"

EXPECTED = "a note of four lines: title, old key, new key, time; signed by both"

MAX_ROTATIONS = 12
"""Keys are rotated once a year or after a theft; every cut carries the notes, half a kilobyte each, and has to fit."""

GRACE = timedelta(minutes=10)
"""How long certificates of a replaced key count: replicas of the controller look for a new one every minute."""

MAX_PINNED = 2 * MAX_ROTATIONS
"""Keys that somebody may trust at one time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """One key in place of another.

    Attributes:
        old: until then.
        new: from then on.
        time: the notary's clock.
    """

    old: VerifierKey
    new: VerifierKey
    time: datetime

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{TITLE}\n{self.old}\n{self.new}\n{times.write(self.time)}\n"


def signed(rotation: Rotation, *, old: dsse.Sign, new: dsse.Sign) -> str:
    """Write a rotation as a note.

    Args:
        rotation: what is said.
        old: Ed25519 signature by the private half of the old key.
        new: likewise of the new one.
    """
    note = signednote.signed(rotation.text, key=rotation.old, sign=old)
    return note + signednote.line(rotation.text, key=rotation.new, sign=new)


def opened(note: str) -> Rotation:
    """Read a rotation that both its keys have signed; whether either is to be trusted is another question.

    Raises:
        BadInput: it is none, or one of them has not.
    """
    lines = signednote.text_of(note).splitlines()
    if len(lines) != len(EXPECTED.split(",")) or lines[0] != TITLE:
        raise BadInput(field="rotation", got=repr(note[:80]), expected=EXPECTED)
    rotation = Rotation(old=VerifierKey.parse(lines[1]), new=VerifierKey.parse(lines[2]), time=times.read(lines[3]))
    for key in (rotation.old, rotation.new):
        if signednote.opened(note, key) != rotation.text:
            raise BadInput(field="rotation", got=repr(note[:80]), expected="what its lines say, spelled once")
    return rotation


@lru_cache(maxsize=2)  # cut after cut carries the same ones, each with two signatures to be checked
def _all_opened(notes: tuple[str, ...]) -> tuple[Rotation, ...]:
    if not 0 < len(notes) <= MAX_ROTATIONS:
        raise BadInput(field="rotations", got=f"{len(notes)}", expected=f"1 to {MAX_ROTATIONS}")
    return tuple(opened(note) for note in notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """All keys up to the one that signs now.

    Attributes:
        keys: oldest first, at least one.
        replaced: when each of them but the last was.
        notes: the rotations, as signed.
    """

    keys: tuple[VerifierKey, ...]
    replaced: tuple[datetime, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, key: VerifierKey) -> Self:
        """A key that follows no other one."""
        return cls(keys=(key,))

    @classmethod
    def read(cls, notes: Sequence[str]) -> Self:
        """Put rotations together, at least one.

        Raises:
            BadInput: one is none, they do not follow one another, or there are too many.
        """
        rotations = _all_opened(tuple(notes))
        for before, after in itertools.pairwise(rotations):
            if before.new != after.old:
                raise BadInput(
                    field="rotations", got=f"one of {after.old.keyid}", expected=f"one of {before.new.keyid}"
                )
        keys = (rotations[0].old, *(each.new for each in rotations))
        if len(set(keys)) < len(keys):
            raise BadInput(field="rotations", got="a key that comes back", expected="each key once")
        return cls(keys=keys, replaced=tuple(each.time for each in rotations), notes=tuple(notes))

    @property
    def current(self) -> VerifierKey:
        """The key that signs."""
        return self.keys[-1]

    def extended(self, note: str) -> Self:
        """The ring with one more rotation.

        Raises:
            BadInput: as for `read`.
        """
        return self.read([*self.notes, note])

    def extends(self, earlier: Self) -> bool:
        """Whether these are the keys of an earlier time, and perhaps some more."""
        count = len(earlier.keys)
        return self.keys[:count] == earlier.keys and self.notes[: count - 1] == earlier.notes

    def outdated(self, at: datetime) -> tuple[VerifierKey, ...]:
        """The keys whose certificates of new lanes do not count at an instant."""
        return tuple(key for key, replaced in zip(self.keys, self.replaced, strict=False) if at - replaced >= GRACE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Keys that somebody believes to be the notary's: from a place that whoever could change the log could not change.

    Attributes:
        pinned: at least one; a log may begin with any of them.
    """

    pinned: tuple[VerifierKey, ...]

    @classmethod
    def of(cls, *keys: VerifierKey) -> Self:
        """Trust in these keys."""
        return cls(pinned=tuple(dict.fromkeys(keys)))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read verifier keys, one a line; empty lines are passed over.

        Raises:
            BadInput: a line is none, there is none at all, or too many.
        """
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) > MAX_PINNED:
            raise BadInput(field="key", got=f"{len(lines)} lines", expected=f"at most {MAX_PINNED} keys, one a line")
        return cls(pinned=tuple(map(VerifierKey.parse, lines or [text])))

    @property
    def fingerprint(self) -> str:
        """For people to compare; several are divided by commas."""
        return ", ".join(key.fingerprint for key in self.pinned)

    def signer(self, envelope: dsse.Envelope, notes: Sequence[str]) -> Keyring:
        """The keys up to the one that has signed an envelope with these rotations inside.

        Raises:
            BadInput: the one that should have has not, none of the keys is trusted, or the rotations are none.
        """
        rings = [Keyring.read(notes)] if notes else [Keyring.of(key) for key in self.pinned]
        known = [ring for ring in rings if not set(self.pinned).isdisjoint(ring.keys)]
        found = next((ring for ring in known if envelope.signed_by(ring.current.public_key)), None)
        if found is None:
            wanted = " or ".join(ring.current.keyid for ring in known or map(Keyring.of, self.pinned))
            raise BadInput(field="signature", got=f"one of {envelope.keyid[:120]}", expected=f"one of {wanted}")
        return found
