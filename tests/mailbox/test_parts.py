"""The splitter finds what the standard library finds, and nothing breaks it."""

import email
import email.policy
import re
from email.message import EmailMessage

from hypothesis import given
from hypothesis import strategies as st

from services.mailbox import parts, reading


def message(text: str, *files: tuple[str, bytes]) -> bytes:
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["Subject"] = "Dziura w jezdni"
    mail.set_content(text)
    for name, content in files:
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])), st.lists(st.binary(), max_size=4))
def test_every_leaf_is_found_with_the_bytes_the_sender_put_in(text: str, files: list[bytes]) -> None:
    raw = message(text, *((f"plik{number}.bin", content) for number, content in enumerate(files)))
    found = parts.split(raw)
    assert [part.decoded(raw) for part in found[1:]] == files
    expected = [leaf for leaf in email.message_from_bytes(raw).walk() if not leaf.is_multipart()]
    assert [part.content_type for part in found] == [leaf.get_content_type() for leaf in expected]
    assert reading.text_of(raw, found) == "\n".join(text.splitlines()).strip() or "\x85" in text or "\u2028" in text


@given(st.binary(max_size=2000))
def test_any_bytes_are_a_message(raw: bytes) -> None:
    found = parts.split(raw)
    assert found
    assert all(len(part.digest(raw)) == 32 for part in found)
    reading.text_of(raw, found)


@given(st.binary(max_size=400), st.integers(min_value=0, max_value=400), st.binary(min_size=1, max_size=40))
def test_a_damaged_message_still_splits_into_slices_of_itself(content: bytes, place: int, damage: bytes) -> None:
    whole = message("Treść pisma", ("zdjęcie.jpg", content))
    raw = whole[:place] + damage + whole[place + len(damage) :]
    for part in parts.split(raw):
        assert 0 <= part.start <= part.end <= len(raw)


def test_nesting_and_numbers_of_parts_have_limits() -> None:
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(100))
    assert len(parts.split(deep)) == 1
    wide = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 10_000
    assert len(parts.split(wide)) == parts.MAX_PARTS


def test_a_file_name_can_do_no_harm() -> None:
    raw = message("x", ("../../etc/passwd", b"1"), ("umowa\u202efdp.exe", b"2"), ("", b"3"))
    names = [reading.filename_of(part) for part in parts.split(raw)]
    assert names == ["", "_.._etc_passwd", "umowa_fdp.exe", "zalacznik-4.octetstream"]


@given(st.binary(max_size=400))
def test_a_part_s_type_is_a_media_type_whatever_its_header_says(written: bytes) -> None:
    for raw in (b"Content-Type: text/" + written + b"\r\n\r\nx", b"Content-Type: text/" + 300 * b"x" + b"\r\n\r\nx"):
        assert all(
            re.fullmatch(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]{1,127}", part.content_type) for part in parts.split(raw)
        )
