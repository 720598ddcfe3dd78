"""The Merkle tree of RFC 6962, section 2.1: roots while leaves are appended, and proofs that a verifier can check.

    MTH({})     = SHA-256()
    MTH({d})    = SHA-256(0x00 || d)                                  a leaf hash, see core.audit.leaf
    MTH(D[n])   = SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n]))         k the largest power of two below n

Whoever appends keeps a *frontier* only: the roots of the perfect subtrees that n leaves fall into, one for each bit of
n, largest first. Any root follows from it, and so do all later ones.

Proofs are those of sections 2.1.1 (inclusion) and 2.1.2 (consistency); they are checked by the algorithms of RFC 9162,
sections 2.1.3.2 and 2.1.4.2, which need no tree.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

HASH_BYTES = 32
NODE_PREFIX = b"\x01"
EMPTY_ROOT = hashlib.sha256().digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree as whoever appends to it needs it.

    Attributes:
        size: number of leaves.
        hashes: roots of its perfect subtrees, largest first; one for each bit of `size`.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        """Check that there is a hash for each bit of the size.

        Raises:
            ValueError: there is not.
        """
        if self.size.bit_count() != len(self.hashes) or any(len(each) != HASH_BYTES for each in self.hashes):
            raise ValueError(f"{len(self.hashes)} hashes for a tree of {self.size} leaves")

    def append(self, leaves: Iterable[bytes]) -> Self:
        """The tree with these leaf hashes after its own."""
        size, hashes = self.size, list(self.hashes)
        for leaf in leaves:
            size += 1
            hashes.append(leaf)
            for _ in range((size & -size).bit_length() - 1):  # each carry of the counter joins two subtrees
                right = hashes.pop()
                hashes.append(node(hashes.pop(), right))
        return type(self)(size, tuple(hashes))

    @property
    def root(self) -> bytes:
        """MTH of all leaves."""
        if not self.hashes:
            return EMPTY_ROOT
        *rest, found = self.hashes
        for left in reversed(rest):
            found = node(left, found)
        return found


def node(left: bytes, right: bytes) -> bytes:
    """Hash an inner node."""
    return hashlib.sha256(NODE_PREFIX + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """MTH of these leaf hashes."""
    return Frontier().append(leaves).root


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The proof that a leaf is in the tree of these leaf hashes: PATH(m, D[n]).

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"leaf {index} of {len(leaves)}")
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion(leaves[:split], index), root(leaves[split:])]
    return [*inclusion(leaves[split:], index - split), root(leaves[:split])]


def inclusion_after(before: Frontier, leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The proof that a leaf is in the tree that goes on after `before` with these leaf hashes.

    What stands left of the leaf and before them is whole subtrees, which the frontier has: a left sibling of a subtree
    that reaches beyond `before` cannot be part of a larger one that does not.

    Args:
        before: the tree in front of them.
        leaves: those that follow.
        index: of one of them, in the whole tree.

    Raises:
        IndexError: it is none of them.
    """
    if not before.size <= index < before.size + len(leaves):
        raise IndexError(f"leaf {index} is none of {len(leaves)} after {before.size}")
    return _path(_Tree(before, leaves), index, 0, before.size + len(leaves))


class _Tree:
    """Roots of the subtrees of a tree of which a frontier and the leaves after it are known."""

    def __init__(self, before: Frontier, leaves: Sequence[bytes]) -> None:
        self._leaves = leaves
        self._size = before.size
        self._known: dict[tuple[int, int], bytes] = {}
        start = 0
        for found in before.hashes:
            width = 1 << (before.size - start).bit_length() - 1
            self._known[start, start + width] = found
            start += width

    def root(self, start: int, end: int) -> bytes:
        """MTH of the leaves in between."""
        if start >= self._size:
            return root(self._leaves[start - self._size : end - self._size])
        known = self._known.get((start, end))
        if known is not None:
            return known
        split = start + _split(end - start)
        return node(self.root(start, split), self.root(split, end))


def _path(tree: _Tree, index: int, start: int, end: int) -> list[bytes]:
    if end - start == 1:
        return []
    split = start + _split(end - start)
    if index < split:
        return [*_path(tree, index, start, split), tree.root(split, end)]
    return [*_path(tree, index, split, end), tree.root(start, split)]


def consistency(leaves: Sequence[bytes], size: int) -> list[bytes]:
    """The proof that the tree of the first `size` of these leaf hashes is a beginning of the whole: PROOF(m, D[n]).

    Raises:
        IndexError: there are fewer leaves, or the first tree would be empty, of which everything is a continuation.
    """
    if not 0 < size <= len(leaves):
        raise IndexError(f"{size} of {len(leaves)} leaves")
    return _consistency(leaves, size, known=True)


def _consistency(leaves: Sequence[bytes], size: int, *, known: bool) -> list[bytes]:
    """SUBPROOF(m, D, b): `known` while the subtree is one whose root the verifier has."""
    if size == len(leaves):
        return [] if known else [root(leaves)]
    split = _split(len(leaves))
    if size <= split:
        return [*_consistency(leaves[:split], size, known=known), root(leaves[split:])]
    return [*_consistency(leaves[split:], size - split, known=False), root(leaves[:split])]


def includes(leaf: bytes, index: int, proof: Sequence[bytes], *, size: int, root: bytes) -> bool:
    """Whether a proof shows that a leaf hash stands at an index of the tree with this size and root."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node(step, found)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = node(found, step)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def continues(first: tuple[int, bytes], second: tuple[int, bytes], proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that the tree of the first (size, root) is a beginning of the second."""
    (size, old), (whole, new) = first, second
    if not 0 < size <= whole:
        return False
    if size == whole:
        return not proof and old == new
    path = [old, *proof] if size & (size - 1) == 0 else list(proof)  # a perfect tree is its own first step
    return bool(path) and _folds(path, (size, old), (whole, new))


def _folds(path: Sequence[bytes], first: tuple[int, bytes], second: tuple[int, bytes]) -> bool:
    (size, old), (whole, new) = first, second
    at, last = size - 1, whole - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            before, after = node(step, before), node(step, after)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            after = node(after, step)
        at, last = at >> 1, last >> 1
    return last == 0 and (before, after) == (old, new)


def _split(count: int) -> int:
    """The largest power of two below `count`, which is at least 2."""
    return 1 << (count - 1).bit_length() - 1
