"""Codes catch what a person gets wrong when reading out or typing."""

from hypothesis import given
from hypothesis import strategies as st

from services.chassis import codes

CODES = st.builds(lambda _: codes.make(20), st.integers())
PLACES = st.integers(min_value=0, max_value=19)


@given(CODES, PLACES, st.sampled_from(codes.ALPHABET))
def test_one_wrong_symbol_is_always_caught(code: str, place: int, symbol: str) -> None:
    slipped = code[:place] + symbol + code[place + 1 :]
    assert codes.is_whole(slipped) == (slipped == code)


@given(CODES, PLACES, PLACES)
def test_two_symbols_in_the_wrong_order_are_always_caught(code: str, one: int, other: int) -> None:
    symbols = list(code)
    symbols[one], symbols[other] = symbols[other], symbols[one]
    assert codes.is_whole("".join(symbols)) == (symbols == list(code))


@given(CODES)
def test_case_hyphens_and_spaces_do_not_matter(code: str) -> None:
    assert codes.is_whole(codes.normalized(codes.grouped(code, 5).lower().replace("-", " - ")))


def test_symbols_that_look_alike_are_refused() -> None:
    assert not any(codes.is_whole(symbol * 20) for symbol in "01OIL")
    assert not codes.is_whole("")
