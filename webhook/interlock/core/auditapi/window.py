"""The AuditRecords that a process holds: bounded by bytes, listed in pages, watched from any version still known.

    put ─▶ visible, newest … oldest ─▶ lingering ─▶ dropped (`floor` rises)
      └──▶ changes, newest … oldest ─▶ dropped (`horizon` rises)

Every change has a resource version, larger than those before. An object appears once and may change later (its series
counts on). What goes, because there is no room or because the cluster has retired it, goes silently: no DELETED is
sent, or everybody who watches would read every denial a second time an hour later.

A list is one of a version: of what was visible then, each object in its newest state. A page goes on behind the last
key of the page before, at the version of the first page, so that paging while records arrive and go loses and doubles
nothing. What goes lingers for that, for as long as there is room, and a list for which that was not long enough is
refused with Expired, as etcd does after a compaction. Nothing in a token speaks of one process: any replica that holds
the same records goes on where another one began.

Objects are kept as JSON, which is a fifth of what Python's own objects take.
"""

import base64
import binascii
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import msgspec
import orjson

from interlock.core.types import JsonObject
from interlock.errors import BadInput, InterlockError

Key = tuple[str, str]  # namespace, name
Wanted = Callable[[JsonObject], bool]

CHANGES_KEPT = 10_000
"""Changes that a watch can go back to: 20 s at 500 records a second, longer than a client takes to reconnect."""

SPARE = 4
"""What lingers, and what changes hold, may each take one byte for so many of what is visible."""


class Expired(InterlockError):
    """What was asked for is forgotten; list again (410 Gone, reason Expired)."""


class Change(StrEnum):
    """How an object changed."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change.

    Attributes:
        version: of the change.
        change: what happened.
        raw: the AuditRecord as it is then, JSON.
    """

    version: int
    change: Change
    raw: bytes

    @property
    def made(self) -> JsonObject:
        """The AuditRecord as it is then."""
        found: JsonObject = orjson.loads(self.raw)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list.

    Attributes:
        items: AuditRecords as JSON, in the order of their keys.
        version: resource version of the list.
        token: where to go on; empty at the end.
    """

    items: tuple[bytes, ...]
    version: int
    token: str


class Position(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a list goes on: behind this key, at this version."""

    version: int
    namespace: str = ""
    name: str = ""


@dataclass(slots=True, kw_only=True)
class _Held:
    key: Key
    raw: bytes
    added: int  # version at which it appeared
    gone: int | None = None  # version at which it went, while it lingers

    def visible(self, version: int) -> bool:
        return self.added <= version and (self.gone is None or self.gone > version)


class Window:
    """AuditRecords in memory.

    Attributes:
        version: of the newest change.
        horizon: version up to which changes are forgotten; a watch can begin at it, not before.
        floor: version before which there is no list any more.
        size: bytes of what is visible, as JSON.
        forgotten: how many objects had to go because there was no room.
    """

    def __init__(self, *, max_bytes: int, version: int, changes_kept: int = CHANGES_KEPT) -> None:
        """Begin empty.

        Args:
            max_bytes: of JSON that is visible; the newest object stays, however large. With what lingers and what
                changes hold it is half as much again.
            version: of the state that is about to be added, at which watches can begin.
            changes_kept: how many changes a watch can go back.
        """
        self.version = self.horizon = self.floor = version
        self.size = 0
        self.forgotten = 0
        self._max_bytes = max_bytes
        self._held: dict[Key, _Held] = {}
        self._keys: list[Key] = []  # of everything held, sorted
        self._visible: dict[str, _Held] = {}  # by name, in the order in which they appeared
        self._lingering: deque[_Held] = deque()
        self._lingering_bytes = 0
        self._changes: deque[Event] = deque()
        self._changes_bytes = 0
        self._changes_kept = changes_kept

    def __len__(self) -> int:
        """How many objects are visible."""
        return len(self._visible)

    def load(self, made: JsonObject, *, version: int) -> None:
        """Take an object that was there before this process: no watch is told."""
        self._hold(made, version)
        self.begin(version)

    def begin(self, version: int) -> None:
        """Say that everything up to this version is here: lists and watches begin at it."""
        self.version = max(self.version, version)
        self.horizon = self.floor = self.version
        self._changes.clear()
        self._changes_bytes = 0

    def put(self, made: JsonObject, *, version: int) -> Event:
        """Take a new object, or a new state of one that is visible.

        Args:
            made: the AuditRecord, its resourceVersion set to `version`.
            version: larger than any before.
        """
        self.version = version
        is_new = self._hold(made, version)
        event = Event(version=version, change=Change.ADDED if is_new else Change.MODIFIED, raw=orjson.dumps(made))
        self._changes.append(event)
        self._changes_bytes += len(event.raw)
        while len(self._changes) > self._changes_kept or self._changes_bytes > max(
            self._max_bytes // SPARE, len(event.raw)
        ):
            self.horizon = self._changes[0].version
            self._changes_bytes -= len(self._changes.popleft().raw)
        return event

    def advance(self, version: int) -> None:
        """Note that there is nothing new up to this version."""
        self.version = max(self.version, version)

    def retire(self, names: Iterable[str], *, version: int) -> None:
        """Let objects go that are no longer in the cluster as of this version."""
        self.advance(version)
        for name in names:
            if held := self._visible.get(name):
                self._hide(held)

    def get(self, namespace: str, name: str) -> JsonObject | None:
        """One object, None if it is not visible."""
        found = self.find(name)
        return found if found and found["metadata"]["namespace"] == namespace else None

    def find(self, name: str) -> JsonObject | None:
        """The object of this name, in whatever namespace; None if it is not visible."""
        held = self._visible.get(name)
        found: JsonObject | None = orjson.loads(held.raw) if held else None
        return found

    def page(self, *, namespace: str, wanted: Wanted | None, limit: int, at: Position | None = None) -> Page:
        """List objects.

        Args:
            namespace: whose; empty for all.
            wanted: which of them; None for all.
            limit: how many at most; 0 for all.
            at: where to begin, and of which version; None for the beginning, as of now.

        Raises:
            Expired: that version is not known (any more).
        """
        at = at or Position(version=self.version)
        if not self.floor <= at.version <= self.version:
            raise Expired("the list's version is too old or not known here: list again")
        found: list[_Held] = []
        for held in self._from(namespace, at):
            if not held.visible(at.version) or (wanted and not wanted(orjson.loads(held.raw))):
                continue
            if limit and len(found) == limit:
                return Page(items=_raw(found), version=at.version, token=_token(at.version, found[-1].key))
            found.append(held)
        return Page(items=_raw(found), version=at.version, token="")

    def since(self, version: int) -> list[Event]:
        """Every change after this version, oldest first.

        Raises:
            Expired: some of them are forgotten.
        """
        if version < self.horizon:
            raise Expired(f"too old resource version: {version} ({self.horizon})")
        if not self._changes or version >= self._changes[-1].version:
            return []
        at = bisect_right(self._changes, version, key=lambda event: event.version)
        return [self._changes[index] for index in range(at, len(self._changes))]

    # ----------------------------------------------------------------------------------------------------------

    def _hold(self, made: JsonObject, version: int) -> bool:
        """Keep an object, making room for it; whether it is new."""
        key, raw = _key(made), orjson.dumps(made)
        held = self._visible.get(key[1])
        if held is None:
            if lingering := self._held.get(key):
                self._lingering.remove(lingering)
                self._drop(lingering)
            is_new, held = True, _Held(key=key, raw=raw, added=version)
            self._held[key] = self._visible[key[1]] = held
            insort(self._keys, key)
        else:
            is_new = False
            self.size -= len(held.raw)
            held.raw = raw
        self.size += len(raw)
        while self.size > self._max_bytes and len(self._visible) > 1:
            self._hide(next(iter(self._visible.values())))
            self.forgotten += 1
        return is_new

    def _hide(self, held: _Held) -> None:
        """Take an object out of new lists; lists of older versions still have it."""
        held.gone = self.version
        del self._visible[held.key[1]]
        self.size -= len(held.raw)
        self._lingering.append(held)
        self._lingering_bytes += len(held.raw)
        while self._lingering_bytes > self._max_bytes // SPARE:
            self._drop(self._lingering.popleft())

    def _drop(self, held: _Held) -> None:
        self.floor = max(self.floor, held.gone or 0)
        self._lingering_bytes -= len(held.raw)
        del self._held[held.key]
        del self._keys[bisect_left(self._keys, held.key)]

    def _from(self, namespace: str, at: Position) -> Iterator[_Held]:
        """What is held, by key, behind a position."""
        start = bisect_right(self._keys, (at.namespace, at.name)) if at.name else 0
        if namespace:
            start = max(start, bisect_left(self._keys, (namespace, "")))
        for index in range(start, len(self._keys)):
            key = self._keys[index]
            if namespace and key[0] != namespace:
                return
            yield self._held[key]


def position(token: str) -> Position:
    """Read the token of a page.

    Raises:
        BadInput: it is none of ours.
    """
    try:
        padded = token.encode() + b"=" * (-len(token) % 4)
        return msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=Position)
    except (binascii.Error, UnicodeError, RecursionError, msgspec.MsgspecError) as error:
        raise BadInput(field="continue", got=repr(token[:80]), expected="the token of the page before") from error


def _token(version: int, key: Key) -> str:
    at = Position(version=version, namespace=key[0], name=key[1])
    return base64.urlsafe_b64encode(msgspec.json.encode(at)).decode().rstrip("=")


def _raw(found: Iterable[_Held]) -> tuple[bytes, ...]:
    return tuple(held.raw for held in found)


def _key(made: JsonObject) -> Key:
    return made["metadata"]["namespace"], made["metadata"]["name"]
