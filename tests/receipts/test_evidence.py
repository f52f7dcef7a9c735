"""Evidence says what happened, in ETSI's order, and its log entry says nothing about a person."""

import hashlib
import hmac
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from services.chassis.errors import Invalid
from services.receipts.evidence import Deadline, Event, Part, Party, entry_of, evidence_of, must_be_attestable
from tests.receipts import people

EV = "{http://uri.etsi.org/19522/v1#}"
ZW = "{https://zwrotka.example/evidence/v1}"
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parsed(event: Event) -> etree._Element:
    return etree.fromstring(evidence_of(event, people.ISSUER).encode())


def test_elements_stand_in_the_order_of_the_standard() -> None:
    assert [each.tag for each in parsed(people.event())] == [
        f"{EV}EvidenceIdentifier",
        f"{EV}ERDSEventId",
        "EventTime",
        f"{EV}EvidenceIssuerPolicyID",
        f"{EV}EvidenceIssuerDetails",
        f"{EV}SenderDetails",
        f"{EV}RecipientDetails",
        f"{EV}SubmissionTime",
        f"{EV}MessageIdentifier",
        f"{EV}UserContentInfo",
        f"{EV}TransactionLogInformation",
        f"{EV}Extensions",
    ]


def test_evidence_says_what_happened_when_to_which_bytes() -> None:
    root = parsed(people.event())
    assert root.get("version") == "EN319522v1.1.1"
    assert root.findtext(f"{EV}EvidenceIdentifier") == "urn:uuid:00000000-0000-0000-0000-000000000001"
    assert root.findtext(f"{EV}ERDSEventId") == "http://uri.etsi.org/19522/Event/SubmissionAcceptance"
    assert root.findtext("EventTime") == "2026-11-25T12:00:00.005Z"
    assert root.findtext(f"{EV}SubmissionTime") == "2026-11-25T12:00:00.005Z"
    assert root.findtext(f"{EV}MessageIdentifier") == "ZW-TEST-0001"
    assert root.findtext(f"{EV}UserContentInfo/ComposingParts") == "2"
    assert [each.text for each in root.iterfind(f".//{EV}PartInfo/Identifier")] == ["letter.eml", "1"]
    assert root.findtext(f".//{EV}TransactionLog") == people.ORIGIN
    assert root.findtext(f".//{ZW}Deadline/{ZW}DueOn") == "2026-12-28"
    assert [each.get("name") for each in root.iterfind(f".//{ZW}Channel/{ZW}Fact")] == ["client-host", "dkim"]


def test_a_letter_without_a_term_has_no_deadline() -> None:
    assert parsed(people.event(deadline=None)).find(f".//{ZW}Deadline") is None


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_comes_out_as_it_went_in_but_for_what_xml_forbids(text: str) -> None:
    event = people.event(facts=(("subject-charset", text),), sender=Party(text, text))
    root = parsed(event)
    sent = FORBIDDEN.sub("\ufffd", text)
    assert (root.findtext(f".//{ZW}Fact") or "") == sent
    identifier = root.find(f"{EV}SenderDetails/Identifier")
    assert identifier is not None
    assert (identifier.text or "", identifier.get("IdentifierSchemeName")) == (sent, sent)


def test_the_log_entry_names_the_file_and_hides_the_letters_number() -> None:
    entry = entry_of(people.event(), b"<xml/>", b"s" * 16)
    lines = entry.decode().split("\n")
    assert lines == [
        "zwrotka-leaf/v1",
        "SubmissionAcceptance",
        "2026-11-25T12:00:00.005Z",
        hashlib.sha256(b"<xml/>").hexdigest(),
        hmac.new(b"s" * 16, b"ZW-TEST-0001", hashlib.sha256).hexdigest(),
        "SO",
        "",
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("evidence_id", "00000000-0000-0000-0000-00000000000A"),
        ("evidence_id", "no id"),
        ("message_id", ""),
        ("channel", ""),
        ("unit", "SO\nzwrotka-leaf/v1"),
        ("sender", Party("", "profile")),
        ("sender", Party("urn:uuid:1", "profile", "Jan Kowalski")),
        ("recipient", Party("urn:uuid:1", "somebody")),
        ("parts", ()),
        ("parts", (Part("letter.eml", "message/rfc822", b"short"),)),
        ("deadline", Deadline("art. 35", "2026-11-25", "2026-11-24")),
        ("deadline", Deadline("art. 35", "25.11.2026", "2026-12-28")),
        ("deadline", Deadline("art. 35", "20261125", "20261228")),
    ],
)
def test_an_event_that_evidence_cannot_be_made_of_is_refused_by_field(field: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        must_be_attestable(people.event(**{field: value}))
    assert set(refused.value.fields) == {field}


def test_a_whole_event_is_attestable() -> None:
    must_be_attestable(people.event())
    must_be_attestable(people.event(unit="", deadline=None, facts=()))
