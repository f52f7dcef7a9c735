import email
import email.policy
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from zwrotka_client import Attachment, Invalid, message, new_key

from services.mailbox import parts, reading

KEY = "01936b1e-7a00-7abc-8def-0123456789ab"
PLAN = Attachment("plan działki.pdf", b"%PDF-1.7 \x00\xff" * 100)


def compose(
    key: str = KEY,
    text: str = "Dzień dobry,\nprosimy o opinię.\n",
    attachments: Sequence[Attachment] = (PLAN,),
    subject: str = "Zjazd z ul. Lipowej",
) -> bytes:
    return message.compose(
        sender="SO <SO@przykladowo.example>",
        recipient="KD <KD@przykladowo.example>",
        domain="przykladowo.example",
        subject=subject,
        text=text,
        attachments=attachments,
        key=key,
    )


def test_the_same_letter_with_the_same_key_is_the_same_bytes() -> None:
    assert compose() == compose()


def test_another_key_makes_another_message() -> None:
    assert (
        email.message_from_bytes(compose())["Message-ID"] != email.message_from_bytes(compose(new_key()))["Message-ID"]
    )


def test_every_header_is_there_and_stands_as_it_was_given() -> None:
    headers = email.message_from_bytes(compose(), policy=email.policy.default)
    assert headers["From"] == "SO <SO@przykladowo.example>"
    assert headers["To"] == "KD <KD@przykladowo.example>"
    assert headers["Subject"] == "Zjazd z ul. Lipowej"
    assert headers["Date"].datetime == message.time_in(KEY)


def test_the_key_carries_the_time_it_was_made() -> None:
    made = message.time_in(new_key())
    assert made
    assert timedelta(0) <= datetime.now(UTC) - made < timedelta(seconds=5)


@pytest.mark.parametrize("key", ["faktura-17", "ffffffff-ffff-7fff-bfff-ffffffffffff", ""])
def test_a_key_of_ones_own_makes_no_date_up(key: str) -> None:
    assert message.time_in(key) is None
    assert "Date" not in email.message_from_bytes(compose(key))


def test_the_mailbox_reads_text_subject_and_attachment_as_they_were_written() -> None:
    raw = compose()
    found = parts.split(raw)
    headers, _ = parts.headers_of(raw)
    assert reading.subject_of(headers) == "Zjazd z ul. Lipowej"
    assert reading.text_of(raw, found) == "Dzień dobry,\nprosimy o opinię."
    enclosed = [part for part in found if reading.filename_of(part)]
    assert [reading.filename_of(part) for part in enclosed] == [PLAN.filename]
    assert enclosed[0].digest(raw) == hashlib.sha256(PLAN.content).digest()


def test_a_letter_that_quotes_a_letter_keeps_its_parts_apart() -> None:
    first = compose()
    quoting = compose(text=first.decode("latin-1"), attachments=[Attachment("poprzednie.eml", first)])
    found = parts.split(quoting)
    assert [part.content_type for part in found] == ["text/plain", "application/octet-stream"]
    assert found[1].digest(quoting) == hashlib.sha256(first).digest()


def test_without_a_subject_the_first_line_is_it() -> None:
    assert email.message_from_bytes(compose(subject="", text="\n  Pilne\nreszta"))["Subject"] == "Pilne"


def test_a_subject_cannot_add_headers() -> None:
    headers = email.message_from_bytes(compose(subject="Temat\r\nBcc: ktos@example.com"))
    assert headers["Bcc"] is None
    assert headers["Subject"] == "Temat"


def test_a_letter_above_32_mib_is_refused_before_it_is_sent() -> None:
    with pytest.raises(Invalid, match="Nothing was sent") as refused:
        compose(attachments=[Attachment("film.mp4", bytes(25 << 20))])
    assert refused.value.reason == "too-large"
