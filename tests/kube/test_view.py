"""What was seen of one kind of object, whatever order it came in."""

from collections.abc import Callable
from functools import partial
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.types import JsonObject
from interlock.errors import HistoryRewound
from interlock.kube.view import View


def thing(name: str, version: int, *, uid: str = "", value: int = 0, namespace: str = "") -> JsonObject:
    """An object as of some resourceVersion."""
    metadata = {"name": name, "uid": uid or name, "resourceVersion": str(version)}
    return {"metadata": metadata | ({"namespace": namespace} if namespace else {}), "value": value}


def view() -> View[int]:
    """An empty one whose values are numbers."""
    return View(essence=lambda obj: obj["value"], read=lambda obj: obj["value"])


STEPS: dict[str, tuple[list[Callable[[View[int]], bool]], list[bool], dict[str, int]]] = {
    "what is seen is known": ([lambda v: v.put(thing("a", 1, value=5))], [True], {"a": 5}),
    "an older state comes too late": (
        [lambda v: v.put(thing("a", 2, value=5)), lambda v: v.put(thing("a", 1, value=4))], [True, False], {"a": 5},
    ),
    "a state of equal essence is no change": (
        [lambda v: v.put(thing("a", 1, value=5)), lambda v: v.put(thing("a", 2, value=5))], [True, False], {"a": 5},
    ),
    "a deleted object is gone": (
        [lambda v: v.put(thing("a", 1)), lambda v: v.remove(thing("a", 2))], [True, True], {},
    ),
    "a state older than the deletion does not bring it back": (
        [lambda v: v.remove(thing("a", 2)), lambda v: v.put(thing("a", 1))], [False, False], {},
    ),
    "the deletion of its predecessor does not remove an object": (
        [lambda v: v.put(thing("a", 3, uid="new", value=7)), lambda v: v.remove(thing("a", 2, uid="old"))],
        [True, False], {"a": 7},
    ),
    "an object made again is another one although it looks the same": (
        [lambda v: v.put(thing("a", 1, uid="old", value=5)), lambda v: v.put(thing("a", 3, uid="new", value=5))],
        [True, True], {"a": 5},
    ),
    "a list removes what it does not have": (
        [lambda v: v.put(thing("a", 1)), lambda v: v.merge([thing("b", 2)], 5)], [True, True], {"b": 0},
    ),
    "a list does not remove what is newer": (
        [lambda v: v.put(thing("a", 6, value=1)), lambda v: v.merge([], 5)], [True, False], {"a": 1},
    ),
    "a list does not bring back what was deleted after it": (
        [lambda v: v.remove(thing("a", 6)), lambda v: v.merge([thing("a", 2)], 5)], [False, False], {},
    ),
    "an equal list is no change": (
        [lambda v: v.put(thing("a", 1)), lambda v: v.merge([thing("a", 1)], 5)], [True, False], {"a": 0},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("steps", "changes", "known"), STEPS.values(), ids=STEPS.keys())
def test_steps(steps: list[Callable[[View[int]], bool]], changes: list[bool], known: dict[str, int]) -> None:
    """Each step says whether a decision could now differ, and the view knows what it should."""
    seen = view()

    assert [step(seen) for step in steps] == changes
    assert {name: value for (_, name), value in seen.values().items()} == known


def test_namespaces_are_kept_apart() -> None:
    """Objects of one name in two namespaces are two."""
    seen = view()
    seen.put(thing("a", 1, namespace="x", value=1))
    seen.put(thing("a", 2, namespace="y", value=2))

    assert seen.values() == {("x", "a"): 1, ("y", "a"): 2}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(0, 3)), max_size=20), st.randoms())
def test_order_does_not_matter(history: list[tuple[str, bool, int]], random: Random) -> None:
    """However a history's events and lists are shuffled, the view ends where the history ended."""
    now: dict[str, JsonObject] = {}
    statements: list[Callable[[View[int]], bool]] = []
    for version, (name, is_put, value) in enumerate(history, start=1):
        if is_put:
            uid = now[name]["metadata"]["uid"] if name in now else f"{name}-{version}"
            now[name] = thing(name, version, uid=uid, value=value)
            statements.append(partial(View.put, obj=now[name]))
        elif name in now:
            gone = thing(name, version, uid=now.pop(name)["metadata"]["uid"])
            statements.append(partial(View.remove, obj=gone))
        items = tuple(now.values())
        statements.append(partial(View.merge, items=items, version=version))

    random.shuffle(statements)
    seen = view()
    for state in statements:
        state(seen)

    assert {name: value for (_, name), value in seen.values().items()} == {
        name: obj["value"] for name, obj in now.items()
    }


REWOUND: dict[str, list[Callable[[View[int]], bool]]] = {
    "an object is listed as it was before a change that is older than the list": [
        lambda v: v.put(thing("a", 10, value=2)),
        lambda v: v.merge([thing("a", 5, value=1)], 20),
    ],
    "a deleted object is listed again": [
        lambda v: v.remove(thing("a", 10)),
        lambda v: v.merge([thing("a", 5)], 20),
    ],
    "an object that an earlier list did not have is listed as older than that list": [
        lambda v: v.merge([], 10),
        lambda v: v.merge([thing("a", 5)], 20),
    ],
}


@pytest.mark.parametrize("steps", REWOUND.values(), ids=REWOUND.keys())
def test_lists_that_no_single_history_has(steps: list[Callable[[View[int]], bool]]) -> None:
    """What only a restored etcd can say is told apart from what came late, and refused."""
    seen = view()
    *before, last = steps
    for step in before:
        step(seen)

    with pytest.raises(HistoryRewound, match="history was rewound"):
        last(seen)
