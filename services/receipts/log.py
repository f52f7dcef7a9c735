"""The Merkle tree of RFC 6962 §2.1, computed from what is stored of it.

Stored are the leaves' hashes and the hashes of complete subtrees of 256, 256**2, ... leaves, which are exactly the
hashes of tlog-tiles: level L of a tile is subtrees of 256**L leaves. The right edge, the complete subtrees that the
tree as it stands is made of (at most one for each bit of its size), is all it takes to append and to prove what is new.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping

TILE_WIDTH = 256
EMPTY_ROOT = hashlib.sha256(b"").digest()
Span = tuple[int, int]
# (level, number) -> hash of the number-th complete subtree of 256**level leaves; None where only its leaves are kept.
Read = Callable[[int, int], bytes | None]


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry's leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """Hashes and proofs over what `read` gives and `known` spans; each span is hashed once."""

    def __init__(self, read: Read, known: Mapping[Span, bytes] | None = None) -> None:
        self._read = read
        self._known = dict(known or {})

    def hash(self, begin: int, end: int) -> bytes:
        """MTH(D[begin:end]) of RFC 6962 §2.1; `begin` as its recursion makes it."""
        found = self._known.get((begin, end)) or self._stored(begin, end)
        if found is None:
            if end - begin == 1:
                raise LookupError(f"leaf {begin} is missing")
            middle = begin + _split(end - begin)
            found = node_hash(self.hash(begin, middle), self.hash(middle, end))
        self._known[begin, end] = found
        return found

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """PATH(index, D[0:size]) of RFC 6962 §2.1.1: from the leaf's sibling up."""
        if not 0 <= index < size:
            raise ValueError("no such leaf in a tree of that size")
        path: list[bytes] = []
        begin, end = 0, size
        while end - begin > 1:
            middle = begin + _split(end - begin)
            if index < middle:
                path.append(self.hash(middle, end))
                end = middle
            else:
                path.append(self.hash(begin, middle))
                begin = middle
        return path[::-1]

    def consistency(self, old: int, new: int) -> list[bytes]:
        """PROOF(old, D[0:new]) of RFC 6962 §2.1.2; empty where the two are the same."""
        if not 0 < old <= new:
            raise ValueError("consistency is between a tree and one at least as large")
        proof: list[bytes] = []
        begin, end = 0, new
        while old != end:
            middle = begin + _split(end - begin)
            if old <= middle:
                proof.append(self.hash(middle, end))
                end = middle
            else:
                proof.append(self.hash(begin, middle))
                begin = middle
        # A verifier knows the old tree as a whole, but not a part of it.
        if begin:
            proof.append(self.hash(begin, end))
        return proof[::-1]

    def _stored(self, begin: int, end: int) -> bytes | None:
        if begin == end:
            return EMPTY_ROOT
        level, rest = divmod((end - begin).bit_length() - 1, 8)
        width = TILE_WIDTH**level
        return None if rest or end - begin != width else self._read(level, begin // width)


def edge_spans(size: int) -> Iterator[Span]:
    """The complete subtrees a tree of `size` leaves is made of, from the left."""
    begin = 0
    for bit in reversed(range(size.bit_length())):
        if size >> bit & 1:
            yield begin, begin + (1 << bit)
            begin += 1 << bit


def completed(old: int, new: int) -> Iterator[tuple[int, int]]:
    """(level, number) of each subtree of 256**level leaves, level 1 and up, that growing to `new` completes."""
    level, width = 1, TILE_WIDTH
    while width <= new:
        for number in range(old // width, new // width):
            yield level, number
        level, width = level + 1, width * TILE_WIDTH


def _split(width: int) -> int:
    """The largest power of two smaller than `width` (at least 2)."""
    return 1 << ((width - 1).bit_length() - 1)
