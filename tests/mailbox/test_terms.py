"""Terms on the vectors of the law."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.mailbox import terms

DAYS = st.dates(date(2011, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("start", "months", "last"),
    [
        ("2026-01-31", 1, "2026-03-02"),  # 28 February is a Saturday
        ("2026-11-23", 2, "2027-01-25"),  # 23 January is a Saturday
        ("2027-11-30", 3, "2028-02-29"),
        ("2026-11-25", 1, "2026-12-28"),  # Christmas Day, its second day (a Saturday), a Sunday
    ],
)
def test_a_term_of_months_ends_on_the_same_day_of_the_month_or_the_next_working_day(
    start: str, months: int, last: str
) -> None:
    assert terms.months_after(date.fromisoformat(start), months).isoformat() == last


@pytest.mark.parametrize(
    ("start", "days", "last"),
    [
        ("2026-12-10", 14, "2026-12-28"),  # 24 December is free since 2025
        ("2024-12-10", 14, "2024-12-24"),  # and was not before
        ("2026-04-24", 7, "2026-05-04"),
    ],
)
def test_a_term_of_days_does_not_count_the_day_of_the_event(start: str, days: int, last: str) -> None:
    assert terms.days_after(date.fromisoformat(start), days).isoformat() == last


@pytest.mark.parametrize("easter", ["2014-04-20", "2025-04-20", "2026-04-05", "2027-03-28"])
def test_easter_and_the_feasts_that_move_with_it_are_free(easter: str) -> None:
    sunday = date.fromisoformat(easter)
    moving = (0, 1, 49, 60)  # Easter, Easter Monday, Pentecost, Corpus Christi
    assert all(terms.is_holiday(sunday + timedelta(days=day)) for day in moving)
    assert not any(terms.is_holiday(sunday + timedelta(days=day + 1)) for day in (1, 49, 60))


@given(DAYS, st.integers(min_value=1, max_value=24))
def test_a_term_never_ends_on_a_day_without_work_nor_early(start: date, months: int) -> None:
    last = terms.months_after(start, months)
    assert last.weekday() < 5
    assert not terms.is_holiday(last)
    assert 28 * months <= (last - start).days <= 31 * months + 6
