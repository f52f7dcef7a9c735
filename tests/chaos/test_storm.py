"""Random SIGKILLs under load: mail servers, units and residents at the chat, all repeating what was not answered.

The short form rages for a minute, the long one (`make chaos`) for a thousand kills.
"""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import grpc
import pytest
from zwrotka_client import Unavailable, Unit

from tests.chaos.sender import Delivery, deliver, delivery, must_all_be_told_once
from tests.conftest import NewHouse
from tests.house import House
from tests.people import Resident
from tests.telegram.bot_api import TOKEN, BotApi, Json, played
from tests.telegram.conftest import preview_of
from tests.telegram.person import Person
from tests.telegram.test_letters import letters_of

IS_LONG = os.environ.get("CHAOS") == "long"
SECONDS = 60
KILLS = 1000 if IS_LONG else 0
PATIENCE_S = 120.0
VICTIMS = ("identity", "mailbox", "receipts", "mail", "courier", "telegram")


class Storm:
    """Eight clients who write for as long as it rages; what each of them was promised."""

    def __init__(self, house: House, writer: Resident, chats: list[Person]) -> None:
        self._house = house
        self._writer = writer
        self._over = threading.Event()
        self.by_mail: list[Delivery] = []
        self.by_unit: list[str] = []
        self.by_chat: dict[int, int] = {}
        self.faults: list[BaseException] = []
        works: list[Callable[[], None]] = [lambda name=name: self._mail(name) for name in range(4)]  # type: ignore[misc]
        works += [lambda name=name: self._unit(name) for name in range(2)]  # type: ignore[misc]
        works += [lambda person=person: self._chat(person) for person in chats]  # type: ignore[misc]
        self._clients = [threading.Thread(target=self._guarded, args=(work,)) for work in works]

    def __enter__(self) -> "Storm":
        for each in self._clients:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for each in self._clients:
            each.join(2 * PATIENCE_S)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self.faults.append(error)
            raise

    def _mail(self, client: int) -> None:
        count = 0
        while not self._over.is_set():
            count += 1
            letter = delivery(self._writer, f"Pismo {client}/{count}.")
            self.by_mail.append(deliver(self._house, letter, bound_s=PATIENCE_S))

    def _unit(self, client: int) -> None:
        count = 0
        with Unit.from_ready(self._house.home / "ready.json", "SP1") as school:
            while not self._over.is_set():
                count += 1
                self.by_unit.append(_sent(school, f"storm-{client}-{count}"))

    def _chat(self, person: Person) -> None:
        while not self._over.is_set():
            count = self.by_chat.get(person.number, 0) + 1
            preview = _previewed(person, f"Czat {count}.")
            end = time.monotonic() + PATIENCE_S
            while "ZW-" not in _text(person, preview["message_id"]):
                assert time.monotonic() < end, "the press was never answered with a number"
                person.presses_old(preview, "Wyślij")
                time.sleep(2)
            self.by_chat[person.number] = count


@pytest.fixture
def api() -> Iterator[BotApi]:
    """The Bot API of this test's house."""
    with played() as api:
        yield api


@pytest.mark.timeout(7200 if IS_LONG else 600)
def test_whatever_dies_each_answered_letter_stands_once(api: BotApi, new_house: NewHouse) -> None:
    house = new_house(telegram_token=TOKEN, telegram_api=api.url)
    house.open()
    writer = house.resident("Sylwia")
    chats = [linked(house, Person(api, number)) for number in (70_001, 70_002)]
    with Storm(house, writer, chats) as storm:
        kills = rage(house)
    assert storm.faults == []
    assert kills > 10
    assert len(storm.by_mail) > 20
    # A courier that dies between sending and settling tells twice, with the same Message-ID; never not at all.
    must_all_be_told_once(house, writer, storm.by_mail, at_most=2)
    with Unit.from_ready(house.home / "ready.json", "KD") as roads:
        arrived = [each.number for each in roads.inbox()]
    assert len(storm.by_unit) > 5
    assert sorted(arrived) == sorted(storm.by_unit)
    for person in chats:
        assert len(letters_of(house, person)) == min(storm.by_chat[person.number], 50) > 0


def linked(house: House, person: Person) -> Person:
    """The person, their chat linked to a fresh profile."""
    person.says(house.resident("Tomasz").token)
    person.sees("Połączono")
    return person


def _sent(school: Unit, key: str) -> str:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            return school.send("KD", f"Pismo {key}.", key=key).number
        except (Unavailable, grpc.RpcError):
            time.sleep(0.2)
    raise AssertionError("not taken within two minutes")


def _previewed(person: Person, words: str) -> Json:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        # Where the bot could not see who writes, it asks to write again; only a press makes a letter.
        person.says(words)
        with suppress(AssertionError):
            return preview_of(person, words)
    raise AssertionError("no preview within two minutes")


def _text(person: Person, message_id: int) -> str:
    with person.api.changed:
        message = person.api.messages[person.number][message_id]
    return str(message.get("text", message.get("caption", "")))


def rage(house: House) -> int:
    """Kills and starts again, at random; how often."""
    dice = random.Random(2026)
    end = time.monotonic() + SECONDS
    kills = 0
    while kills < KILLS or (not KILLS and time.monotonic() < end):
        victim = dice.choice(VICTIMS)
        time.sleep(dice.uniform(0.1, 1.5))
        house.kill(victim)
        kills += 1
        time.sleep(dice.uniform(0, 0.5))
        house.start(victim)
    return kills
