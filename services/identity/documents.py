"""Numbers of Polish identity cards: three letters, six digits, the first digit checks."""

import re

_SHAPE = re.compile(r"[A-Z]{3}[0-9]{6}")
_WEIGHTS = (7, 3, 1, 9, 7, 3, 1, 7, 3)


def normalized(text: str) -> str:
    """Upper case, without spaces."""
    return text.replace(" ", "").upper()


def flaw(number: str) -> str:
    """What is wrong with a normalized number, and what to do; "" if nothing."""
    if not _SHAPE.fullmatch(number):
        return "An identity card's number has three letters and six digits, as in ABS123456. Copy it again."
    if sum(weight * int(symbol, 36) for weight, symbol in zip(_WEIGHTS, number, strict=True)) % 10:
        return "The digits do not fit the letters. Copy the number again from the card."
    return ""
