"""Mails are built by hand for speed; read back with the standard library they are what was meant, whatever it was."""

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.frontdoor.courier import mime
from services.frontdoor.texts.layout import one_line

# What an injection needs, mixed with what people write.
NASTY = st.lists(
    st.one_of(
        st.sampled_from(["\r\n", "\n", "\r", "\0", "Bcc: x@y.example", "=?utf-8?q?", '"', "--=_0", " "]), st.text()
    ),
    max_size=8,
).map("".join)
BOUNDARY = "=_0123"


def read(headers: list[str], text: str = "", enclosures: list[mime.Enclosure] | None = None) -> EmailMessage:
    raw = mime.multipart(headers, text, enclosures or [], BOUNDARY)
    assert raw.isascii()
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    return message_from_bytes(raw, policy=policy.default)


@given(NASTY, NASTY)
def test_no_value_starts_a_header_of_its_own(subject: str, name: str) -> None:
    message = read([f"To: {mime.mailbox(name, 'a@b.example')}\r\n", mime.header("Subject", subject)])
    assert message.keys() == ["To", "Subject", "MIME-Version", "Content-Type"]
    assert [each.addr_spec for each in message["To"].addresses] == ["a@b.example"]


@given(st.text())
def test_a_subject_is_read_back_on_one_line(subject: str) -> None:
    assert read([mime.header("Subject", subject)])["Subject"] == one_line(subject, 900)


def test_an_identifier_stays_in_one_piece() -> None:
    value = f"<{'a' * 36}@{'b' * 60}.example>"
    assert mime.header("Message-ID", value) == f"Message-ID: {value}\r\n"


@pytest.mark.parametrize("subject", ["Żółw " * 30, "plain " * 30, "=?utf-8?q?x?=", "ę" * 200])
def test_long_subjects_are_folded_where_mail_programs_expect_it(subject: str) -> None:
    header = mime.header("Subject", subject)
    assert all(len(line) <= 76 for line in header.split("\r\n"))
    assert read([header])["Subject"] == subject.strip()


@pytest.mark.parametrize(
    "address", ["", "a", "a@b@c", "a@b\r\nBcc: c@d", "<a@b>", "a b@c", "a@b,c@d", "\0@b", '"a b"@c', "a@b\n"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        mime.mailbox("Jan", address)


@given(NASTY)
def test_text_is_read_back_line_by_line(text: str) -> None:
    body = read([], text).get_body()
    assert body is not None
    lines = [
        "".join(symbol if symbol.isprintable() or symbol == "\t" else " " for symbol in line)
        for line in text.splitlines()
    ]
    shown = body.get_content().split("\n")
    assert [line.rstrip("\r") for line in shown][: len(lines)] == lines


@given(st.binary(max_size=300), NASTY, st.sampled_from(["image/png", "a/b\r\nX: y", "message/rfc822", "text/html", ""]))
def test_a_file_is_read_back_byte_by_byte(content: bytes, name: str, kind: str) -> None:
    message = read(["Subject: x\r\n"], "y", [mime.Enclosure(name, kind, content), mime.Enclosure("z.xml", "a/b", b"z")])
    first, second = message.iter_attachments()
    assert first.get_payload(decode=True) == content
    assert first.get_filename() == mime.safe_name(name)
    assert first.get_content_type() in ("image/png", "text/html", "application/octet-stream")
    assert second.get_payload(decode=True) == b"z"
