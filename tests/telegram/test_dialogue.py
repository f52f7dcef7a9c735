"""What messages mean, without any messenger."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import codes
from services.frontdoor import dialogue
from services.frontdoor.dialogue import File, Message, intent_of

NOW = datetime(2026, 11, 25, 17, 22, tzinfo=UTC)
TOKEN = "F7A8U-UWK9Q-2DR7W-6QGCZ"  # a whole one, written down: test ids must be the same in every worker
SCAN = File("key", "mark", "skan.pdf", "application/pdf", 1000)


def said(text: str, file: File | None = None, *, readable: bool = True) -> Message:
    return Message(text, NOW, file=file, readable=readable)


@pytest.mark.parametrize(
    "text",
    [TOKEN, TOKEN.lower(), TOKEN.replace("-", " "), TOKEN.replace("-", ""), f"  {TOKEN}\n", TOKEN.replace("-", "–")],
)
def test_a_token_alone_is_a_token_however_it_is_typed(text: str) -> None:
    assert intent_of(said(text)) == dialogue.LinkByToken(codes.normalized(TOKEN), alone=True)


@pytest.mark.parametrize(
    "text", [f"Mój token: {TOKEN}", f"pismo+{TOKEN.lower()}@przykladowo.example", f"Dzień dobry\n{TOKEN}\nDziura"]
)
def test_a_token_among_other_words_never_becomes_a_letter(text: str) -> None:
    assert intent_of(said(text)) == dialogue.LinkByToken(codes.normalized(TOKEN), alone=False)


def test_a_token_in_a_caption_never_becomes_a_letter() -> None:
    assert isinstance(intent_of(said(f"Skan, {TOKEN}", SCAN)), dialogue.LinkByToken)


def test_a_token_behind_start_links_as_a_deep_link_does() -> None:
    assert intent_of(said(f"/start {TOKEN}")) == dialogue.LinkByToken(codes.normalized(TOKEN), alone=True)


def test_a_token_with_a_typing_slip_is_still_meant_as_one() -> None:
    slipped = TOKEN[:-1] + ("2" if TOKEN[-1] != "2" else "3")
    assert isinstance(intent_of(said(slipped)), dialogue.LinkByToken)


@pytest.mark.parametrize("text", ["Internationalization", "KTORY MOZNA BRAMA PLYTA", "Konto 12345678901234567890"])
def test_words_shaped_like_a_token_are_words(text: str) -> None:
    assert intent_of(said(text)) == dialogue.Write()


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("/start", dialogue.Start()),
        ("/start@zwrotka_bot", dialogue.Start()),
        ("/MOJE", dialogue.ListLetters()),
        ("/odlacz", dialogue.Unlink()),
        ("/nieznane co to", dialogue.UnknownCommand()),
        ("123456", dialogue.LinkByCode("123456")),
        ("123 456", dialogue.LinkByCode("123456")),
        ("jan.kowalski@poczta.example", dialogue.AskForCode("jan.kowalski@poczta.example")),
        ("Mój adres to jan@poczta.example", dialogue.Write()),
        ("1234567", dialogue.Write()),
        ("Dzień dobry", dialogue.Write()),
        ("", dialogue.Unreadable()),
        ("   ", dialogue.Unreadable()),
    ],
)
def test_a_text_means_what_it_says(text: str, intent: dialogue.Intent) -> None:
    assert intent_of(said(text)) == intent


def test_a_file_is_a_letter_with_or_without_words() -> None:
    assert intent_of(said("", SCAN)) == dialogue.Write()
    assert intent_of(said("/moje", SCAN)) == dialogue.Write()


def test_a_file_over_the_limit_is_said_to_be_too_large() -> None:
    at_limit = File("key", "mark", "film.mp4", "video/mp4", dialogue.MAX_FILE_BYTES)
    above = File("key", "mark", "film.mp4", "video/mp4", dialogue.MAX_FILE_BYTES + 1)
    assert intent_of(said("", at_limit)) == dialogue.Write()
    assert intent_of(said("", above)) == dialogue.TooLarge()


def test_a_sticker_is_unreadable() -> None:
    assert intent_of(said("", readable=False)) == dialogue.Unreadable()


@given(st.text())
def test_every_text_means_something_and_has_a_one_line_subject(text: str) -> None:
    message = said(text)
    assert isinstance(intent_of(message), dialogue.Intent)
    subject = dialogue.subject_of(message)
    assert len(subject) <= 80
    assert subject.isprintable()


def test_the_subject_is_the_first_line_cut_at_a_word() -> None:
    assert dialogue.subject_of(said("\n  Dziura w\tjezdni \nPrzy nr 5")) == "Dziura w jezdni"
    cut = dialogue.subject_of(said("słowo " * 30))
    assert cut.endswith("słowo…")
    assert len(cut) <= 80


def test_a_file_without_words_has_its_name_as_subject() -> None:
    assert dialogue.subject_of(said("", SCAN)) == "skan.pdf"


def test_the_first_row_sends_and_each_other_unit_has_a_row() -> None:
    message = said("Dziura")
    assert dialogue.keyboard(message, "SO", ["SO", "KD", "SP1"]) == [
        [dialogue.Send("SO", dialogue.mark_of(message)), dialogue.Cancel()],
        [dialogue.Choose("KD")],
        [dialogue.Choose("SP1")],
    ]


def test_each_button_brings_back_its_press() -> None:
    for press in (dialogue.Send("SO", dialogue.mark_of(said("x"))), dialogue.Choose("KD"), dialogue.Cancel()):
        data = dialogue.data_of(press)
        assert len(data.encode()) <= 64
        assert dialogue.press_of(data, ["SO", "KD"]) == press


@pytest.mark.parametrize("data", ["send:XX:aa", "send:SO", "unit:", "unit:XX", "buy:SO", "", "send"])
def test_a_button_that_names_what_is_not_presses_nothing(data: str) -> None:
    assert dialogue.press_of(data, ["SO"]) is None


def test_a_message_has_another_mark_once_its_words_or_its_file_are_others() -> None:
    other = File("key", "other", "skan.pdf", "application/pdf", 1000)
    marks = {dialogue.mark_of(said("x")), dialogue.mark_of(said("y")), dialogue.mark_of(said("x", SCAN))}
    assert len(marks | {dialogue.mark_of(said("x", other))}) == 4
    fetched_anew = File("other key", "mark", "skan.pdf", "application/pdf", 1000)
    assert dialogue.mark_of(said("x", SCAN)) == dialogue.mark_of(said("x", fetched_anew))
