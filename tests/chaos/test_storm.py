"""Random SIGKILLs under load: mail servers, units and residents at the chat, all repeating what was not answered.

ZWROTKA_STORM_KILLS=1000 (`make chaos`) makes the long form; the short one lasts a minute.
"""

import os
import random
import threading
import time
from collections.abc import Callable

import grpc
from zwrotka_client import Unavailable, Unit

from tests.chaos.sender import Delivery, deliver, delivery, must_all_be_told_once
from tests.house import House

SECONDS = 45
KILLS = int(os.environ.get("ZWROTKA_STORM_KILLS", "0"))
MAIL_CLIENTS, UNIT_CLIENTS = 5, 3
VICTIMS = ("identity", "mailbox", "receipts", "mail", "courier")


def test_whatever_dies_each_answered_letter_stands_once(whole: House) -> None:
    person = whole.resident("Sylwia")
    over = threading.Event()
    sent: list[Delivery] = []
    numbers: list[str] = []
    faults: list[BaseException] = []

    def mail(client: int) -> None:
        count = 0
        while not over.is_set():
            count += 1
            sent.append(deliver(whole, delivery(person, f"Pismo {client}/{count}."), bound_s=120))

    def unit(client: int) -> None:
        count = 0
        with Unit.from_ready(whole.home / "ready.json", "SP1") as school:
            while not over.is_set():
                count += 1
                key = f"storm-{client}-{count}"
                numbers.append(repeated(lambda k=key: school.send("KD", f"Pismo {k}.", key=k).number))  # type: ignore[misc]

    def guarded(work: Callable[[int], None], client: int) -> None:
        try:
            work(client)
        except BaseException as error:
            faults.append(error)
            raise

    clients = [threading.Thread(target=guarded, args=(mail, each)) for each in range(MAIL_CLIENTS)]
    clients += [threading.Thread(target=guarded, args=(unit, each)) for each in range(UNIT_CLIENTS)]
    for each in clients:
        each.start()
    kills = rage(whole)
    over.set()
    for each in clients:
        each.join(150)
    assert faults == []
    assert kills > 5
    assert len(sent) > 20
    assert len(set(numbers)) == len(numbers) > 5
    # A courier that dies between sending and settling tells twice, with the same Message-ID; never not at all.
    must_all_be_told_once(whole, person, sent, at_most=2)
    with Unit.from_ready(whole.home / "ready.json", "KD") as roads:
        arrived = [each.number for each in roads.inbox()]
    assert set(numbers) <= set(arrived)
    assert len(arrived) == len(set(arrived))


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


def repeated(send: Callable[[], str]) -> str:
    """Sends until it is known to have been taken."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            return send()
        except (Unavailable, grpc.RpcError):
            time.sleep(0.2)
    raise AssertionError("not taken within two minutes")
