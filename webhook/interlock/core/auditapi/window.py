"""The AuditRecords that a process holds: bounded by bytes, listed in pages, watched from any version still known.

    add ─▶ newest … oldest ─▶ forgotten (`horizon` rises)

Every change has a resource version, larger than those before. An object appears once and may change later (its series
counts on); what is forgotten is forgotten silently, as Events are: no DELETED is sent, and whoever asks for something
that lies behind the horizon gets 410 Expired and lists again, which is what clients of Kubernetes do.

A page of a list goes on behind the last key of the page before, at the version of the first page: objects that came
later are left out, so that paging while records arrive doubles nothing. It loses nothing either: once anything has been
forgotten since the first page, the token is refused.
"""

import base64
import binascii
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import msgspec
import orjson

from interlock.core.types import JsonObject
from interlock.errors import BadInput, InterlockError

Key = tuple[str, str]  # namespace, name
Wanted = Callable[[JsonObject], bool]

CHANGES_KEPT = 10_000
"""Changes that a watch can go back to: 100 s at 100 records a second, longer than a client takes to reconnect."""


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
        made: the AuditRecord as it is then.
    """

    version: int
    change: Change
    made: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list.

    Attributes:
        items: in the order of their keys.
        version: resource version of the list.
        token: where to go on; empty at the end.
    """

    items: tuple[JsonObject, ...]
    version: int
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    made: JsonObject
    added: int  # version at which it appeared
    size: int  # bytes


class _Token(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a list goes on, as a client gives it back."""

    window: str
    version: int
    forgotten: int
    namespace: str
    name: str


class Window:
    """AuditRecords in memory.

    Attributes:
        version: of the newest change.
        horizon: version up to which changes are forgotten; a watch can begin at it, not before.
        size: bytes held, as JSON.
        forgotten: how many objects are held no more.
    """

    def __init__(self, *, name: str, max_bytes: int, version: int, changes_kept: int = CHANGES_KEPT) -> None:
        """Begin empty.

        Args:
            name: unlike that of any other window, in whatever process: a list goes on where it began.
            max_bytes: of JSON to hold; the newest object stays, however large.
            version: of the state that is about to be added, at which watches can begin.
            changes_kept: how many changes a watch can go back.
        """
        self.version = version
        self.horizon = version
        self.size = 0
        self.forgotten = 0
        self._name = name
        self._max_bytes = max_bytes
        self._held: dict[Key, _Held] = {}  # in the order in which they appeared
        self._keys: list[Key] = []  # sorted
        self._changes: deque[Event] = deque()
        self._changes_kept = changes_kept

    def __len__(self) -> int:
        """How many objects are held."""
        return len(self._keys)

    def load(self, made: JsonObject, *, version: int) -> None:
        """Take an object that was there before this process: no watch is told."""
        self._hold(made, added=version)
        self.version = max(self.version, version)
        self.horizon = self.version

    def put(self, made: JsonObject, *, version: int) -> Event:
        """Take a new object, or a new state of one that is held.

        Args:
            made: the AuditRecord, its resourceVersion set to `version`.
            version: larger than any before.
        """
        before = self._held.get(_key(made))
        self._hold(made, added=before.added if before else version)
        self.version = version
        event = Event(version=version, change=Change.MODIFIED if before else Change.ADDED, made=made)
        self._changes.append(event)
        if len(self._changes) > self._changes_kept:
            self.horizon = self._changes.popleft().version
        return event

    def advance(self, version: int) -> None:
        """Note that there is nothing new up to this version."""
        self.version = max(self.version, version)

    def get(self, namespace: str, name: str) -> JsonObject | None:
        """One object, None if it is not held."""
        held = self._held.get((namespace, name))
        return held.made if held else None

    def page(self, *, namespace: str, wanted: Wanted, limit: int, token: str) -> Page:
        """List objects.

        Args:
            namespace: whose; empty for all.
            wanted: which of them.
            limit: how many at most; 0 for all.
            token: of the page before; empty for the first.

        Raises:
            BadInput: no token of ours.
            Expired: something was forgotten since the first page, or that came from another window.
        """
        last = self._token(token)
        version = last.version if last else self.version
        found: list[JsonObject] = []
        for held in self._from(namespace, last):
            if held.added > version or not wanted(held.made):
                continue
            if limit and len(found) == limit:
                return Page(items=tuple(found), version=version, token=self._next(version, found[-1]))
            found.append(held.made)
        return Page(items=tuple(found), version=version, token="")

    def since(self, version: int) -> list[Event]:
        """Every change after this version, oldest first.

        Raises:
            Expired: some of them are forgotten.
        """
        if version < self.horizon:
            raise Expired(f"too old resource version: {version} ({self.horizon})")
        at = bisect_right(self._changes, version, key=lambda event: event.version)
        return [self._changes[index] for index in range(at, len(self._changes))]

    # ----------------------------------------------------------------------------------------------------------

    def _hold(self, made: JsonObject, *, added: int) -> None:
        key, size = _key(made), len(orjson.dumps(made))
        before = self._held.get(key)
        if before is None:
            insort(self._keys, key)
        else:
            self.size -= before.size
        self._held[key] = _Held(made=made, added=added, size=size)
        self.size += size
        while self.size > self._max_bytes and len(self._held) > 1:
            self._forget(next(iter(self._held)))

    def _forget(self, key: Key) -> None:
        self.size -= self._held.pop(key).size
        del self._keys[bisect_left(self._keys, key)]
        self.forgotten += 1

    def _from(self, namespace: str, last: _Token | None) -> Iterator[_Held]:
        """What is held, by key, behind the last page."""
        start = bisect_right(self._keys, (last.namespace, last.name)) if last else 0
        if namespace:
            start = max(start, bisect_left(self._keys, (namespace, "")))
        for index in range(start, len(self._keys)):
            key = self._keys[index]
            if namespace and key[0] != namespace:
                return
            yield self._held[key]

    def _next(self, version: int, made: JsonObject) -> str:
        namespace, name = _key(made)
        token = _Token(window=self._name, version=version, forgotten=self.forgotten, namespace=namespace, name=name)
        return base64.urlsafe_b64encode(msgspec.json.encode(token)).decode().rstrip("=")

    def _token(self, token: str) -> _Token | None:
        if not token:
            return None
        try:
            padded = token.encode() + b"=" * (-len(token) % 4)
            read = msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=_Token)
        except (binascii.Error, UnicodeEncodeError, msgspec.DecodeError) as error:
            raise BadInput(field="continue", got=repr(token[:80]), expected="the token of the page before") from error
        if (read.window, read.forgotten) != (self._name, self.forgotten):
            raise Expired("the continue parameter is too old: records were forgotten since; list again")
        return read


def _key(made: JsonObject) -> Key:
    return made["metadata"]["namespace"], made["metadata"]["name"]
