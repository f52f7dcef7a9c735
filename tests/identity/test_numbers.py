"""PESEL and identity card numbers: what can stand on a document, and what cannot (vectors of public validators)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity import documents, pesel

DAYS = st.dates(date(1800, 1, 1), date(2299, 12, 31))
_OFFSETS = {1800: 80, 1900: 0, 2000: 20, 2100: 40, 2200: 60}


def written(day: date, serial: int) -> str:
    """The PESEL of somebody born on a day."""
    ten = f"{day.year % 100:02d}{day.month + _OFFSETS[day.year // 100 * 100]:02d}{day.day:02d}{serial:04d}"
    total = sum(weight * int(digit) for weight, digit in zip((1, 3, 7, 9, 1, 3, 7, 9, 1, 3), ten, strict=True))
    return f"{ten}{-total % 10}"


@pytest.mark.parametrize(
    ("number", "born"),
    [
        ("70010100124", date(1970, 1, 1)),
        ("85123177752", date(1985, 12, 31)),
        ("04222912347", date(2004, 2, 29)),
        ("99861504514", date(1899, 6, 15)),
    ],
)
def test_a_valid_pesel_has_no_flaw_and_tells_the_birth_date(number: str, born: date) -> None:
    assert pesel.flaw(number) == ""
    assert pesel.birth_date(number) == born


@pytest.mark.parametrize(
    ("number", "part"),
    [
        ("70010100125", "last digit"),
        ("04223012343", "date of birth"),  # 30 February, check digit right
        ("85133177753", "date of birth"),  # month 13, check digit right
        ("00000000000", "date of birth"),  # check digit right
        ("7001010012", "11 digits"),
        ("700101001240", "11 digits"),
        ("7001010012A", "11 digits"),
        ("", "11 digits"),
        ("٧٠٠١٠١٠٠١٢٤", "11 digits"),  # digits, but not ours
    ],
)
def test_a_wrong_pesel_is_refused_with_what_is_wrong(number: str, part: str) -> None:
    assert part in pesel.flaw(number)


@given(DAYS, st.integers(0, 9999))
def test_every_day_of_five_centuries_is_read_back(day: date, serial: int) -> None:
    assert pesel.flaw(written(day, serial)) == ""
    assert pesel.birth_date(written(day, serial)) == day


@given(DAYS, st.integers(0, 9999), st.integers(0, 10), st.integers(1, 9))
def test_one_wrong_digit_of_a_pesel_is_always_caught(day: date, serial: int, place: int, by: int) -> None:
    number = written(day, serial)
    slipped = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    assert pesel.flaw(slipped)


@given(st.text(max_size=30))
def test_any_text_has_a_flaw_or_a_birth_date(text: str) -> None:
    assert pesel.flaw(text) or isinstance(pesel.birth_date(text) + timedelta(0), date)


@pytest.mark.parametrize("number", ["ABS123456", "AAA300001", "CDE612345", "XYZ799999"])
def test_a_valid_card_number_has_no_flaw(number: str) -> None:
    assert documents.flaw(number) == ""


def test_spaces_and_case_of_a_card_number_do_not_matter() -> None:
    assert documents.flaw(documents.normalized(" abs 123456")) == ""


@pytest.mark.parametrize(
    ("number", "part"),
    [
        ("ABS523456", "do not fit"),
        ("ASB232622", "do not fit"),
        ("ABS12345", "three letters"),
        ("AB1234567", "three letters"),
        ("ŻBS123456", "three letters"),
        ("ABS12345٦", "three letters"),
        ("", "three letters"),
    ],
)
def test_a_wrong_card_number_is_refused_with_what_is_wrong(number: str, part: str) -> None:
    assert part in documents.flaw(number)


@given(st.sampled_from(["ABS123456", "AAA300001", "CDE612345"]), st.integers(3, 8), st.integers(1, 9))
def test_one_wrong_digit_of_a_card_number_is_always_caught(number: str, place: int, by: int) -> None:
    slipped = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    assert documents.flaw(slipped)
