"""The tree is RFC 6962's, however it grew and whatever of it is kept."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.receipts import log
from services.receipts.log import Read, Tree, completed, edge_spans, leaf_hash
from tests.receipts import merkle

# Certificate Transparency's test vectors: entries and the roots of the trees of the first 1, 2, ... 8 of them.
ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LARGE = [str(number).encode() for number in range(700)]
SIZES = st.integers(min_value=1, max_value=len(LARGE))


def leaves_of(entries: list[bytes]) -> Read:
    """A reader that has leaves only."""
    return lambda level, number: None if level or number >= len(entries) else leaf_hash(entries[number])


def test_roots_are_those_of_the_published_vectors() -> None:
    entries = [bytes.fromhex(each) for each in ENTRIES]
    assert [Tree(leaves_of(entries)).hash(0, size).hex() for size in range(1, 9)] == ROOTS
    assert Tree(leaves_of([])).hash(0, 0) == sha256(b"").digest() == log.EMPTY_ROOT


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=300), st.data())
def test_inclusion_proofs_are_the_rfcs_own_and_hold(entries: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(min_value=0, max_value=len(entries) - 1))
    tree = Tree(leaves_of(entries))
    proof = tree.inclusion(index, len(entries))
    assert proof == merkle.path(index, entries)
    assert tree.hash(0, len(entries)) == merkle.mth(entries)
    assert merkle.inclusion_holds(entries[index], index, len(entries), proof, merkle.mth(entries))


@given(SIZES, SIZES)
def test_consistency_proofs_hold_between_any_two_sizes(one: int, other: int) -> None:
    old, new = sorted((one, other))
    proof = Tree(leaves_of(LARGE)).consistency(old, new)
    roots = merkle.mth(LARGE[:old]), merkle.mth(LARGE[:new])
    assert merkle.consistency_holds(old, new, proof, *roots)
    forked = merkle.mth([b"forged", *LARGE[1:old]])
    assert not merkle.consistency_holds(old, new, proof, forked, roots[1])


@given(st.lists(st.integers(min_value=1, max_value=130), min_size=1, max_size=6))
def test_a_tree_grown_from_its_right_edge_equals_one_built_at_once(steps: list[int]) -> None:
    size, edge = 0, dict[log.Span, bytes]()
    subtrees: dict[tuple[int, int], bytes] = {}
    for step in steps:
        grown = size + step
        fresh = {number: leaf_hash(LARGE[number % 700]) for number in range(size, grown)}
        # Anything but the new leaves is a KeyError: the edge must be all it takes.
        tree = Tree(lambda level, number, fresh=fresh: None if level else fresh[number], edge)  # type: ignore[misc]
        entries = [LARGE[number % 700] for number in range(grown)]
        assert tree.hash(0, grown) == merkle.mth(entries)
        for number in (size, grown - 1):
            assert tree.inclusion(number, grown) == merkle.path(number, entries)
        subtrees |= {
            (level, number): tree.hash(number * 256**level, (number + 1) * 256**level)
            for level, number in completed(size, grown)
        }
        size, edge = grown, {span: tree.hash(*span) for span in edge_spans(grown)}
    assert set(subtrees) == {(1, number) for number in range(size // 256)}
    assert all(
        subtrees[1, n] == merkle.mth([LARGE[i % 700] for i in range(n * 256, n * 256 + 256)]) for _, n in subtrees
    )


def test_what_a_large_tree_completes_are_the_hashes_of_the_tiles_above_the_leaves() -> None:
    # The example of tlog-tiles: 70,000 entries have one full tile and one of 17 above the leaves', one of 1 on top.
    assert len(list(completed(0, 70_000))) == 256 + 17 + 1
    assert set(completed(65_535, 65_536)) == {(1, 255), (2, 0)}
    assert list(completed(256, 511)) == []


def test_a_tree_reads_the_hashes_of_complete_subtrees_and_only_the_leaves_beside_them() -> None:
    asked: list[tuple[int, int]] = []

    def read(level: int, number: int) -> bytes:
        asked.append((level, number))
        width = 256**level
        return merkle.mth(LARGE[number * width : (number + 1) * width])

    assert Tree(read).hash(0, 515) == merkle.mth(LARGE[:515])
    assert sorted(asked) == [(0, 512), (0, 513), (0, 514), (1, 0), (1, 1)]


def test_proofs_for_what_is_not_there_are_refused() -> None:
    tree = Tree(leaves_of(LARGE[:3]))
    with pytest.raises(ValueError, match="no such leaf"):
        tree.inclusion(3, 3)
    with pytest.raises(ValueError, match="at least as large"):
        tree.consistency(0, 3)
    with pytest.raises(ValueError, match="at least as large"):
        tree.consistency(3, 2)
    with pytest.raises(LookupError, match="leaf 3 is missing"):
        tree.hash(0, 4)
