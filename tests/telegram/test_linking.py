"""A chat speaks for a resident only after a token or a mailed code proved it."""

import re

from services.chassis import codes
from tests.house import House
from tests.telegram.bot_api import BotApi
from tests.telegram.conftest import Linked
from tests.telegram.person import Person


def code_in(house: House, email: str, count: int = 1) -> str:
    mails = house.wait_for_mail(email, count)
    body = mails[-1].get_body(("plain",))
    assert body is not None
    (code,) = re.findall(r"\b\d{6}\b", body.get_content())
    return str(code)


def test_start_explains_in_polish_first_and_says_how_to_link(person: Person) -> None:
    person.says("/start")
    text = person.sees("zwrotkę")["text"]
    assert "token" in text
    assert text.index("Tu wyślesz pismo") < text.index("Write to city hall")


def test_what_an_unlinked_chat_writes_is_not_kept_and_it_is_told_so(house: House, person: Person) -> None:
    person.says("Dziura w jezdni przy ulicy Nieznanej.")
    assert "nie została zachowana" in person.sees("nie jest jeszcze połączony")["text"]
    person.sends_document("skan.pdf", b"%PDF", "application/pdf")
    person.sees("nie jest jeszcze połączony", times=2)
    assert "Nieznanej" not in "".join(house.logs().values())


def test_a_token_links_and_its_message_is_deleted(linked: Linked) -> None:
    person, resident = linked
    assert [each for each in person.written if resident.token in str(each.get("text"))] == []
    assert "została usunięta" in person.sees("Połączono")["text"]


def test_a_token_that_cannot_be_deleted_is_said_to_stand_there(api: BotApi, house: House, person: Person) -> None:
    resident = house.resident()
    api.before("deleteMessage", api.refuses(400, "Bad Request: message can't be deleted for everyone"))
    person.says(resident.token)
    assert "usuń ją" in person.sees("Połączono")["text"]


def test_a_token_with_a_slip_is_named_as_one(house: House, person: Person) -> None:
    token = house.resident().token
    person.says(token[:-1] + ("2" if token[-1] != "2" else "3"))
    person.sees("literówka")


def test_an_unknown_token_links_nothing(person: Person) -> None:
    person.says(codes.grouped(codes.make(20), 5))
    person.sees("nieznany, unieważniony")
    person.says("Pismo")
    person.sees("nie jest jeszcze połączony")


def test_a_mailed_code_links(house: House, person: Person) -> None:
    resident = house.resident()
    person.says(resident.email)
    person.sees("przyjdzie na niego")
    person.says(code_in(house, resident.email))
    person.sees(f"Połączono: {resident.name}")


def test_a_wrong_code_links_nothing_and_the_right_one_still_does(house: House, person: Person) -> None:
    resident = house.resident()
    person.says(resident.email)
    code = code_in(house, resident.email)
    person.says(f"{(int(code) + 1) % 1_000_000:06d}")
    person.sees("Kod nie pasuje")
    person.says(code)
    person.sees("Połączono")


def test_whether_an_address_is_known_cannot_be_told_from_the_answer(house: House, person: Person) -> None:
    resident = house.resident()
    person.says("nikt.taki@poczta.example")
    unknown = person.sees("przyjdzie na niego")["text"]
    person.says(resident.email)
    assert person.sees("przyjdzie na niego", times=2)["text"] == unknown
    assert house.outgoing("nikt.taki@poczta.example") == []


def test_unlinking_takes_the_link_away(linked: Linked) -> None:
    person, _ = linked
    person.says("/odlacz")
    person.sees("Czat odłączony")
    person.says("Jeszcze jedno pismo")
    person.sees("nie jest jeszcze połączony")
    person.says("/moje")
    person.sees("nie jest jeszcze połączony", times=2)


def test_a_revoked_profile_takes_its_chats_with_it(house: House, linked: Linked) -> None:
    person, resident = linked
    house.revoke(resident)
    person.says("Pismo po unieważnieniu")
    person.sees("nie jest jeszcze połączony")
