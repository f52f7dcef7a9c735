"""Codes that people read out and type: 31 symbols that cannot be mistaken for each other, two of them check.

Without 0/O and 1/I/L, 31 symbols remain, a prime: the checks are two sums modulo 31, plain and weighted by
position. Together they catch every single wrong symbol, every swap of two and every two wrong symbols;
of random strings one in 961 passes.
"""

import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_VALUE = {symbol: value for value, symbol in enumerate(ALPHABET)}
_SEPARATORS = str.maketrans("", "", "- ")


def make(length: int) -> str:
    """A random code of `length` symbols, the last two of them check symbols; 4.95 bits for each of the others."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(length - 2))
    return body + _checks(body)


def normalized(text: str) -> str:
    """Upper case, without hyphens and spaces."""
    return text.translate(_SEPARATORS).upper()


def is_whole(code: str) -> bool:
    """Whether a normalized code has only known symbols and its check symbols fit."""
    return len(code) > 2 and all(symbol in _VALUE for symbol in code) and _checks(code[:-2]) == code[-2:]


def grouped(code: str, size: int) -> str:
    """The code in groups of `size`, joined by hyphens."""
    return "-".join(code[start : start + size] for start in range(0, len(code), size))


def _checks(body: str) -> str:
    plain = sum(_VALUE[symbol] for symbol in body) % 31
    weighted = sum(place * _VALUE[symbol] for place, symbol in enumerate(body, 1)) % 31
    return ALPHABET[plain] + ALPHABET[weighted]
