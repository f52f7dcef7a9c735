"""The room is killed, flooded, cut off, fed with what it cannot handle: nothing is lost, nothing is doubled."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from werkzeug.wrappers import Response

from tests.conftest import DATABASES
from tests.house import House
from tests.telegram.bot_api import TOKEN, BotApi, Json, dropped, flooded
from tests.telegram.conftest import Linked, preview_of
from tests.telegram.person import Person
from tests.telegram.test_letters import letters_of, must_have_one_letter
from tests.telegram.test_linking import code_in

# The room has no database, and starting it again takes seconds: one kind is enough here.
pytestmark = pytest.mark.parametrize("database", DATABASES[:1], indirect=True, scope="session")
Arrange = Callable[[str, Callable[[Json], Response]], None]


@contextmanager
def killed_at(house: House, arrange: Arrange, method: str) -> Iterator[None]:
    """Kills the room at the next call of a method, waits for that, and starts the room again."""
    is_dead = threading.Event()

    def kill(parameters: Json) -> Response:
        house.kill("telegram")
        is_dead.set()
        return dropped(parameters)

    arrange(method, kill)
    yield
    assert is_dead.wait(60), f"{method} was never called"
    house.start("telegram")


@pytest.fixture(params=["before", "after"])
def moment(request: pytest.FixtureRequest, api: BotApi) -> Arrange:
    """Arranges a deed before or after the Bot API carries out a call."""
    arrange: Arrange = getattr(api, request.param)
    return arrange


def test_killed_at_the_preview_it_shows_the_preview_again(house: House, moment: Arrange, linked: Linked) -> None:
    person, _ = linked
    with killed_at(house, moment, "sendMessage"):
        person.says("Podgląd")
    person.presses(preview_of(person, "Podgląd"), "Wyślij")
    must_have_one_letter(house, person)


@pytest.mark.parametrize("method", ["answerCallbackQuery", "getFile", "download", "editMessageText"])
def test_killed_at_any_call_of_a_press_it_makes_one_letter(
    house: House, moment: Arrange, linked: Linked, method: str
) -> None:
    person, _ = linked
    person.sends_document("skan.pdf", b"%PDF-1.7 x", "application/pdf", "Skan umowy")
    preview = preview_of(person, "Skan umowy")
    with killed_at(house, moment, method):
        person.presses(preview, "Wyślij")
    must_have_one_letter(house, person)
    person.sees("przyjęte: ZW-")


def test_killed_while_the_mailbox_has_the_letter_it_makes_one_letter(house: House, linked: Linked) -> None:
    person, _ = linked
    person.says("W połowie drogi")
    preview = preview_of(person, "W połowie")
    house.restart(
        "mailbox", faults=[{"at": "services.mailbox.mailroom.Mailroom.deposit", "do": "sleep_after", "seconds": 3}]
    )
    person.presses(preview, "Wyślij")
    person.api.wait_until(lambda: letters_of(house, person))
    house.kill("telegram")
    house.restart("mailbox")
    house.start("telegram")
    must_have_one_letter(house, person)
    person.sees("zostało już przyjęte: ZW-")


def test_killed_while_it_tells_the_receipt_it_tells_it_again(house: House, moment: Arrange, linked: Linked) -> None:
    person, _ = linked
    person.says("Zwrotka")
    preview = preview_of(person, "Zwrotka")
    with killed_at(house, moment, "sendMediaGroup"):
        person.presses(preview, "Wyślij")
    house.advance(timedelta(seconds=60))  # the lease of the dead
    must_have_one_letter(house, person)


def test_a_room_that_stays_closed_leaves_its_receipts_to_the_mail(api: BotApi, house: House, linked: Linked) -> None:
    person, resident = linked
    person.says("Potem zamknięte")
    preview = preview_of(person, "Potem zamknięte")
    with killed_at(house, api.before, "editMessageText"):
        person.presses(preview, "Wyślij")
        api.wait_until(lambda: not api.hooks_left("editMessageText"), 60)
        house.advance(timedelta(minutes=61))
        (mail,) = house.wait_for_mail(resident.email, timeout_s=60)
    (letter,) = letters_of(house, person)
    assert letter.number in mail["Subject"]
    person.sees("przyjęte: ZW-")


@pytest.mark.parametrize("method", ["deleteMessage", "sendMessage"])
def test_killed_while_a_token_links_it_links(house: House, moment: Arrange, person: Person, method: str) -> None:
    resident = house.resident()
    with killed_at(house, moment, method):
        person.says(resident.token)
    shown = person.sees(f"Połączono: {resident.name}")
    assert "została usunięta" in shown["text"]
    assert person.written == []


def test_killed_while_a_code_links_it_links(house: House, moment: Arrange, person: Person) -> None:
    resident = house.resident()
    person.says(resident.email)
    code = code_in(house, resident.email)
    with killed_at(house, moment, "sendMessage"):
        person.says(code)
    person.sees("ołączon")
    person.says("Pismo po kodzie")
    preview_of(person, "Pismo po kodzie")


def test_killed_before_the_code_is_mailed_it_mails_one(house: House, moment: Arrange, person: Person) -> None:
    resident = house.resident()
    with killed_at(house, moment, "sendMessage"):
        person.says(resident.email)
    person.says(code_in(house, resident.email))
    person.sees(f"Połączono: {resident.name}")


def test_a_chat_that_is_to_be_slower_waits_as_long_as_asked_and_is_answered_once(api: BotApi, linked: Linked) -> None:
    person, _ = linked
    api.before("sendMessage", flooded(2))
    calls = len(api.calls)
    api.wait_confirmed(person.says("Za szybko"))
    assert [name for name, _ in api.calls[calls:]].count("sendMessage") == 2
    assert len([each for each in person.seen if "To będzie pismo" in each["text"]]) == 1


def test_a_long_pause_of_one_chat_does_not_hold_up_another(api: BotApi, linked: Linked) -> None:
    person, _ = linked
    api.before("sendMessage", flooded(11))
    slow = person.says("Powoli")
    api.wait_until(lambda: not api.hooks_left("sendMessage"))
    other = Person(api, person.number + 1_000_000)
    other.says("/start")
    other.sees("zwrotkę", timeout_s=8)
    assert not api.is_confirmed(slow)
    preview_of(person, "Powoli")
    api.wait_confirmed(slow)


@pytest.mark.parametrize("method", ["sendMessage", "editMessageText", "getFile", "download", "sendMediaGroup"])
def test_a_connection_that_breaks_costs_no_letter(house: House, moment: Arrange, linked: Linked, method: str) -> None:
    person, _ = linked
    if method == "sendMessage":
        moment(method, dropped)
    person.sends_document("skan.pdf", b"%PDF-1.7 y", "application/pdf", "Przez słabe łącze")
    preview = preview_of(person, "Przez słabe łącze")
    if method != "sendMessage":
        moment(method, dropped)
    person.presses(preview, "Wyślij")
    must_have_one_letter(house, person)


def test_an_update_that_cannot_be_handled_is_told_and_does_not_stop_the_others(
    api: BotApi, house: House, linked: Linked
) -> None:
    person, _ = linked
    for _ in range(3):
        api.before("sendMessage", dropped)
    poison = person.says("Trucizna")
    person.sees("nie umiem sobie poradzić")
    api.wait_confirmed(poison)
    person.says("Lek")
    preview_of(person, "Lek")
    log = house.logs()["telegram"]
    assert f'"update": {poison}' in log
    assert "Trucizna" not in log


def test_a_house_that_is_away_is_told_and_the_button_stays(house: House, linked: Linked) -> None:
    person, _ = linked
    person.says("Gdy urzędu nie ma")
    preview = preview_of(person, "Gdy urzędu")
    house.stop("mailbox")
    person.presses(preview, "Wyślij")
    person.sees("Naciśnij przycisk jeszcze raz")
    house.start("mailbox")
    person.presses(preview, "Wyślij")
    must_have_one_letter(house, person)


def test_without_identity_a_message_is_answered_and_a_token_still_leaves_the_chat(house: House, person: Person) -> None:
    resident = house.resident()
    house.stop("identity")
    person.says(resident.token)
    person.sees("Urząd chwilowo nie odpowiada")
    assert person.written == []
    house.start("identity")
    person.says(resident.token)
    person.sees("Połączono")


def test_a_stop_is_quick_and_loses_nothing(api: BotApi, house: House, linked: Linked) -> None:
    person, _ = linked
    house.stop("telegram")
    update = person.says("W nocy")
    house.start("telegram")
    preview_of(person, "W nocy")
    api.wait_confirmed(update)


def environment(house: House, token: str) -> dict[str, str]:
    """What a room started beside the house's own needs."""
    return {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "ZWROTKA_HOME": str(house.home),
        "ZWROTKA_TELEGRAM_API": house.settings.telegram_api,
        "ZWROTKA_TELEGRAM_TOKEN": token,
        **{f"ZWROTKA_{name.upper()}_PORT": str(house.settings.port_of(name)) for name in ("identity", "mailbox")},
    }


ROOM = [sys.executable, "-m", "services.frontdoor", "telegram"]


def test_two_rooms_at_once_make_one_letter_and_one_receipt(api: BotApi, house: House, linked: Linked) -> None:
    person, _ = linked
    calls = len(api.calls)
    with subprocess.Popen(ROOM, env=environment(house, TOKEN), stderr=subprocess.DEVNULL) as second:
        try:
            api.wait_until(lambda: "getMe" in [name for name, _ in api.calls[calls:]])
            api.wait_until(lambda: [name for name, _ in api.calls[calls:]].count("getUpdates") >= 2, 40)
            person.says("Dwie sale")
            press = person.presses(preview_of(person, "Dwie sale"), "Wyślij")
            api.wait_confirmed(press)
            must_have_one_letter(house, person)
        finally:
            second.terminate()
    assert second.returncode == 0
    assert len([each for each in person.seen if "Zwrotka do pisma" in each.get("caption", "")]) == 1


def run(house: House, token: str) -> subprocess.CompletedProcess[str]:
    """Runs a room until it ends by itself."""
    return subprocess.run(ROOM, env=environment(house, token), text=True, capture_output=True, timeout=60)


def test_without_a_token_the_door_stays_closed_and_says_how_to_open_it(house: House) -> None:
    ended = run(house, "")
    assert ended.returncode == 1
    assert "ZWROTKA_TELEGRAM_TOKEN is empty" in ended.stderr
    assert "@BotFather" in ended.stderr


def test_a_token_that_telegram_does_not_know_stops_the_start_and_is_not_shown(house: House) -> None:
    ended = run(house, "4712:wrong-token")
    assert ended.returncode == 1
    assert "ZWROTKA_TELEGRAM_TOKEN is not a bot's token" in ended.stderr
    assert "wrong-token" not in ended.stderr


def test_the_log_holds_no_token_of_the_bot_and_no_account(house: House, linked: Linked) -> None:
    person, resident = linked
    person.says("Do dziennika")
    person.presses(preview_of(person, "Do dziennika"), "Wyślij")
    must_have_one_letter(house, person)
    log = house.logs()["telegram"]
    for secret in (TOKEN, str(person.number), resident.token, resident.email, resident.person.surname, "Do dziennika"):
        assert secret not in log
