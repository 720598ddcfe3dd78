"""JSON as bytes: bounded reading, one spelling, and no two stories in one text."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from interlock.core import jsonbytes
from interlock.errors import BadInput

REFUSED = {
    "nothing": b"",
    "cut off": b'{"a": [1, 2',
    "two documents": b"{} {}",
    "not a number": b"[NaN]",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "not UTF-8": b'{"a": "\xff"}',
    "half a surrogate pair": b'["\\ud800"]',
    "too deep for any reader": b"[" * 2000 + b"]" * 2000,
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_refused(data: bytes) -> None:
    """What is no document in UTF-8 of bounded depth is refused, saying where."""
    with pytest.raises(BadInput, match="at byte"):
        jsonbytes.loads(data)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")], ids=["arrays", "objects"])
def test_depth_that_is_accepted(opening: bytes, closing: bytes) -> None:
    """The bound that is named is the bound that holds, and whatever is read can be written again."""
    deepest = opening * (jsonbytes.MAX_DEPTH - 1) + b"[]" + closing * (jsonbytes.MAX_DEPTH - 1)
    deeper = opening + deepest + closing

    assert jsonbytes.canonical(jsonbytes.loads(deepest)) == deepest
    with pytest.raises(BadInput, match="a deeper one, expected one JSON document of at most 254 nested levels"):
        jsonbytes.loads(deeper)


WITHOUT_SPELLING = {
    "a float": {"a": [1.5]},
    "an integer that JavaScript rounds": [2**53],
    "a key that is no string": {1: "a"},
    "bytes": [b"a"],
    "a set": {"a": {1}},
}


@pytest.mark.parametrize("value", WITHOUT_SPELLING.values(), ids=WITHOUT_SPELLING.keys())
def test_no_canonical_spelling(value: object) -> None:
    """What readers may not agree on is not written."""
    with pytest.raises(ValueError, match=r"spelling|string"):
        jsonbytes.canonical(value)


def test_canonical_spelling() -> None:
    """Keys are sorted by code point, nothing is escaped that need not be, and there is no white space."""
    value = {"b": [True, None, -(2**53) + 1], "ä": "<é>", "a": {"z": 1, "y": ("x", 2)}}

    assert (
        jsonbytes.canonical(value) == '{"a":{"y":["x",2],"z":1},"b":[true,null,-9007199254740991],"ä":"<é>"}'.encode()
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_canonical_reads_back(value: object) -> None:
    """The one spelling says the same, and its own spelling is itself."""
    written = jsonbytes.canonical(value)

    assert (jsonbytes.loads(written), jsonbytes.canonical(jsonbytes.loads(written))) == (value, written)


def test_sha256() -> None:
    """The digest is the well-known one, in lower case."""
    assert jsonbytes.sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


# ------------------------------------------------------------------------------------------------- keys that repeat

KEYS = st.sampled_from(["a", "b", "<", "\u2028", '"', ""])
SCALARS = st.sampled_from(["1", "1e5", "18446744073709551616", "-0", "true", '"<&>"', '"a\\"b:"', '"\\\\u003c"'])


def _plainly(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _as_go(text: str) -> str:
    return _plainly(text).replace("<", "\\u003c").replace("\u2028", "\\u2028")


def _escaped(text: str) -> str:
    return json.dumps(text)


SPELLINGS = (_plainly, _as_go, _escaped)


@st.composite
def documents(draw: st.DrawFn, depth: int = 2) -> str:
    """JSON texts as anybody might write them: white space, escapes, and keys that may stand twice."""
    if depth == 0 or draw(st.booleans()):
        return draw(SCALARS)
    space = draw(st.sampled_from(["", "", " ", "\n\t"]))
    inner = draw(st.lists(documents(depth - 1), max_size=3))
    if draw(st.booleans()):
        return f"[{space}{f',{space}'.join(inner)}]"
    spell = draw(st.sampled_from(SPELLINGS))
    members = [f"{spell(draw(KEYS))}{space}:{space}{value}" for value in inner]
    return f"{{{space}{f',{space}'.join(members)}}}"


def repeats(text: str) -> bool:
    """The plain way to find out: the parser hands over every member."""
    found: list[str] = []

    def _members(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        found.extend(name for name in set(names) if names.count(name) > 1)

    json.loads(text, object_pairs_hook=_members)  # noqa: TID251  the reader to compare with
    return bool(found)


@given(documents())
@example('{"a":1,"a":1}')
@example('{"a":1e5,"a":10000}')  # made longer by a writer, by as much as the lost member makes it shorter
@example('{"\\\\u003c":1,"\\u003c":2,"<":3}')
def test_a_repeated_key_is_found(text: str) -> None:
    """A key that stands twice in one object is found, however it is spelled, whatever stands around; no other is."""
    data = text.encode()

    assert (jsonbytes.duplicate_key(data, orjson.loads(data)) is not None) == repeats(text)


def test_the_repeated_key_is_named() -> None:
    """The key itself is named, unescaped."""
    data = b'{"x": {"name": "x", "n\\u0061me": "y"}, "name": 1}'

    assert jsonbytes.duplicate_key(data, orjson.loads(data)) == "name"
