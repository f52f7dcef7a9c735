"""The life of a trusted profile: requested, then active; it ends revoked or expired. PZ = Dz.U. 2020 poz. 1194."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.chassis.errors import AlreadyExists, Invalid, NotFound
from services.identity import documents, pesel

REQUESTED, ACTIVE, REVOKED, EXPIRED = "requested", "active", "revoked", "expired"

REQUEST_LASTS = timedelta(days=14)  # PZ §3(2): then the request is deleted
VALID_YEARS = 3  # PZ §11(1)

_MAX_NAME = 100
_MAX_REASON = 500
# What every mail server takes; RFC 5321 4.1.2 without quoted local parts, lengths of 4.5.3.1.
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9-]+\.)+[A-Za-z0-9-]+"
)
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PHONE = re.compile(r"\+?[0-9]{9,15}")


@dataclass(frozen=True)
class Person:
    """What is kept about a profile's holder (PZ annex 1); all of it personal data."""

    first_names: str
    surname: str
    pesel: str
    email: str
    phone: str = ""
    document_number: str = ""  # of the identity card shown at the confirmation

    @property
    def name(self) -> str:
        """First names and surname."""
        return f"{self.first_names} {self.surname}"


@dataclass(frozen=True)
class Document:
    """What the officer read on the identity card."""

    number: str
    pesel: str


@dataclass(frozen=True)
class Profile:
    """Where a profile stands. `ends_at` is the request's end until it is confirmed, then the profile's."""

    id: str
    state: str
    ends_at: datetime

    def is_active(self, now: datetime) -> bool:
        """Whether its holder may act by it."""
        return self.state == ACTIVE and now < self.ends_at


def person_of(*, first_names: str, surname: str, pesel_number: str, email: str, phone: str) -> Person:
    """The person as stated, in tidy form; Invalid names each field that is wrong."""
    person = Person(_tidy(first_names), _tidy(surname), pesel.normalized(pesel_number), email.strip(), _dense(phone))
    must_have_no_flaw(
        first_names=_name_flaw(person.first_names),
        surname=_name_flaw(person.surname),
        pesel=pesel.flaw(person.pesel),
        email=_email_flaw(person.email),
        phone=_phone_flaw(person.phone),
    )
    return person


def must_have_no_flaw(**flaws: str) -> None:
    """Raises Invalid with the fields whose flaw is not empty."""
    if found := {name: flaw for name, flaw in flaws.items() if flaw}:
        sentence = f"Nothing was changed: correct {', '.join(found)} and send it again."
        raise Invalid("fields-wrong", sentence, found)


def document_of(number: str, pesel_number: str) -> Document:
    """The document as shown, in tidy form; Invalid names each number that cannot stand on an identity card."""
    document = Document(documents.normalized(number), pesel.normalized(pesel_number))
    must_have_no_flaw(document_number=documents.flaw(document.number), pesel=pesel.flaw(document.pesel))
    return document


def is_id(text: str) -> bool:
    """Whether this can be a profile's id."""
    return _ID.fullmatch(text) is not None


def reason_of(text: str) -> str:
    """The reason for a revocation, in tidy form, for the journal."""
    reason = _tidy(text)
    fits = 0 < len(reason) <= _MAX_REASON and reason.isprintable()
    must_have_no_flaw(reason="" if fits else f"Say why, in at most {_MAX_REASON} characters.")
    return reason


def must_be_confirmable(profile: Profile | None, now: datetime) -> Profile:
    """Only a request that has not lapsed can be confirmed, and once."""
    profile = must_exist(profile, now)
    if profile.is_active(now):
        raise AlreadyExists(
            "already-confirmed",
            "This profile is confirmed already; nothing was changed. If its holder has no token, issue a new one.",
        )
    if profile.state != REQUESTED:
        raise Invalid("profile-ended", "This profile has ended and is never revived. Take a new request.")
    return profile


def must_be_active(profile: Profile | None, now: datetime) -> Profile:
    """Tokens are for active profiles alone."""
    profile = must_exist(profile, now)
    if profile.is_active(now):
        return profile
    if profile.state == REQUESTED:
        raise Invalid(
            "profile-unconfirmed", "This profile is not confirmed yet: no token was issued. Confirm it first."
        )
    raise Invalid("profile-ended", "This profile has ended: no token was issued. Take a new request.")


def must_exist(profile: Profile | None, now: datetime) -> Profile:
    """Refuses what is not kept; a lapsed request counts as deleted (PZ §3(2)) before it is."""
    if profile is None or (profile.state == REQUESTED and now >= profile.ends_at):
        raise NotFound(
            "profile-unknown", "There is no such profile. A request lapses after 14 days: take a new one if it did."
        )
    return profile


def pesel_differs() -> Invalid:
    """The refusal of PZ §12(1), which is recorded (§12(2))."""
    return Invalid(
        "pesel-differs",
        "The PESEL number on the document is not the requested one. The profile was not confirmed; the refusal is in "
        "its journal. Compare the document again, or take a new request.",
        {"pesel": "This is not the number in the request. Compare it with the document."},
    )


def pesel_taken(profile_id: str) -> AlreadyExists:
    """The refusal of a second active profile for the same person."""
    return AlreadyExists(
        "pesel-taken",
        f"The person already has the active profile {profile_id}; nothing was changed. Issue a new token to that one, "
        "or revoke it and then confirm this request.",
    )


def ends_at(confirmed_at: datetime) -> datetime:
    """The end of a profile confirmed then; on 28 February if confirmed on the 29th."""
    try:
        return confirmed_at.replace(year=confirmed_at.year + VALID_YEARS)
    except ValueError:
        return confirmed_at.replace(year=confirmed_at.year + VALID_YEARS, day=28)


def _tidy(text: str) -> str:
    return " ".join(text.split())


def _dense(phone: str) -> str:
    return phone.translate(str.maketrans("", "", " -()"))


def _name_flaw(name: str) -> str:
    if not name:
        return "This is empty. Write it as it stands on the document."
    if len(name) > _MAX_NAME or not name.isprintable():
        return f"Write it in at most {_MAX_NAME} letters, as it stands on the document."
    return ""


def _email_flaw(email: str) -> str:
    if len(email) <= 254 and len(email.partition("@")[0]) <= 64 and _EMAIL.fullmatch(email):
        return ""
    return "This is no e-mail address that mail servers take. Write it as in name@example.org."


def _phone_flaw(phone: str) -> str:
    if not phone or _PHONE.fullmatch(phone):
        return ""
    return "A phone number has 9 to 15 digits, perhaps after a plus sign. Correct it or leave it out."
