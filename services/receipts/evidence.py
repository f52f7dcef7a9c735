"""An event becomes ETSI EN 319 522-3 Evidence: XML written as canonical bytes (Canonical XML 1.1) from the start.

Canonical by construction: UTF-8, all namespaces declared on the root and sorted, attributes sorted, no empty-element
tags, no comments, no xml:id and no xml:base. What is digested is therefore what is written, and sealing needs no
XML library (seal.py).
"""

import hashlib
import hmac
import re
import uuid
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, date, datetime

from services.chassis.errors import Invalid

NAMESPACES = (
    ' xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'
    ' xmlns:ev="http://uri.etsi.org/19522/v1#"'
    ' xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"'
    ' xmlns:xades="http://uri.etsi.org/01903/v1.3.2#"'
    ' xmlns:zw="https://zwrotka.example/evidence/v1"'
)
END = "</ev:Evidence>"
SHA256 = '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>'

_LEGAL_NAME = "http://eidas.europa.eu/attributes/legalperson/LegalName"
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})
_ATTRIBUTE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"},
)
_CODE = re.compile(r"[A-Za-z0-9-]{0,64}")


@dataclass(frozen=True)
class Issuer:
    """Who issues evidence: the office, its domain, and the log it is kept in."""

    office: str
    domain: str
    log_origin: str


@dataclass(frozen=True)
class Party:
    """A sender or recipient: scheme "profile" (pseudonymous, no name) or "unit"."""

    identifier: str
    scheme: str
    name: str = ""


@dataclass(frozen=True)
class Part:
    """A piece of the letter's content and its SHA-256."""

    identifier: str
    content_type: str
    sha256: bytes


@dataclass(frozen=True)
class Deadline:
    """The statutory term the event started: article, first day, last day (YYYY-MM-DD)."""

    rule: str
    start_on: str
    due_on: str


@dataclass(frozen=True)
class Event:
    """What is attested. `kind` is the event's name in EN 319 522-3 Table 2."""

    evidence_id: str
    kind: str
    occurred_at: datetime
    submitted_at: datetime
    message_id: str
    sender: Party
    recipient: Party
    parts: tuple[Part, ...]
    channel: str
    facts: tuple[tuple[str, str], ...]
    deadline: Deadline | None
    unit: str


def must_be_attestable(event: Event) -> None:
    """Raises Invalid, naming each field that evidence cannot be made of.

    Nothing is asked of the texts: a letter that was accepted must get its receipt, whatever a sender's server says.
    """
    fields = {
        "evidence_id": _is_uuid(event.evidence_id),
        "message_id": event.message_id,
        "channel": event.channel,
        "unit": _CODE.fullmatch(event.unit),
        "sender": _is_party(event.sender),
        "recipient": _is_party(event.recipient),
        "parts": event.parts and all(each.identifier and len(each.sha256) == 32 for each in event.parts),
        "deadline": event.deadline is None or _is_deadline(event.deadline),
    }
    if wrong := {name: "is missing or malformed" for name, right in fields.items() if not right}:
        raise Invalid("not-attestable", "The event lacks what evidence needs. Nothing was kept.", wrong)


def time_text(moment: datetime) -> str:
    """UTC with milliseconds and Z, as every time in evidence and in the log is written."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def evidence_of(event: Event, issuer: Issuer) -> str:
    """The evidence without its seal: the root element alone, canonical."""
    return (
        f'<ev:Evidence{NAMESPACES} version="EN319522v1.1.1">\n'
        f"  <ev:EvidenceIdentifier>urn:uuid:{event.evidence_id}</ev:EvidenceIdentifier>\n"
        f"  <ev:ERDSEventId>http://uri.etsi.org/19522/Event/{event.kind}</ev:ERDSEventId>\n"
        f"  <EventTime>{time_text(event.occurred_at)}</EventTime>\n"
        f"  <ev:EvidenceIssuerPolicyID><PolicyID>https://{_text(issuer.domain)}/zwrotka/evidence-policy/1</PolicyID>"
        f"</ev:EvidenceIssuerPolicyID>\n"
        f"  <ev:EvidenceIssuerDetails>{_identity(issuer.office)}"
        f'<Identifier IdentifierSchemeName="domain">{_text(issuer.domain)}</Identifier></ev:EvidenceIssuerDetails>\n'
        f"  <ev:SenderDetails>{_party(event.sender)}</ev:SenderDetails>\n"
        f"  <ev:RecipientDetails>{_party(event.recipient)}</ev:RecipientDetails>\n"
        f"  <ev:SubmissionTime>{time_text(event.submitted_at)}</ev:SubmissionTime>\n"
        f"  <ev:MessageIdentifier>{_text(event.message_id)}</ev:MessageIdentifier>\n"
        f"  <ev:UserContentInfo>\n"
        f"    <ComposingParts>{len(event.parts)}</ComposingParts>\n"
        f"    <ev:PartsInfo>\n{''.join(map(_part, event.parts))}    </ev:PartsInfo>\n"
        f"  </ev:UserContentInfo>\n"
        f"  <ev:TransactionLogInformation><ev:TransactionLog>{_text(issuer.log_origin)}</ev:TransactionLog>"
        f"</ev:TransactionLogInformation>\n"
        f"  <ev:Extensions>\n{_channel(event)}{_deadline(event.deadline)}  </ev:Extensions>\n"
        f"{END}"
    )


def entry_of(event: Event, xml: bytes, salt: bytes) -> bytes:
    """The log's entry for the event: no personal data, no free text, and the letter's number only under `salt`."""
    number = hmac.digest(salt, event.message_id.encode(), "sha256").hex()
    file = hashlib.sha256(xml).hexdigest()
    return f"zwrotka-leaf/v1\n{event.kind}\n{time_text(event.occurred_at)}\n{file}\n{number}\n{event.unit}\n".encode()


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _is_party(party: Party) -> bool:
    # A resident stays pseudonymous: evidence is shown around, their name is not the log's to tell.
    return bool(party.identifier) and (party.scheme == "unit" or (party.scheme == "profile" and not party.name))


def _is_deadline(deadline: Deadline) -> bool:
    days = deadline.start_on, deadline.due_on
    try:
        # Other spellings of ISO 8601 would be read as well, but evidence has one.
        return bool(deadline.rule) and days[0] <= days[1] and all(str(date.fromisoformat(day)) == day for day in days)
    except ValueError:
        return False


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text).translate(_TEXT)


def _attribute(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text).translate(_ATTRIBUTE)


def _identity(name: str) -> str:
    return (
        f'<ev:Identity><saml:Attribute FriendlyName="LegalName" Name="{_LEGAL_NAME}"'
        f' NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri">'
        f"<saml:AttributeValue>{_text(name)}</saml:AttributeValue></saml:Attribute></ev:Identity>"
    )


def _party(party: Party) -> str:
    identity = _identity(party.name) if party.name else ""
    scheme = _attribute(party.scheme)
    return f'{identity}<Identifier IdentifierSchemeName="{scheme}">{_text(party.identifier)}</Identifier>'


def _part(part: Part) -> str:
    return (
        f"      <ev:PartInfo><Identifier>{_text(part.identifier)}</Identifier>"
        f"<ev:ContentType>{_text(part.content_type)}</ev:ContentType>{SHA256}"
        f"<ds:DigestValue>{b64encode(part.sha256).decode()}</ds:DigestValue></ev:PartInfo>\n"
    )


def _channel(event: Event) -> str:
    facts = "".join(f'<zw:Fact name="{_attribute(name)}">{_text(value)}</zw:Fact>' for name, value in event.facts)
    return f'    <ev:Extension><zw:Channel name="{_attribute(event.channel)}">{facts}</zw:Channel></ev:Extension>\n'


def _deadline(deadline: Deadline | None) -> str:
    if deadline is None:
        return ""
    return (
        f"    <ev:Extension><zw:Deadline><zw:Rule>{_text(deadline.rule)}</zw:Rule>"
        f"<zw:StartOn>{_text(deadline.start_on)}</zw:StartOn><zw:DueOn>{_text(deadline.due_on)}</zw:DueOn>"
        f"</zw:Deadline></ev:Extension>\n"
    )
