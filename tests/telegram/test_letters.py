"""From a message to a letter with its receipt, on the real house."""

import re
from email import policy
from email.message import EmailMessage

from zwrotka.mailbox.v1 import mailbox_pb2 as pb

from tests.house import House
from tests.telegram.bot_api import BotApi, Json
from tests.telegram.conftest import Linked, preview_of
from tests.telegram.person import Person

PDF = b"%PDF-1.7 " + bytes(range(256)) * 300


def letters_of(house: House, person: Person) -> list[pb.Letter]:
    """All letters of whom the chat speaks for, newest first."""
    chat = pb.ChatAccount(channel="telegram", account=str(person.number))
    request = pb.ListSentLettersRequest(chat=chat, limit=50)
    return list(house.mailbox("frontdoor").ListSentLetters(request, timeout=10).letters)


def content_of(house: House, letter: pb.Letter) -> pb.GetLetterResponse:
    """The letter as its unit sees it."""
    mailbox = house.mailbox(f"units/{letter.unit}")
    return mailbox.GetLetter(pb.GetLetterRequest(number=letter.number), timeout=10)


def receipts_of(house: House, letter: pb.Letter) -> dict[str, bytes]:
    """The letter's evidence as files, as its unit gets it."""
    mailbox = house.mailbox(f"units/{letter.unit}")
    answer = mailbox.GetReceipts(pb.GetReceiptsRequest(number=letter.number), timeout=10)
    files: dict[str, bytes] = {}
    for each in answer.receipts:
        files |= {f"dowod-{each.evidence_id}.xml": each.xml, f"dowod-{each.evidence_id}.tlog-proof": each.tlog_proof}
    return files


def must_have_one_letter(house: House, person: Person) -> pb.Letter:
    """Exactly one letter, and in the chat exactly its receipt, told once or more."""
    person.sees("Zwrotka do pisma", timeout_s=60)
    (letter,) = letters_of(house, person)
    evidence = receipts_of(house, letter)
    assert len(evidence) == 2
    assert person.documents() == evidence
    return letter


def test_a_text_is_a_letter_after_a_preview_and_one_press(house: House, linked: Linked) -> None:
    person, resident = linked
    person.says("Dziura w jezdni\nUlica Szkolna 5, głęboka na 20 cm.")
    preview = preview_of(person, "Dziura w jezdni")
    assert "pismo do: Referat Spraw Obywatelskich" in preview["text"]
    assert letters_of(house, person) == []
    person.presses(preview, "Wyślij")
    letter = must_have_one_letter(house, person)
    assert (letter.unit, letter.channel, letter.subject) == ("SO", "telegram", "Dziura w jezdni")
    seen = content_of(house, letter)
    assert seen.text == "Dziura w jezdni\nUlica Szkolna 5, głęboka na 20 cm."
    assert seen.sender_name == resident.name
    accepted = person.sees("Pismo przyjęte")
    assert letter.number in accepted["text"]
    assert "reply_markup" not in accepted


def test_the_receipt_tells_what_came_where_it_is_and_until_when(house: House, linked: Linked) -> None:
    person, _ = linked
    person.says("Latarnia nie świeci")
    person.presses(preview_of(person, "Latarnia"), "Wyślij")
    letter = must_have_one_letter(house, person)
    caption = person.sees("Zwrotka do pisma")["caption"]
    for words in (letter.number, "Latarnia nie świeci", "Referat Spraw Obywatelskich", letter.term_rule, "/sprawdz"):
        assert words in caption


def test_another_unit_is_chosen_by_a_button(house: House, linked: Linked) -> None:
    person, _ = linked
    person.says("Znak drogowy leży")
    person.presses(preview_of(person, "Znak"), "do: Referat Komunikacji")
    preview = person.sees("pismo do: Referat Komunikacji")
    assert letters_of(house, person) == []
    person.presses(preview, "Wyślij")
    assert must_have_one_letter(house, person).unit == "KD"


def test_a_photo_is_a_letter_with_its_largest_size(house: House, linked: Linked) -> None:
    person, _ = linked
    picture = b"\xff\xd8\xff" + bytes(range(256)) * 200
    person.sends_photo(picture, "Złamane drzewo")
    person.presses(preview_of(person, "Złamane"), "Wyślij")
    letter = must_have_one_letter(house, person)
    (part,) = [each for each in content_of(house, letter).parts if each.filename]
    assert part.content == picture
    assert re.fullmatch(r"zdjecie-\d+\.jpg", part.filename)
    assert letter.subject == "Złamane drzewo"


def test_a_document_is_a_letter_with_its_bytes_and_name(house: House, linked: Linked) -> None:
    person, _ = linked
    person.sends_document("wypis z księgi.pdf", PDF, "application/pdf")
    person.presses(person.sees("Załącznik: wypis z księgi.pdf"), "Wyślij")
    letter = must_have_one_letter(house, person)
    (part,) = [each for each in content_of(house, letter).parts if each.filename]
    assert (part.filename, part.content_type, part.content) == ("wypis z księgi.pdf", "application/pdf", PDF)


def test_a_cancelled_preview_sends_nothing(house: House, linked: Linked) -> None:
    person, _ = linked
    person.says("Jednak nie")
    preview = preview_of(person, "Jednak nie")
    person.presses(preview, "Anuluj")
    assert "reply_markup" not in person.sees("Anulowano")
    assert letters_of(house, person) == []


def test_two_presses_are_one_letter(api: BotApi, house: House, linked: Linked) -> None:
    person, _ = linked
    person.says("Raz")
    preview = preview_of(person, "Raz")
    person.presses(preview, "Wyślij")
    api.wait_confirmed(person.presses_old(preview, "Wyślij"))
    must_have_one_letter(house, person)


def test_the_same_update_twice_is_one_letter(api: BotApi, house: House, linked: Linked) -> None:
    person, _ = linked
    update = person.says("Dwa razy")
    api.wait_confirmed(api.deliver_again(update))
    press = person.presses(preview_of(person, "Dwa razy"), "Wyślij")
    api.wait_confirmed(api.deliver_again(press))
    must_have_one_letter(house, person)


def test_the_previews_of_one_message_pressed_each_are_one_letter(api: BotApi, house: House, linked: Linked) -> None:
    person, _ = linked
    api.wait_confirmed(api.deliver_again(person.says("Z dwoma podglądami")))
    previews = [each for each in person.seen if "To będzie pismo" in each["text"]]
    assert len(previews) == 2
    for preview in previews:
        api.wait_confirmed(person.presses(preview, "Wyślij"))
    must_have_one_letter(house, person)


def test_a_message_changed_after_its_preview_is_shown_again_before_it_is_sent(
    api: BotApi, house: House, linked: Linked
) -> None:
    person, _ = linked
    person.says("Przed zmianą")
    preview = preview_of(person, "Przed zmianą")
    person.edits(preview["reply_to_message"]["message_id"], "Po zmianie")
    person.sees("ta wiadomość została zmieniona")
    api.wait_confirmed(person.presses(preview, "Wyślij"))
    assert letters_of(house, person) == []
    shown = person.sees("Treść zmieniła się")
    assert "Po zmianie" in shown["text"]
    person.presses(shown, "Wyślij")
    assert must_have_one_letter(house, person).subject == "Po zmianie"


def test_a_letter_sent_does_not_change_with_its_message(house: House, linked: Linked) -> None:
    person, _ = linked
    person.says("Pierwotne")
    preview = preview_of(person, "Pierwotne")
    person.presses(preview, "Wyślij")
    must_have_one_letter(house, person)
    person.edits(preview["reply_to_message"]["message_id"], "Inne")
    person.sees("ta wiadomość została zmieniona")
    # A button from before the letter was accepted, as a second device may still show it; then the newly shown one.
    person.presses_old(preview, "Wyślij")
    person.presses(person.sees("Treść zmieniła się"), "Wyślij")
    person.sees("zostało już przyjęte w poprzednim brzmieniu")
    assert must_have_one_letter(house, person).subject == "Pierwotne"


def test_a_message_deleted_before_the_press_sends_nothing(api: BotApi, house: House, linked: Linked) -> None:
    person, _ = linked
    person.says("Zniknie")
    preview = preview_of(person, "Zniknie")
    with api.changed:
        del api.messages[person.number][preview["reply_to_message"]["message_id"]]
    person.presses(preview, "Wyślij")
    person.sees("już nie ma")
    assert letters_of(house, person) == []


def test_a_file_over_the_limit_is_refused_kindly(house: House, linked: Linked) -> None:
    person, _ = linked
    person.sends_document("film.mp4", bytes(20 << 20) + b"x", "video/mp4")
    person.sees("ponad 20 MB")
    assert letters_of(house, person) == []


def test_the_largest_file_is_a_letter(house: House, linked: Linked) -> None:
    person, _ = linked
    person.sends_document("plan.bin", bytes(20 << 20), "application/octet-stream")
    person.presses(person.sees("Załącznik: plan.bin"), "Wyślij")
    must_have_one_letter(house, person)


def test_a_sticker_a_voice_and_an_unknown_kind_are_answered_kindly(linked: Linked) -> None:
    person, _ = linked
    person.sends({"voice": {"file_id": "v", "file_unique_id": "v", "duration": 3}})
    person.sees("Pismem może być tekst")
    person.sends({"location": {"latitude": 52.2, "longitude": 21.0}})
    person.sees("Pismem może być tekst", times=2)
    # What the library itself cannot read.
    person.sends({"sticker": {"shape": "of the year 2031"}})
    person.sees("Pismem może być tekst", times=3)


def test_each_file_of_an_album_is_told_to_be_a_letter_of_its_own(linked: Linked) -> None:
    person, _ = linked
    person.sends_photo(b"1" * 100, "Pierwsze", media_group_id="a")
    assert "z albumu to osobne pismo" in preview_of(person, "Pierwsze")["text"]


def test_moje_lists_letters_with_their_state(house: House, linked: Linked) -> None:
    person, _ = linked
    person.says("/moje")
    person.sees("Nie masz jeszcze żadnych pism")
    person.says("Wiata przystankowa")
    person.presses(preview_of(person, "Wiata"), "Wyślij")
    letter = must_have_one_letter(house, person)
    person.says("/moje")
    shown = person.sees("Twoje pisma, od")["text"]
    assert all(words in shown for words in (letter.number, "Wiata przystankowa", "czeka na odebranie", "najpóźniej"))
    house.mailbox("units/SO").TakeLetter(pb.TakeLetterRequest(number=letter.number), timeout=10)
    person.says("/moje")
    assert "Odebrane, w toku" in person.sees("Twoje pisma, od", times=2)["text"]


def answer(house: House, letter: pb.Letter, raw: bytes) -> str:
    """Answers a letter as its unit; the answer's number."""
    deposit = pb.Deposit(answers=letter.number, channel="grpc", content=raw)
    mailbox = house.mailbox(f"units/{letter.unit}")
    outcomes = mailbox.DepositLetters(pb.DepositLettersRequest(deposits=[deposit]), timeout=10).outcomes
    return outcomes[0].acceptance.number


def test_an_answer_comes_to_the_chat_with_its_enclosures_and_evidence(house: House, linked: Linked) -> None:
    person, _ = linked
    person.says("Kiedy naprawa?")
    person.presses(preview_of(person, "Kiedy"), "Wyślij")
    letter = must_have_one_letter(house, person)
    message = EmailMessage(policy=policy.SMTP)
    message["Subject"] = "Odpowiedź"
    # Longer than one message of the messenger.
    message.set_content("Naprawimy jutro.\n" + "Szczegóły. " * 500 + "Koniec.")
    message.add_attachment(PDF, maintype="application", subtype="pdf", filename="plan.pdf")
    number = answer(house, letter, message.as_bytes())
    assert letter.number in person.sees("Naprawimy jutro.")["text"]
    person.sees("Koniec.")
    person.sees(f"Do odpowiedzi {number}")
    documents = person.documents()
    assert documents["plan.pdf"] == PDF
    assert len([name for name in documents if name.startswith("dowod-")]) == 4
    person.says("/moje")
    assert f"Jest odpowiedź: {number}" in person.sees("Twoje pisma, od")["text"]


def test_an_answer_to_a_chat_unlinked_since_goes_by_mail(house: House, linked: Linked) -> None:
    person, resident = linked
    person.says("Odłączę się")
    person.presses(preview_of(person, "Odłączę"), "Wyślij")
    letter = must_have_one_letter(house, person)
    person.says("/odlacz")
    person.sees("Czat odłączony")
    answer(house, letter, b"Subject: Odpowiedz\r\n\r\nZalatwione.\r\n")
    (mail,) = house.wait_for_mail(resident.email, timeout_s=60)
    assert letter.number in mail["Subject"]


def test_a_blocked_bot_sends_the_receipt_by_mail(api: BotApi, house: House, linked: Linked) -> None:
    person, resident = linked
    person.says("Zablokuję bota")
    preview = preview_of(person, "Zablokuję")
    api.after("editMessageText", lambda _: api.blocked.add(person.number))
    person.presses(preview, "Wyślij")
    (mail,) = house.wait_for_mail(resident.email, timeout_s=60)
    (letter,) = letters_of(house, person)
    assert letter.number in mail["Subject"]
    assert {each.get_filename() for each in mail.iter_attachments()} == set(receipts_of(house, letter))


def test_a_group_is_refused_kindly_once_per_message_to_the_bot(api: BotApi, linked: Linked) -> None:
    person, _ = linked
    group: Json = {"id": -100_200, "type": "supergroup", "title": "Osiedle"}
    calls = len(api.calls)
    api.wait_confirmed(person.says("Cześć wszystkim", chat=group))
    api.wait_confirmed(person.says("/start@inny_bot", chat=group))
    assert [each for each in api.messages[-100_200].values() if each["from"]["is_bot"]] == []
    api.wait_confirmed(person.says("@zwrotka_bot dziura!", chat=group))
    api.wait_confirmed(person.says("/start", chat=group))
    refusals = [each["text"] for each in api.messages[-100_200].values() if each["from"]["is_bot"]]
    assert len(refusals) == 2
    assert all("tylko w rozmowie prywatnej" in each for each in refusals)
    assert "getFile" not in {name for name, _ in api.calls[calls:]}


def test_the_evidence_carries_no_name_and_no_token(house: House, linked: Linked) -> None:
    person, resident = linked
    person.says("Bez nazwisk")
    person.presses(preview_of(person, "Bez nazwisk"), "Wyślij")
    letter = must_have_one_letter(house, person)
    (xml,) = [content for name, content in receipts_of(house, letter).items() if name.endswith(".xml")]
    assert b"message-id" in xml
    for secret in (resident.person.surname, resident.person.pesel, resident.token):
        assert secret.encode() not in xml
