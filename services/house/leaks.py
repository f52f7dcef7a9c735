"""Looks through logs for what must never be in one: tokens, PESEL numbers, e-mail addresses."""

import re
from collections.abc import Iterator
from pathlib import Path

from services.chassis import codes

_TOKEN = re.compile(r"(?<![0-9A-Za-z])[2-9A-Za-z]{5}(?:-?[2-9A-Za-z]{5}){3}(?![0-9A-Za-z])")
_PESEL = re.compile(r"(?<![0-9A-Za-z.-])\d{11}(?![0-9A-Za-z-])")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
_WEIGHTS = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)


def found_in(logs: Path) -> Iterator[str]:
    """Complaints, which do not repeat what they found."""
    for path in sorted(logs.glob("*.log*")):
        with path.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                yield from (f"{path.name}:{number} holds {what}" for what in _held(line))


def _held(line: str) -> Iterator[str]:
    if any(codes.is_whole(codes.normalized(found[0])) for found in _TOKEN.finditer(line)):
        yield "a token"
    if any(_sum(found[0]) % 10 == 0 for found in _PESEL.finditer(line)):
        yield "what may be a PESEL number"
    if _ADDRESS.search(line):
        yield "an e-mail address"


def _sum(digits: str) -> int:
    return sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True))
