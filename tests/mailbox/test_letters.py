"""What a letter is known by, and what is never shown of it."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import codes
from services.chassis.errors import Invalid
from services.mailbox import letters, notices, parts

RAW = b"From: jan@poczta.example\r\nMessage-ID: <1@poczta.example>\r\nSubject: Dziura\r\n\r\nJest dziura.\r\n"


def key_of(raw: bytes) -> str:
    headers, body = parts.headers_of(raw)
    return letters.content_key(headers, raw[body:])


def test_the_same_message_over_another_path_is_the_same_letter() -> None:
    again = b"Received: from b.example by c.example\r\nReturn-Path: <jan@poczta.example>\r\n" + RAW
    assert key_of(again) == key_of(RAW)


@pytest.mark.parametrize(("old", "new"), [(b"<1@", b"<2@"), (b"Dziura", b"Dziury"), (b"Jest", b"Byla")])
def test_another_message_is_another_letter(old: bytes, new: bytes) -> None:
    assert key_of(RAW.replace(old, new)) != key_of(RAW)


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(["-", "", " "]), st.booleans())
def test_no_token_is_ever_shown(before: str, after: str, separator: str, lower: bool) -> None:
    token = codes.grouped(codes.make(20), 5).replace("-", separator)
    shown = letters.without_token(f"{before} {token.lower() if lower else token} {after}")
    assert token.upper() not in shown.upper()
    assert letters.HIDDEN in shown


@pytest.mark.parametrize("word", ["numer", "wpisz", "ABCDE-ABCDE", "numer numer numer"])
def test_a_word_shaped_like_a_group_does_not_hide_the_token_behind_it(word: str) -> None:
    token = codes.grouped(codes.make(20), 5)
    assert letters.without_token(f"{word} {token}.") == f"{word} ***."


@pytest.mark.parametrize("dash", ["\u2010", "\u2013", "\u2212"])
def test_a_token_is_hidden_with_the_dashes_of_word_processors_too(dash: str) -> None:
    token = codes.grouped(codes.make(20), 5).replace("-", dash)
    assert letters.without_token(f"Token {token}, {token}") == "Token ***, ***"
    assert letters.without_token(token.encode().decode("latin-1")) == "***"


def test_what_only_looks_like_a_token_stays() -> None:
    text = "Numer AAAAA-BBBBB-CCCCC-DDDDD z umowy"
    assert letters.without_token(text) == text


def test_a_number_is_read_in_any_case_and_a_slip_is_named() -> None:
    number = letters.new_number()
    assert letters.must_be_number(f" {number.lower().replace('-', ' ')}") == number
    wrong = number[:-1] + ("2" if number[-1] != "2" else "3")
    with pytest.raises(Invalid, match="check characters"):
        letters.must_be_number(wrong)


def test_an_evidence_id_is_a_uuid_of_version_7_that_rises_with_time() -> None:
    ids = [letters.new_evidence_id(now) for now in range(1_764_000_000_000, 1_764_000_000_050)]
    assert ids == sorted(ids)
    assert {(uuid.UUID(each).version, uuid.UUID(each).variant) for each in ids} == {(7, uuid.RFC_4122)}


def test_a_notice_is_tried_for_as_long_as_it_takes_with_growing_pauses() -> None:
    pauses = [notices.pause_s(attempts) for attempts in range(1, 40)]
    assert pauses[:4] == [5, 10, 20, 40]
    assert max(pauses) == pauses[-1] == notices.LONGEST_PAUSE_S


def test_what_a_messenger_cannot_bring_goes_by_mail() -> None:
    gone = notices.Result.PERMANENT_FAILURE
    assert notices.settled(gone, "telegram", 1, 7) == {"carrier": "mail", "due_at": 7}
    assert notices.settled(gone, "mail", 1, 7)["state"] == "failed"
