"""What a receipt says: ETSI EN 319 522-3 Evidence, in exactly the elements and the order in which it is issued."""

import re
from base64 import b64decode
from datetime import date, datetime

from lxml import etree

from .shape import ANY_TEXT, SOME_TEXT, Element, must_fit
from .verdict import Deadline, Facts, Part, Refused

DS = "{http://www.w3.org/2000/09/xmldsig#}"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SEAL = f"{DS}Signature"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
DIGEST = r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="  # canonical base64 of 32 bytes

_EV = "{http://uri.etsi.org/19522/v1#}"
_SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
_ZW = "{https://zwrotka.example/evidence/v1}"
_EVENT = "http://uri.etsi.org/19522/Event/"
_DAY = r"\d{4}-\d\d-\d\d"

_LEGAL_NAME = {
    "FriendlyName": "LegalName",
    "Name": re.escape("http://eidas.europa.eu/attributes/legalperson/LegalName"),
    "NameFormat": re.escape("urn:oasis:names:tc:SAML:2.0:attrname-format:uri"),
}
_NAME = Element(f"{_SAML}Attribute", (Element(f"{_SAML}AttributeValue", text=SOME_TEXT),), attributes=_LEGAL_NAME)


def _party(name: str, schemes: str, *, named: int = 0) -> Element:
    identity = Element(f"{_EV}Identity", (_NAME,), least=named)
    identifier = Element("Identifier", text=SOME_TEXT, attributes={"IdentifierSchemeName": schemes})
    return Element(_EV + name, (identity, identifier))


_PART = Element(
    f"{_EV}PartInfo",
    (
        Element("Identifier", text=SOME_TEXT),
        Element(f"{_EV}ContentType", text=ANY_TEXT),
        Element(f"{DS}DigestMethod", attributes={"Algorithm": re.escape(SHA256)}),
        Element(f"{DS}DigestValue", text=DIGEST),
    ),
    most=10_000,
)
_CHANNEL = Element(
    f"{_ZW}Channel",
    (Element(f"{_ZW}Fact", text=ANY_TEXT, attributes={"name": SOME_TEXT}, least=0, most=1_000),),
    attributes={"name": SOME_TEXT},
)
_DEADLINE = Element(
    f"{_ZW}Deadline",
    (
        Element(f"{_ZW}Rule", text=SOME_TEXT),
        Element(f"{_ZW}StartOn", text=_DAY),
        Element(f"{_ZW}DueOn", text=_DAY),
    ),
)
_EVIDENCE = Element(
    f"{_EV}Evidence",
    (
        Element(f"{_EV}EvidenceIdentifier", text=r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        Element(f"{_EV}ERDSEventId", text=re.escape(_EVENT) + "[A-Za-z]+"),
        Element("EventTime", text=TIME),
        Element(f"{_EV}EvidenceIssuerPolicyID", (Element("PolicyID", text=SOME_TEXT),)),
        _party("EvidenceIssuerDetails", "domain", named=1),
        _party("SenderDetails", "profile|unit"),
        _party("RecipientDetails", "profile|unit"),
        Element(f"{_EV}SubmissionTime", text=TIME),
        Element(f"{_EV}MessageIdentifier", text=SOME_TEXT),
        Element(
            f"{_EV}UserContentInfo",
            (Element("ComposingParts", text=r"[1-9]\d{0,4}"), Element(f"{_EV}PartsInfo", (_PART,))),
        ),
        Element(f"{_EV}TransactionLogInformation", (Element(f"{_EV}TransactionLog", text=SOME_TEXT),)),
        Element(
            f"{_EV}Extensions",
            (Element(f"{_EV}Extension", (_CHANNEL,)), Element(f"{_EV}Extension", (_DEADLINE,), least=0)),
        ),
        Element(SEAL, attributes={"Id": "seal"}, opaque=True),
    ),
    attributes={"version": re.escape("EN319522v1.1.1")},
)


def read(root: etree._Element) -> Facts:
    """The facts of a receipt of the right shape; nobody vouches for them until its seal has been checked."""
    must_fit(root, _EVIDENCE)
    (evidence_id, event, event_time, _, issuer, sender, recipient) = list(root)[:7]
    (submission_time, letter, content, log, extensions) = list(root)[7:12]
    parts = tuple(_part(each) for each in content[1])
    if len(parts) != int(_text(content[0])):
        raise Refused("The receipt does not list as many parts as it says.")
    return Facts(
        evidence_id=_text(evidence_id).removeprefix("urn:uuid:"),
        event=_text(event).removeprefix(_EVENT),
        letter=_text(letter),
        event_at=moment(_text(event_time)),
        submitted_at=moment(_text(submission_time)),
        issuer=_text(issuer[0][0][0]),
        sender=_text(sender[-1]),
        recipient=_text(recipient[-1]),
        channel=str(extensions[0][0].attrib["name"]),
        parts=parts,
        deadline=_deadline(extensions[1][0]) if len(extensions) > 1 else None,
        log_origin=_text(log[0]),
    )


def moment(text: str) -> datetime:
    """A time written as TIME; aware, UTC."""
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused("A time in the file is not in the calendar.") from error


def time_text(when: datetime) -> str:
    """The same time as evidence and log write it."""
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _part(part: etree._Element) -> Part:
    identifier, content_type, _, digest = part
    return Part(_text(identifier), _text(content_type), b64decode(_text(digest)).hex())


def _deadline(deadline: etree._Element) -> Deadline:
    rule, start_on, due_on = (_text(each) for each in deadline)
    try:
        return Deadline(rule, date.fromisoformat(start_on), date.fromisoformat(due_on))
    except ValueError as error:
        raise Refused("A day in the file is not in the calendar.") from error


def _text(element: etree._Element) -> str:
    return element.text or ""
