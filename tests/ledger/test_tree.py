"""The Merkle tree of RFC 6962: published roots, the definition itself, and proofs that prove nothing else."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from interlock.core.audit import tree
from interlock.core.audit.tree import EMPTY_ROOT, Frontier

# The entries and roots of the reference implementation (google/certificate-transparency, merkle_tree_test).
ENTRIES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
ENTRIES.append(bytes(range(0x60, 0x70)))
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
LEAVES = [hashlib.sha256(b"\x00" + entry).digest() for entry in ENTRIES]

leaf_lists = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40)


def definition(leaves: Sequence[bytes]) -> bytes:
    """MTH, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + definition(leaves[:split]) + definition(leaves[split:])).digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_published_roots(size: int) -> None:
    """The roots are those that the reference implementation publishes."""
    assert tree.root(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_empty() -> None:
    """The tree of nothing has the hash of nothing."""
    assert Frontier().root == EMPTY_ROOT == definition([])


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70), st.integers(0, 70))
def test_appending(leaves: list[bytes], first: int) -> None:
    """However leaves are appended, the root is that of the definition, and the frontier has a hash for each bit."""
    grown = Frontier().append(leaves[:first]).append(leaves[first:])

    assert grown.root == definition(leaves)
    assert (grown.size, len(grown.hashes)) == (len(leaves), len(leaves).bit_count())


def test_frontier_of_another_size() -> None:
    """A frontier that cannot be that of its size is refused."""
    with pytest.raises(ValueError, match="1 hashes for a tree of 3 leaves"):
        Frontier(3, (b"x" * 32,))


@given(leaf_lists, st.data())
def test_inclusion(leaves: list[bytes], data: st.DataObject) -> None:
    """The proof of each leaf is accepted, at its own index, for its own tree."""
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof, root = tree.inclusion(leaves, index), definition(leaves)

    assert tree.includes(leaves[index], index, proof, size=len(leaves), root=root)
    assert len(proof) <= len(leaves).bit_length()


@given(leaf_lists, st.data())
def test_inclusion_of_what_follows(leaves: list[bytes], data: st.DataObject) -> None:
    """Whoever has a frontier and the leaves after it makes the same proof as whoever has them all."""
    index = data.draw(st.integers(0, len(leaves) - 1))
    size = data.draw(st.integers(0, index))
    before = Frontier().append(leaves[:size])

    assert tree.inclusion_after(before, leaves[size:], index) == tree.inclusion(leaves, index)


@given(leaf_lists, st.data())
def test_nothing_else_is_included(leaves: list[bytes], data: st.DataObject) -> None:
    """With another leaf, index, root, or a proof that was changed, nothing is proven."""
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof, root, size = tree.inclusion(leaves, index), definition(leaves), len(leaves)
    other = data.draw(st.binary(min_size=32, max_size=32))
    elsewhere = data.draw(st.integers(-1, size + 1))
    at = data.draw(st.integers(0, max(len(proof) - 1, 0)))
    assume(other not in leaves and other not in proof)

    assert not tree.includes(other, index, proof, size=size, root=root)
    assert (
        elsewhere == index
        or leaves.count(leaves[index]) > 1
        or not tree.includes(leaves[index], elsewhere, proof, size=size, root=root)
    )
    assert not tree.includes(leaves[index], index, proof, size=size, root=other)
    assert not tree.includes(leaves[index], index, [*proof, other], size=size, root=root)
    assert not proof or not tree.includes(leaves[index], index, proof[:-1], size=size, root=root)
    assert not proof or not tree.includes(
        leaves[index], index, [*proof[:at], other, *proof[at + 1 :]], size=size, root=root
    )


@given(leaf_lists, st.data())
def test_consistency(leaves: list[bytes], data: st.DataObject) -> None:
    """The proof that one tree began as another is accepted, and for no other roots."""
    size = data.draw(st.integers(1, len(leaves)))
    other = data.draw(st.binary(min_size=32, max_size=32))
    old, new = (size, definition(leaves[:size])), (len(leaves), definition(leaves))
    proof = tree.consistency(leaves, size)
    assume(other not in {old[1], new[1]})

    assert tree.continues(old, new, proof)
    assert not tree.continues((size, other), new, proof)
    assert not tree.continues(old, (len(leaves), other), proof)
    assert not tree.continues(old, new, [*proof, other])
    assert not tree.continues((0, EMPTY_ROOT), new, proof)


@pytest.mark.parametrize("index", [-1, 8])
def test_no_such_leaf(index: int) -> None:
    """There is no proof for a leaf that is not there, nor for a longer or an empty beginning."""
    with pytest.raises(IndexError):
        tree.inclusion(LEAVES, index)
    with pytest.raises(IndexError):
        tree.consistency(LEAVES, 0 if index < 0 else 9)
