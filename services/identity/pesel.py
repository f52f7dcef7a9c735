"""PESEL numbers: eleven digits YYMMDDZZZXC (Ustawa o ewidencji ludności, art. 15)."""

from datetime import date

_WEIGHTS = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)
_CENTURIES = {80: 1800, 0: 1900, 20: 2000, 40: 2100, 60: 2200}  # added to the month


def normalized(text: str) -> str:
    """Without spaces."""
    return text.replace(" ", "")


def flaw(pesel: str) -> str:
    """What is wrong with a normalized number, and what to do; "" if nothing.

    The check digit lets some swapped digits pass, and 00000000000: the birth date is looked at too, and the
    number still has to be compared with the document shown.
    """
    if len(pesel) != 11 or not pesel.isascii() or not pesel.isdigit():
        return "A PESEL number has 11 digits. Copy it again from the document."
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, pesel, strict=False))
    if (10 - total % 10) % 10 != int(pesel[10]):
        return "The last digit does not fit the others. Copy the number again from the document."
    try:
        birth_date(pesel)
    except ValueError:
        return "The first six digits are no date of birth. Copy the number again from the document."
    return ""


def birth_date(pesel: str) -> date:
    """The date of birth that eleven digits begin with; ValueError if there is no such day."""
    month = int(pesel[2:4])
    offset = (month - 1) // 20 * 20
    return date(_CENTURIES.get(offset, 1900) + int(pesel[:2]), month - offset, int(pesel[4:6]))
