"""Statutory terms: how they are counted (KPA art. 57) and which days do not work (Act of 18.01.1951, art. 1)."""

import calendar
from datetime import date, timedelta

_FIXED = {(1, 1), (1, 6), (5, 1), (5, 3), (8, 15), (11, 1), (11, 11), (12, 25), (12, 26)}


def months_after(start: date, months: int) -> date:
    """The last day of a term of months that starts on `start` (art. 57 §3 and §4)."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last_of_month = calendar.monthrange(year, month + 1)[1]
    return working_day_from(date(year, month + 1, min(start.day, last_of_month)))


def days_after(start: date, days: int) -> date:
    """The last day of a term of days; the day of the event is not counted (art. 57 §1 and §4)."""
    return working_day_from(start + timedelta(days=days))


def working_day_from(day: date) -> date:
    """The day itself, or the next that is neither Saturday nor free of work by statute (art. 57 §4)."""
    while day.weekday() >= 5 or is_holiday(day):
        day += timedelta(days=1)
    return day


def is_holiday(day: date) -> bool:
    """Whether the day is free of work by statute; Sundays aside."""
    if (day.month, day.day) == (12, 24):
        return day >= date(2025, 2, 1)  # free since the amendment Dz.U. 2024 poz. 1965
    easter = _easter(day.year)
    moving = {easter, easter + timedelta(days=1), easter + timedelta(days=49), easter + timedelta(days=60)}
    return (day.month, day.day) in _FIXED or day in moving


def _easter(year: int) -> date:
    """Easter Sunday by the anonymous Gregorian computus."""
    a, b, c = year % 19, year // 100, year % 100
    d = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - c % 4) % 7
    f = d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114
    return date(year, f // 31, f % 31 + 1)
