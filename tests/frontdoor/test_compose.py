"""A notice becomes a mail that a person is glad to read and no machine answers."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from zwrotka.identity.v1 import identity_pb2 as identity
from zwrotka.mailbox.v1 import mailbox_pb2 as pb

from services.chassis import city
from services.frontdoor.courier.compose import mail_of

CITY = city.load(Path("profiles/demo"))
NOW = datetime(2026, 11, 25, 17, 24, 5, tzinfo=UTC)
ID = "0198c1f0-0000-7000-8000-000000000001"
CONTACT = identity.Contact(profile_id="p", name="Żaneta Kowalska-Dąb", email="zaneta@poczta.example", active=True)


def receipt() -> pb.Notice:
    notice = pb.Notice(
        notice_id=ID,
        kind=pb.NOTICE_KIND_RECEIPT,
        profile_id="p",
        letter=pb.Letter(
            number="ZW-7K2M-9QPA-4TXD",
            channel="smtp",
            unit="KD",
            subject="Dziura w jezdni",
            due_on="2026-12-28",
            term_rule="art. 35 § 3 k.p.a.",
            matter="general_letter",
        ),
        receipt=pb.Receipt(evidence_id="e1", xml=b"<Evidence>\r\n\xc5\xbb</Evidence>", tlog_proof=b"c2sp.org\n\n- x\n"),
        enclosures=["zdjęcie.jpg"],
    )
    notice.letter.accepted_at.FromDatetime(NOW)
    return notice


def answer() -> pb.Notice:
    notice = receipt()
    notice.kind = pb.NOTICE_KIND_ANSWER
    notice.letter.sender_unit, notice.letter.unit, notice.letter.answers = "KD", "", "ZW-AAAA-BBBB-CCCC"
    notice.text = "Szanowna Pani,\r\n\r\ndziura zostanie załatana.\r\n"
    notice.attachments.add(filename="plan – część.pdf", content_type="application/pdf", content=b"%PDF\r\n\x00")
    return notice


def read(notice: pb.Notice) -> tuple[EmailMessage, str]:
    message = message_from_bytes(mail_of(notice, CONTACT, CITY, NOW).content, policy=policy.default)
    body = message.get_body()
    assert body is not None
    return message, body.get_content().replace("\r\n", "\n")


def test_a_receipt_says_what_came_when_which_way_who_has_it_and_until_when() -> None:
    message, text = read(receipt())
    assert message["Subject"] == "ZW-7K2M-9QPA-4TXD: pismo przyjęte / letter accepted"
    polish, english = text.split("English")
    for fact in (
        "ZW-7K2M-9QPA-4TXD",
        "środa, 25 listopada 2026, godz. 18:24",
        "e-mail",
        "Dziura w jezdni",
        "zdjęcie.jpg",
        "pismo ogólne",
        "Referat Komunikacji i Drogownictwa",
        "poniedziałek, 28 grudnia 2026 (art. 35 § 3 k.p.a.)",
        "zwrotka verify",
        "/sprawdz",
    ):
        assert fact in polish
    for fact in ("Wednesday, 25 November 2026, 18:24 Polish time", "Roads and Transport Office", "general letter"):
        assert fact in english


def test_a_receipt_without_a_term_promises_no_day() -> None:
    notice = receipt()
    notice.letter.due_on = notice.letter.term_rule = ""
    _, text = read(notice)
    assert "Odpowiedź do" not in text
    assert "due by" not in text
    assert "k.p.a." not in text


def test_the_evidence_is_enclosed_byte_by_byte() -> None:
    message, _ = read(receipt())
    files = {each.get_filename(): each.get_payload(decode=True) for each in message.iter_attachments()}
    notice = receipt()
    assert files == {"dowod-e1.xml": notice.receipt.xml, "dowod-e1.tlog-proof": notice.receipt.tlog_proof}


def test_no_machine_answers_a_receipt_and_a_double_can_be_told() -> None:
    message, _ = read(receipt())
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["Message-ID"] == f"<{ID}@przykladowo.example>"
    assert message["From"].addresses[0].addr_spec == "zwrotka@przykladowo.example"
    assert message["Reply-To"].addresses[0].addr_spec == "drogi@przykladowo.example"
    assert message["Date"].datetime == NOW
    assert not [name for name in message.keys() if name.startswith("List-")]  # noqa: SIM118 (the keys, doubled ones too)


def test_the_same_notice_makes_the_same_mail() -> None:
    assert mail_of(receipt(), CONTACT, CITY, NOW).content == mail_of(receipt(), CONTACT, CITY, NOW).content


def test_an_answer_brings_its_words_its_files_and_its_evidence() -> None:
    message, text = read(answer())
    assert message["Subject"] == "ZW-AAAA-BBBB-CCCC: odpowiedź urzędu / answer from city hall"
    assert message["Auto-Submitted"] is None
    assert "Szanowna Pani,\n\ndziura zostanie załatana.\n" in text
    names = [each.get_filename() for each in message.iter_attachments()]
    assert names == ["plan – część.pdf", "dowod-e1.xml", "dowod-e1.tlog-proof"]


@pytest.mark.parametrize("notice", [receipt(), answer()])
def test_every_line_of_our_own_is_short_enough_for_any_screen(notice: pb.Notice) -> None:
    _, text = read(notice)
    assert max(len(line) for line in text.splitlines()) <= 72
    assert "None" not in text
    assert "  \n" not in text


def test_a_notice_for_no_address_cannot_be_worded() -> None:
    with pytest.raises(ValueError, match="not an address"):
        mail_of(receipt(), identity.Contact(email="a@b\r\nBcc: c@d"), CITY, NOW)
