"""The Merkle tree of RFC 6962 §2.1, seen from outside: whether proofs hold. Nothing here trusts anyone."""

import hashlib
from collections.abc import Sequence

HASH_BYTES = 32


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a log entry as a leaf (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root of a tree of `size` leaves whose leaf number `index` (from 0) is `leaf`, by its path upward.

    RFC 9162 §2.1.3.2. ValueError when no tree of that size has such a path: it is too short or too long,
    or the index lies outside.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} lies outside a tree of {size}")
    place, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ValueError("the path is longer than the tree is high")
        if place % 2 or place == last:
            root = node_hash(sibling, root)
            # A last node without a right neighbour rises unchanged: skip the levels where it stands alone.
            while place and not place % 2:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ValueError("the path ends below the root")
    return root


def verify_consistency(size: int, root: bytes, later_size: int, later_root: bytes, path: Sequence[bytes]) -> None:
    """ValueError unless the tree of `later_size` leaves only adds to the tree of `size` leaves (RFC 9162 §2.1.4.2).

    Every tree adds to the empty one; the same size needs the same root and an empty path.
    """
    if not 0 <= size <= later_size:
        raise ValueError(f"a log of {later_size} entries cannot follow one of {size}")
    if size in (0, later_size):
        if path:
            raise ValueError("nothing was added to, so there is no path")
        if size and root != later_root:
            raise ValueError("two logs of the same size have different roots")
        return
    # A full earlier tree is itself a node of the later one, and the path leaves it out.
    hashes = [root, *path] if size & (size - 1) == 0 else list(path)
    if not path:
        raise ValueError("the path is empty")
    place, last = size - 1, later_size - 1
    while place % 2:
        place, last = place >> 1, last >> 1
    earlier = later = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ValueError("the path is longer than the tree is high")
        if place % 2 or place == last:
            earlier = node_hash(sibling, earlier)
            later = node_hash(sibling, later)
            # A last node without a right neighbour rises unchanged: skip the levels where it stands alone.
            while place and not place % 2:
                place, last = place >> 1, last >> 1
        else:
            later = node_hash(later, sibling)
        place, last = place >> 1, last >> 1
    if last or earlier != root or later != later_root:
        raise ValueError("the later log does not contain the earlier one unchanged")
