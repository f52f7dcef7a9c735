"""Proofs of the log, against trees computed the other way round: as RFC 6962 defines them, by recursion."""

import hashlib
from base64 import b64encode
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zwrotka_client.verify import (
    Refused,
    leaf_hash,
    parse_checkpoint,
    parse_key,
    parse_note,
    root_from_inclusion,
    verify_consistency,
    verify_note,
)
from zwrotka_client.verify.proof import parse_proof

from tests.verify.forge import consistency_of, path_of, root_of

# Test data of the Certificate Transparency project, whose trees RFC 6962 describes.
CT_ENTRIES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
CT_ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
# The example in the documentation of golang.org/x/mod/sumdb/note, where signed notes come from.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
LEAVES = [leaf_hash(f"entry {number}".encode()) for number in range(40)]
SIZES = st.integers(1, len(LEAVES))


def test_the_root_of_the_ct_test_tree_follows_from_each_of_its_leaves() -> None:
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in CT_ENTRIES]
    roots = {root_from_inclusion(leaf, index, 8, path_of(index, leaves)).hex() for index, leaf in enumerate(leaves)}
    assert roots == {CT_ROOT}


def test_every_leaf_of_every_tree_leads_to_its_root() -> None:
    for size in range(1, len(LEAVES) + 1):
        leaves = LEAVES[:size]
        roots = {root_from_inclusion(leaf, index, size, path_of(index, leaves)) for index, leaf in enumerate(leaves)}
        assert roots == {root_of(leaves)}


def leads_elsewhere(leaf: int, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    """Whether a path is refused or leads to another root."""
    try:
        return root_from_inclusion(LEAVES[leaf], index, size, path) != root
    except ValueError:
        return True


@given(st.integers(4, len(LEAVES)), st.data())
def test_a_path_that_is_cut_stretched_or_reordered_leads_elsewhere(size: int, data: st.DataObject) -> None:
    path = path_of(3, LEAVES[:size])
    root = root_of(LEAVES[:size])
    other = data.draw(st.permutations([*path, LEAVES[0]]).map(lambda hashes: hashes[: len(path)]) | st.just(path[:-1]))
    assert leads_elsewhere(3, 3, size, other, root) == (other != path)
    assert leads_elsewhere(3, 3, size, [*path, LEAVES[0]], root)


@given(SIZES, st.integers(-2, 50))
def test_another_place_in_the_same_tree_leads_elsewhere(size: int, index: int) -> None:
    place = min(3, size - 1)
    path, root = path_of(place, LEAVES[:size]), root_of(LEAVES[:size])
    assert leads_elsewhere(place, index, size, path, root) == (index != place)


def test_every_tree_is_consistent_with_every_later_one() -> None:
    for later in range(1, len(LEAVES) + 1):
        for size in range(1, later + 1):
            path = consistency_of(size, LEAVES[:later])
            verify_consistency(size, root_of(LEAVES[:size]), later, root_of(LEAVES[:later]), path)
    verify_consistency(0, root_of([]), 5, root_of(LEAVES[:5]), [])


@settings(deadline=None)
@given(SIZES, SIZES, st.integers(0, 39), st.data())
def test_a_log_that_rewrote_an_entry_is_caught(one: int, other: int, place: int, data: st.DataObject) -> None:
    size, later = sorted((one, other))
    rewritten = [*LEAVES]
    rewritten[place % size] = leaf_hash(b"rewritten")
    path = consistency_of(size, rewritten[:later])
    shown = data.draw(st.sampled_from([path, path[:-1], [*path, LEAVES[0]], [LEAVES[0]], []]))
    with pytest.raises(ValueError, match=r"path|root|unchanged"):
        verify_consistency(size, root_of(LEAVES[:size]), later, root_of(rewritten[:later]), shown)


def test_a_log_cannot_shrink() -> None:
    with pytest.raises(ValueError, match="cannot follow"):
        verify_consistency(3, root_of(LEAVES[:3]), 2, root_of(LEAVES[:2]), [])
    with pytest.raises(ValueError, match="no path"):
        verify_consistency(0, root_of([]), 2, root_of(LEAVES[:2]), [LEAVES[0]])


def test_the_note_of_the_go_documentation_is_verified() -> None:
    key = parse_key(GO_KEY)
    note = parse_note(GO_NOTE.encode())
    assert verify_note(note, [key]).name == "PeterNeumann"
    with pytest.raises(Refused, match="does not hold"):
        verify_note(parse_note(GO_NOTE.replace("cryptography", "a city hall").encode()), [key])


def test_signatures_of_strangers_beside_the_log_s_are_ignored() -> None:
    stranger = "— witness.example/one AAAAAAAAAAA=\n"
    note = parse_note((GO_NOTE + stranger).encode())
    assert len(note.signatures) == 2
    assert verify_note(note, [parse_key(GO_KEY)]).name == "PeterNeumann"
    with pytest.raises(Refused, match="No signature"):
        verify_note(parse_note((GO_NOTE.partition("—")[0] + stranger).encode()), [parse_key(GO_KEY)])


def test_a_note_s_text_may_hold_empty_lines() -> None:
    assert parse_note(b"a\n\nb\n\n\xe2\x80\x94 n AAAAAAA=\n").text == "a\n\nb\n"


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\n— n AAAAAAA=",
        "text\n\n- n AAAAAAA=\n",
        "text\n\n— n+ AAAAAAA=\n",
        "text\n\n—  AAAAAAA=\n",
        "text\n\n— n AAAA\n",
        "text\n\n— n AAAAAAB=\n",
        "text\n\n— n AAAAAAA=\n\n",
        "te\txt\n\n— n AAAAAAA=\n",
        "text\r\n\n— n AAAAAAA=\n",
        "text\n\n" + "— n AAAAAAA=\n" * 101,
    ],
)
def test_a_malformed_note_is_refused(note: str) -> None:
    with pytest.raises(Refused):
        parse_note(note.encode())


@pytest.mark.parametrize(
    "key", [GO_KEY[1:], GO_KEY.replace("c74", "C74"), GO_KEY[:-4], GO_KEY.replace("+AR", "+BR"), "+"]
)
def test_a_malformed_key_is_refused(key: str) -> None:
    with pytest.raises(Refused, match="log key"):
        parse_key(key)


@pytest.mark.parametrize(
    "text",
    [
        "log\n1\n",
        "log\n01\nAA==\n",
        "log\n-1\nAA==\n",
        "\n1\nAA==\n",
        "log\n1\nAA==\n",
        "log\n1\nAA\n",
        "log\n1\nAA==\nx\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="checkpoint"):
        parse_checkpoint(text)


HEAD = "c2sp.org/tlog-proof@v1\n"
HASH = "A" * 43 + "="


@pytest.mark.parametrize(
    ("proof", "words"),
    [
        (b"", "tlog-proof@v1"),
        (f"{HEAD}index 0\n\nnote", "the line with the log entry"),
        (f"{HEAD}extra AAAA\nindex 01\n\nnote", "place in the log"),
        (f"{HEAD}extra AAAA\nindex -1\n\nnote", "place in the log"),
        (f"{HEAD}extra AAB=\nindex 0\n\nnote", "not base64"),
        (f"{HEAD}extra AAAA\nindex 0\nAAAA\n\nnote", "not a SHA-256 hash"),
        (HEAD + "extra AAAA\nindex 0\n" + f"{HASH}\n" * 64 + "\nnote", "longer than any log"),
        (f"{HEAD}extra AAAA\nindex 0\n{HASH}ą\n\nnote", "not a text"),
        (HEAD + "A" * 100_000, "larger than"),
    ],
)
def test_a_malformed_proof_is_refused(proof: str | bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        parse_proof(proof if isinstance(proof, bytes) else proof.encode())


def test_a_key_of_another_kind_is_refused() -> None:
    typed = b"\x04" + bytes(32)
    key_id = hashlib.sha256(b"log\n" + typed).digest()[:4].hex()
    with pytest.raises(Refused, match="not an Ed25519 key"):
        parse_key(f"log+{key_id}+{b64encode(typed).decode()}")


def test_a_note_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(Refused, match="not UTF-8"):
        parse_note(b"\xff" + GO_NOTE.encode())


def test_checkpoints_of_a_growing_log_follow_each_other() -> None:
    roots = [root_of(LEAVES[:size]) for size in (1, 6, 7, 32, 40)]
    for (size, root), (later, later_root) in pairwise(zip((1, 6, 7, 32, 40), roots, strict=True)):
        verify_consistency(size, root, later, later_root, consistency_of(size, LEAVES[:later]))
