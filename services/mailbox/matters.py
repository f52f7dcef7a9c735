"""Matter types as the city's profile declares them, and the term each starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.chassis.errors import Invalid
from services.mailbox import terms

GENERAL_LETTER = "general_letter"


@dataclass(frozen=True)
class Term:
    """A term that runs: the article it rests on, its first and its last day."""

    rule: str
    start_on: date
    due_on: date


@dataclass(frozen=True)
class Matter:
    """A matter type."""

    code: str
    months: int
    rule: str

    def term_from(self, start: date) -> Term:
        """The term for the answer to a letter that arrived on `start`."""
        return Term(self.rule, start, terms.months_after(start, self.months))


def declared(raw: Mapping[str, Mapping[str, Any]]) -> dict[str, Matter]:
    """Matters by code, from the profile's files."""
    return {code: Matter(code, each["term"]["months"], each["term"]["rule"]) for code, each in raw.items()}


def matter_by(code: str, matters: Mapping[str, Matter]) -> Matter:
    """The matter of that code, the general letter for ""; Invalid for any other."""
    matter = matters.get(code or GENERAL_LETTER)
    if matter is None:
        raise Invalid("matter-unknown", "The city has no such type of matter. Nothing was kept.", {"matter": "unknown"})
    return matter
