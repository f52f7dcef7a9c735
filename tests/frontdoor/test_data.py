"""DATA is read in blocks: the letter comes out as it went in, and nothing but its one end ends it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.frontdoor.mail.data import END, BareNewline, Budget, DataReader, Hold, patience_s

# What real letters and attacks are made of: line ends, dots, and anything else.
PIECES = st.sampled_from([b"\r\n", b".", b"..", b"\r\n.", b"a", b"\0", b"text", b"\xc5\xbb", b" "])
LETTERS = st.lists(PIECES, max_size=60).map(lambda pieces: b"".join(pieces) + b"\r\n")
CUTS = st.lists(st.integers(1, 9), min_size=1, max_size=40)

FALSE_ENDS = [
    b"\n.\n",
    b"\r.\r",
    b"\r.\n",
    b"\n.\r",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\r\n.\r\r\n",
    b"\r\r\n.\r\r\n",
]


def stuffed(letter: bytes) -> bytes:
    """The letter as a correct client sends it."""
    lines = letter.split(b"\r\n")
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines) + b".\r\n"


def fed(reader: DataReader, stream: bytes, cuts: list[int]) -> bytes | None:
    """Feeds the stream in blocks of the given sizes, over and over; returns what was left after the end."""
    start, turn = 0, 0
    while start < len(stream):
        block = stream[start : start + cuts[turn % len(cuts)]]
        rest = reader.feed(block)
        start += len(block)
        turn += 1
        if rest is not None:
            return rest + stream[start:]
    return None


@given(LETTERS, CUTS, st.sampled_from([b"", b"QUIT\r\n", b".\r\n", b"\r\n.\r\n"]))
def test_a_letter_comes_out_as_it_went_in_however_it_is_cut(letter: bytes, cuts: list[int], after: bytes) -> None:
    reader = DataReader()
    assert fed(reader, stuffed(letter) + after, cuts) == after
    assert reader.size == len(letter)
    assert reader.content() == letter


@given(CUTS)
def test_an_empty_letter_is_a_letter(cuts: list[int]) -> None:
    reader = DataReader()
    assert fed(reader, b".\r\n", cuts) == b""
    assert reader.content() == b""


@pytest.mark.parametrize("sequence", FALSE_ENDS)
@given(CUTS)
def test_no_false_end_ends_a_letter(sequence: bytes, cuts: list[int]) -> None:
    reader = DataReader()
    smuggled = b"one" + sequence + b"MAIL FROM:<x@example.org>\r\n"
    if b"\0" in sequence:
        assert fed(reader, smuggled + END, cuts) == b""
        assert reader.content() == smuggled.replace(b"\r\n.", b"\r\n") + b"\r\n"
    else:
        with pytest.raises(BareNewline):
            fed(reader, smuggled + END, cuts)


@given(LETTERS, st.sampled_from([b"\r", b"\n"]), st.integers(0, 200), CUTS)
def test_a_lone_cr_or_lf_is_always_caught(letter: bytes, lone: bytes, place: int, cuts: list[int]) -> None:
    place = min(place, len(letter))
    spoilt = letter[:place] + lone + letter[place:]
    whole = spoilt.replace(b"\r\n", b"")
    if b"\r" not in whole and b"\n" not in whole:
        return  # it made a CRLF of its own
    with pytest.raises(BareNewline):
        fed(DataReader(), stuffed(spoilt), cuts)


@given(st.lists(st.sampled_from([b"\r", b"\n", b".", b"x"]), max_size=30).map(b"".join), CUTS)
def test_any_stream_means_the_same_however_it_is_cut(stream: bytes, cuts: list[int]) -> None:
    def outcome(sizes: list[int]) -> tuple[str, bytes | None, bytes]:
        reader = DataReader()
        try:
            rest = fed(reader, stream + END, sizes)
        except BareNewline:
            return ("bare", None, b"")
        return ("ended", rest, reader.content())

    assert outcome(cuts) == outcome([10_000])


def test_lines_may_be_as_long_as_they_like() -> None:
    reader = DataReader()
    letter = b"x" * (1 << 20) + b"\r\n"
    assert fed(reader, letter + b".\r\n", [65_536]) == b""
    assert reader.content() == letter


def test_a_forgotten_letter_still_ends_and_keeps_nothing() -> None:
    reader = DataReader()
    reader.feed(b"a\r\n")
    reader.forget()
    assert reader.feed(b"b\r\n.\r\nQUIT\r\n") == b"QUIT\r\n"
    assert reader.size == 6
    assert reader.content() == b""


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 60)), max_size=60))
def test_the_budget_is_never_overdrawn_and_comes_back_whole(steps: list[tuple[int, int]]) -> None:
    budget = Budget(100)
    holds = [Hold(budget) for _ in range(5)]
    held = [0] * 5
    for who, size in steps:
        if holds[who].grow_to(size):
            held[who] = max(held[who], size)
        assert sum(held) <= 100
        assert budget.has(100 - sum(held))
        assert not budget.has(101 - sum(held))
    for hold in holds:
        hold.release()
        hold.release()
    assert budget.has(100)
    assert not budget.has(101)


def test_a_small_letter_may_pause_and_a_large_one_must_come() -> None:
    megabyte = 1 << 20
    assert patience_s(1000, 4000, 0) == 300
    assert patience_s(1000, 4000, 1799.5) == 1
    assert patience_s(0, 20 * megabyte, 0) == 60
    assert patience_s(0, 20 * megabyte, 60) == 1
    # At 32 KB/s, twice the slowest pace, 20 MB come in without hurry.
    assert min(patience_s(second * 32 << 10, 20 * megabyte, second) for second in range(640)) >= 60
