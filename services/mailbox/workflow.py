"""The states of a letter and the ways between them."""

from enum import IntEnum

from services.chassis.errors import Forbidden


class State(IntEnum):
    """Where a letter stands; the numbers are those of LetterState on the wire."""

    RECEIVED = 1
    TAKEN = 2
    ANSWERED = 3


def must_be_answerable(holder: str, unit: str, sender_profile: str | None) -> None:
    """Forbidden unless the unit holds the letter and a resident wrote it."""
    if holder != unit:
        raise Forbidden("not-the-holder", "Only the unit that holds the letter may answer it. Nothing was kept.")
    if not sender_profile:
        raise Forbidden(
            "not-a-residents-letter", "This letter came from a unit. Write to that unit instead. Nothing was kept."
        )
