"""People who do not exist, with numbers whose check digits are right (domain.md 7)."""

import itertools
from dataclasses import dataclass

from services.house.resident import Person

_NUMBER = itertools.count(1)


@dataclass(frozen=True)
class Resident:
    """A person with a trusted profile, and the token that was shown once."""

    person: Person
    profile_id: str
    token: str
    letter_address: str

    @property
    def name(self) -> str:
        """First names and surname."""
        return f"{self.person.first_names} {self.person.surname}"

    @property
    def email(self) -> str:
        """Registered address."""
        return self.person.email

    def address_of(self, mailbox: str) -> str:
        """The resident's personal address of another unit, by the part before the plus: drogi+TOKEN@..."""
        return f"{mailbox}+{self.letter_address.partition('+')[2]}"


def invent(first_name: str) -> Person:
    """A person nobody else in this run is."""
    number = next(_NUMBER)
    email = f"mieszkaniec.{number}@poczta.example"
    return Person(first_name, f"Zmyślona-{number}", pesel(number), email, document_number(number))


def pesel(number: int) -> str:
    """The PESEL of somebody born on 1 January 1980."""
    digits = f"800101{number:04d}"
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)
    total = sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=True))
    return f"{digits}{-total % 10}"


def document_number(number: int) -> str:
    """An identity card's number, series AAA."""
    digits = f"{number:05d}"
    letters_total = 10 * (7 + 3 + 1)
    total = letters_total + sum(weight * int(digit) for weight, digit in zip((7, 3, 1, 7, 3), digits, strict=True))
    # The check digit has weight 9, which is -1 modulo 10.
    return f"AAA{total % 10}{digits}"
