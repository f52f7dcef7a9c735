"""The letter's bytes."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.frontdoor.dialogue import File, Message
from services.frontdoor.telegram.letter import Place, letter_of

PLACE = Place(bot=4711, chat=9001, message=17)
AT = datetime(2026, 11, 25, 17, 22, tzinfo=UTC)
TO = "pismo@przykladowo.example"


def read(letter: bytes) -> EmailMessage:
    return message_from_bytes(letter, policy=policy.default)


def test_the_same_message_makes_the_same_bytes() -> None:
    message = Message("Dziura", AT, file=File("k", "m", "skan.pdf", "application/pdf", 3))
    assert letter_of(message, PLACE, TO, b"abc") == letter_of(message, PLACE, TO, b"abc")


def test_a_text_is_a_whole_mail() -> None:
    letter = read(letter_of(Message("Dziura w jezdni\nPrzy szkole, głęboka.", AT), PLACE, TO, None))
    assert letter["From"] == "<9001@telegram.invalid>" or letter["From"] == "9001@telegram.invalid"
    assert letter["To"].addresses[0].addr_spec == TO
    assert letter["Subject"] == "Dziura w jezdni"
    assert letter["Date"].datetime == AT
    assert letter["Message-ID"] == "<4711.9001.17@telegram.invalid>"
    assert letter.get_content().replace("\r\n", "\n") == "Dziura w jezdni\nPrzy szkole, głęboka.\n"


def test_a_file_keeps_its_bytes_name_and_type() -> None:
    content = bytes(range(256)) * 40
    message = Message("", AT, file=File("k", "m", "wypis z księgi.pdf", "application/pdf", len(content)))
    (attachment,) = read(letter_of(message, PLACE, TO, content)).iter_attachments()
    assert attachment.get_content() == content
    assert attachment.get_filename() == "wypis z księgi.pdf"
    assert attachment.get_content_type() == "application/pdf"


@pytest.mark.parametrize(
    "named", ["", "nonsense", "message/rfc822", "multipart/mixed", "a/b; name=x\r\nBcc: y", "text/"]
)
def test_a_type_that_cannot_stand_on_a_part_becomes_plain_bytes(named: str) -> None:
    message = Message("", AT, file=File("k", "m", "plik", named, 3))
    (attachment,) = read(letter_of(message, PLACE, TO, b"abc")).iter_attachments()
    assert attachment.get_content_type() == "application/octet-stream"
    assert attachment.get_content() == b"abc"


@given(text=st.text(max_size=300), name=st.text(min_size=1, max_size=60))
def test_no_text_and_no_file_name_adds_a_header(text: str, name: str) -> None:
    message = Message(text, AT, file=File("k", "m", name, "text/plain", 3))
    letter = read(letter_of(message, PLACE, TO, b"abc"))
    assert sorted(letter.keys()) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"]
    )
    body, attachment = letter.iter_parts()
    assert attachment.get_content_disposition() == "attachment"
    assert body.get_content_type() == "text/plain"
