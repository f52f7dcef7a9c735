from datetime import UTC, date, datetime

from zwrotka_client import Letter, State, printing
from zwrotka_client.card import card_of
from zwrotka_client.desk import Token

LETTER = Letter(
    number="ZW-7K2M-9QXA-R4TB",
    cursor=7,
    state=State.RECEIVED,
    accepted_at=datetime(2026, 11, 25, 18, 5, tzinfo=UTC),
    channel="smtp",
    unit="SO",
    sender_unit="",
    subject="Dziura w jezdni – Łąkowa",
    due_on=date(2026, 12, 28),
    term_rule="KPA art. 35 §3",
    matter="general_letter",
    answers="",
    answered_by="",
)


def test_rows_stand_under_their_heads() -> None:
    head, row = printing.letters_head(), printing.letter_row(LETTER, date(2026, 11, 25))
    for title, cell in (("STATE", "received"), ("CAME", "2026-11-25 19:05"), ("FROM", "e-mail"), ("SUBJECT", "Dziura")):
        assert head.index(title) == row.index(cell)


def test_a_term_that_has_passed_is_marked_until_the_letter_is_answered() -> None:
    late = date(2026, 12, 29)
    assert "2026-12-28!" in printing.letter_row(LETTER, late)
    assert "!" not in printing.letter_row(LETTER, date(2026, 12, 28))
    answered = Letter(**{**LETTER.__dict__, "state": State.ANSWERED})
    assert "!" not in printing.letter_row(answered, late)


def test_a_strangers_subject_cannot_steer_the_terminal() -> None:
    row = printing.letter_row(Letter(**{**LETTER.__dict__, "subject": "a\x1b[2J\x9b31m\nb\u202ec"}), date(2026, 1, 1))
    assert row.isprintable()


def test_text_keeps_its_lines_but_no_control_characters() -> None:
    assert printing.plain("Dzień\r\ndobry\t\x07\x1b]0;x\x07") == "Dzień\ndobry\t\ufffd\ufffd]0;x\ufffd"


def test_the_card_shows_token_address_and_advice_in_both_languages() -> None:
    token = Token("F7A8U-UWK9Q-2DR7W-6QGCZ", "pismo+F7A8UUWK9Q2DR7W6QGCZ@przykladowo.example", LETTER.accepted_at)
    card = card_of(token)
    assert "F 7 A 8 U   U W K 9 Q" in card
    assert token.token in card
    assert token.letter_address in card
    assert card.index("osobisty klucz") < card.index("personal key")
    box = card.splitlines()[:6]
    assert len({len(line) for line in box}) == 1
    assert max(map(len, card.splitlines())) <= 90
