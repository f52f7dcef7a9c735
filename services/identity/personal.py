"""The one place where personal columns are written and read."""

from dataclasses import asdict, fields

from services.identity.profiles import Person

_COLUMNS = [each.name for each in fields(Person)]


def columns_of(person: Person) -> dict[str, str]:
    """The personal columns' values."""
    return asdict(person)


def person_of(row: object) -> Person:
    """The person in a row of the table of profiles."""
    return Person(**{column: getattr(row, column) for column in _COLUMNS})
