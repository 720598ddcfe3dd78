"""What this process has seen of one kind of object, whatever order it came in.

Events of different objects arrive unordered, a watch may be cut and listed anew without telling what was deleted
meanwhile (kopf 1.45.2, `_cogs/clients/watching.py`, `continuous_watch`: a list after "410 Gone" yields what exists and
nothing about what is gone), and lists of our own come in between. One rule makes all that harmless: of two statements
about an object the one with the larger resourceVersion counts. resourceVersions are comparable numbers (KEP-5504).

No I/O here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from interlock.core.types import JsonObject
from interlock.errors import HistoryRewound

V = TypeVar("V")

Key = tuple[str, str]
"""Namespace (empty for cluster-scoped objects) and name."""


@dataclass(frozen=True, slots=True)
class _Entry(Generic[V]):
    uid: str
    version: int
    essence: object
    value: V


class View(Generic[V]):
    """The newest known state of each object.

    Attributes:
        newest: largest resourceVersion seen in any event or list.
    """

    def __init__(self, *, essence: Callable[[JsonObject], object], read: Callable[[JsonObject], V]) -> None:
        """Begin with nothing.

        Args:
            essence: what of an object decisions depend on, comparable and cheap; equal essence means no change.
            read: makes the value of an object whose essence is new.
        """
        self._essence = essence
        self._read = read
        self._entries: dict[Key, _Entry[V]] = {}
        self._gone: dict[str, int] = {}  # uid -> resourceVersion of its deletion, if after the newest list
        self._listed = 0  # resourceVersion of the newest list
        self.newest = 0

    def put(self, obj: JsonObject) -> bool:
        """Take note of an object; True if a decision could now differ."""
        version = version_of(obj)
        self.newest = max(self.newest, version)
        return self._put(obj, version)

    def remove(self, obj: JsonObject) -> bool:
        """Take note of a deletion; True if a decision could now differ."""
        uid, version = _uid_of(obj), version_of(obj)
        self.newest = max(self.newest, version)
        self._gone[uid] = version
        return self._drop(key_of(obj), uid)

    def merge(self, items: Iterable[JsonObject], version: int) -> bool:
        """Take note of everything that existed at `version`; True if a decision could now differ.

        Raises:
            HistoryRewound: the list contradicts what was seen before, as no list of the same history can.
        """
        self.newest = max(self.newest, version)
        changed, listed = False, set[Key]()
        for obj in items:
            self._demand_same_history(obj, version)
            listed.add(key_of(obj))
            changed |= self._put(obj, version_of(obj))
        absent = [key for key, entry in self._entries.items() if key not in listed and entry.version <= version]
        for key in absent:
            del self._entries[key]
        self._listed = max(self._listed, version)
        self._gone = {uid: gone for uid, gone in self._gone.items() if gone > self._listed}
        return changed or bool(absent)

    def __len__(self) -> int:
        """How many objects there are."""
        return len(self._entries)

    def values(self) -> Mapping[Key, V]:
        """The present value of each object."""
        return {key: entry.value for key, entry in self._entries.items()}

    def _demand_same_history(self, obj: JsonObject, listed_at: int) -> None:
        """Refuse an object that stands in a list although it had changed, or had gone, by then.

        Raises:
            HistoryRewound: it does.
        """
        key, uid, version = key_of(obj), _uid_of(obj), version_of(obj)
        known = self._entries.get(key)
        changed = known is not None and known.uid == uid and version < known.version <= listed_at
        deleted = self._gone.get(uid, listed_at + 1) <= listed_at
        missed = known is None and not deleted and version <= self._listed <= listed_at and uid not in self._gone
        if changed or deleted or missed:
            raise HistoryRewound(
                f"{'/'.join(filter(None, key))}: listed at {listed_at} as of resourceVersion {version}, which it had "
                "left before: history was rewound"
            )

    def _put(self, obj: JsonObject, version: int) -> bool:
        key, uid = key_of(obj), _uid_of(obj)
        known = self._entries.get(key)
        # What is unknown although a list is newer had been deleted before that list.
        if version <= max(known.version if known else self._listed, self._gone.get(uid, 0)):
            return False
        essence = self._essence(obj)
        same = known is not None and known.uid == uid and known.essence == essence
        value = known.value if known is not None and same else self._read(obj)
        self._entries[key] = _Entry(uid, version, essence, value)
        return not same

    def _drop(self, key: Key, uid: str) -> bool:
        known = self._entries.get(key)
        if known is None or known.uid != uid:
            return False
        del self._entries[key]
        return True


def key_of(obj: JsonObject) -> Key:
    """Namespace and name of an object."""
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def version_of(obj: JsonObject) -> int:
    """Its resourceVersion as a number."""
    return int(obj["metadata"]["resourceVersion"])


def _uid_of(obj: JsonObject) -> str:
    return str(obj["metadata"]["uid"])
