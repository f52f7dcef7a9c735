"""The token is found where a person may put it, and nowhere shown."""

import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import codes
from services.chassis.errors import NotFound, Unauthenticated
from services.frontdoor.mail import tokens

TOKEN = "F7A8U-UWK9Q-2DR7W-6QGCZ"
UNITS = {"pismo": "SO", "drogi": "KD"}
DOMAIN = "przykladowo.example"


def letter(subject: str = "Dziura", text: bytes = b"Jest dziura.\r\n", headers: str = "") -> bytes:
    return f"From: jan@example.org\r\nSubject: {subject}\r\n{headers}\r\n".encode() + text


@pytest.mark.parametrize("written", [TOKEN, TOKEN.lower(), TOKEN.replace("-", "")])
def test_an_address_names_the_unit_and_the_token(written: str) -> None:
    recipient = tokens.recipient_of(f"Drogi+{written}@PRZYKLADOWO.example", UNITS, DOMAIN)
    assert recipient == tokens.Recipient("KD", TOKEN)


def test_an_address_may_carry_no_token() -> None:
    assert tokens.recipient_of(f"pismo@{DOMAIN}", UNITS, DOMAIN) == tokens.Recipient("SO", "")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        (f"nikt@{DOMAIN}", "no-such-mailbox"),
        ("pismo@example.org", "foreign-domain"),
        ("pismo", "foreign-domain"),
        ("postmaster", "no-operator-mailbox"),
        (f"Postmaster@{DOMAIN}", "no-operator-mailbox"),
        (f"pismo+{TOKEN[:-1]}A@{DOMAIN}", "token-slip"),
        (f"pismo+{TOKEN[:-1]}@{DOMAIN}", "token-slip"),
        (f"pismo+@{DOMAIN}", "token-slip"),
    ],
)
def test_a_wrong_address_is_told_what_is_wrong(address: str, reason: str) -> None:
    with pytest.raises(NotFound) as refusal:
        tokens.recipient_of(address, UNITS, DOMAIN)
    assert refusal.value.reason == reason
    assert "othing was kept" in refusal.value.sentence
    assert TOKEN[:5] not in refusal.value.sentence


@given(st.integers(0, 19), st.sampled_from(codes.ALPHABET))
def test_one_wrong_symbol_is_called_a_slip(place: int, symbol: str) -> None:
    plain = TOKEN.replace("-", "")
    slipped = plain[:place] + symbol + plain[place + 1 :]
    assert bool(tokens.whole_token(slipped)) == (slipped == plain)


@pytest.mark.parametrize(
    "content",
    [
        letter(subject=f"Dziura [{TOKEN}]"),
        letter(subject=f"Re: {TOKEN.lower()}"),
        letter(subject=f"Re: {TOKEN.replace('-', chr(0x2011))}"),
        letter(subject="=?utf-8?b?" + base64.b64encode(f"Żółw {TOKEN}".encode()).decode() + "?="),
        letter(subject=f"=?utf-8?q?=C5=BB_{TOKEN}?="),
        letter(text=f"{TOKEN}\r\nJest dziura.\r\n".encode()),
        letter(text=f"\r\n \t\r\nMój token: {TOKEN}.\r\nJest dziura.\r\n".encode()),
        letter(text=base64.encodebytes(f"{TOKEN}\nJest".encode()), headers="Content-Transfer-Encoding: base64\r\n"),
        letter(
            text=quopri.encodestring(f"Żółw {TOKEN}\n".encode("iso-8859-2")),
            headers="Content-Type: text/plain; charset=iso-8859-2\r\nContent-Transfer-Encoding: quoted-printable\r\n",
        ),
        letter(text=TOKEN.encode("utf-16"), headers="Content-Type: text/plain; charset=utf-16\r\n"),
        letter(text=TOKEN.encode(), headers="Content-Type: text/plain; charset=nie-ma-takiego\r\n"),
        letter(
            text=f"<html><head><style>p {{}}</style></head><body><p>&nbsp;<b>{TOKEN}</b></p>Jest</body>".encode(),
            headers="Content-Type: text/html\r\n",
        ),
        letter(
            text=f"--x\r\nContent-Type: multipart/alternative; boundary=y\r\n\r\n--y\r\nContent-Type: text/plain\r\n"
            f"\r\n{TOKEN}\r\n--y--\r\n--x--\r\n".encode(),
            headers="Content-Type: multipart/mixed; boundary=x\r\n",
        ),
    ],
)
def test_the_token_is_found_in_subject_or_first_line(content: bytes) -> None:
    assert tokens.token_in(content) == TOKEN


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (letter(), "no-token"),
        (b"", "no-token"),
        (b"\0\xff" * 100, "no-token"),
        (letter(text=f"Dzień dobry\r\n{TOKEN}\r\n".encode()), "no-token"),
        (letter(subject=f"A{TOKEN}"), "no-token"),
        (letter(subject=f"{TOKEN[:-1]}Y"), "token-slip"),
    ],
)
def test_without_a_token_the_sender_learns_how_to_write(content: bytes, reason: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        tokens.token_in(content)
    assert refusal.value.reason == reason
    assert "othing was kept" in refusal.value.sentence


def test_a_slip_in_the_subject_does_not_hide_a_good_first_line() -> None:
    assert tokens.token_in(letter(subject=f"{TOKEN[:-1]}Y", text=TOKEN.encode())) == TOKEN


@given(st.binary(max_size=400), st.sampled_from([b"", letter()[:60], b"Content-Type: multipart/mixed; boundary=a\r\n"]))
def test_any_bytes_are_read_without_an_error(noise: bytes, start: bytes) -> None:
    with pytest.raises(Unauthenticated):
        tokens.token_in(start + noise)


@given(st.text(max_size=20), st.text(max_size=20))
def test_nothing_shown_holds_a_token(before: str, after: str) -> None:
    for written in (TOKEN, TOKEN.lower(), TOKEN.replace("-", "")):
        shown = tokens.redacted(f"{before} {written} {after}")
        assert written not in shown
        assert shown.isprintable()
