"""The facts that texts tell, in no language yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.chassis.city import Unit


@dataclass(frozen=True)
class Proof:
    """The two enclosed files, and where to have them checked."""

    xml: str
    log_proof: str
    check_url: str


@dataclass(frozen=True)
class Accepted:
    """A letter that was accepted. Times are aware, in Europe/Warsaw."""

    number: str
    at: datetime
    channel: str  # "smtp", "telegram", "grpc"
    unit: Unit
    matter: Mapping[str, str]  # name and name_en, as the profile declares it
    subject: str
    enclosures: tuple[str, ...]
    due_on: date | None
    rule: str  # article the term rests on
    proof: Proof


@dataclass(frozen=True)
class Answered:
    """A unit's answer to a letter."""

    number: str
    answers: str
    at: datetime
    unit: Unit
    subject: str
    text: str
    enclosures: tuple[str, ...]
    proof: Proof
