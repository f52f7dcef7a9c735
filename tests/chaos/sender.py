"""A mail server with a queue: what was not answered 250 it sends again, as RFC 5321 §4.5.4.1 has it."""

import re
import smtplib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from email import policy

from tests.house import House, Reply, letter
from tests.people import Resident

_NUMBER = re.compile(r"ZW(?:-[2-9A-Z]{4}){3}")


@dataclass
class Delivery:
    """A letter and every answer its sending got; `number` is that of the last 250."""

    raw: bytes
    to: str
    sender: str
    answers: list[Reply] = field(default_factory=list)
    lost: int = 0  # connections that ended without an answer

    @property
    def number(self) -> str:
        """The number the 250 named."""
        found = _NUMBER.search(self.answers[-1].text)
        assert found, self.answers
        return found[0]


def delivery(resident: Resident, text: str = "Dzień dobry.") -> Delivery:
    """A letter of the resident's, ready to be sent."""
    message = letter(resident, text)
    return Delivery(message.as_bytes(policy=policy.SMTP), resident.letter_address, resident.email)


def deliver(house: House, sent: Delivery, *, pause_s: float = 0.2, bound_s: float = 60, port: int = 0) -> Delivery:
    """Sends until 250; a 5xx is an error of the house, since all letters here are good."""
    end = time.monotonic() + bound_s
    while time.monotonic() < end:
        try:
            sent.answers.append(house.send(sent.raw, sent.to, sender=sent.sender, port=port))
        except (OSError, smtplib.SMTPException):
            sent.lost += 1
        else:
            assert sent.answers[-1].code < 500, sent.answers[-1]
            if sent.answers[-1].code == 250:
                return sent
        time.sleep(pause_s)
    raise AssertionError(f"no 250 within {bound_s} s: {sent.answers[-3:]}, {sent.lost} without an answer")


def deliver_many(house: House, sent: Sequence[Delivery], *, clients: int = 8, ports: Sequence[int] = (0,)) -> None:
    """Sends all, by several clients at once, each at the next of the ports."""
    with ThreadPoolExecutor(clients) as pool:
        outcomes = [
            pool.submit(deliver, house, each, port=ports[place % len(ports)]) for place, each in enumerate(sent)
        ]
    for outcome in outcomes:
        outcome.result()


def make_rounds_due(house: House) -> None:
    """Lets the clock run on: what is pending is old enough for the rounds now, and no lease ends by it."""
    house.advance(timedelta(seconds=11))


def must_all_be_told_once(house: House, resident: Resident, sent: Sequence[Delivery], *, at_most: int = 1) -> None:
    """Each letter has a number of its own and its receipt mail; at most so many copies, alike in Message-ID."""
    numbers = [each.number for each in sent]
    assert len(set(numbers)) == len(numbers)
    make_rounds_due(house)
    mails = house.wait_for_mail(resident.email, len(numbers), timeout_s=90)
    told: dict[str, set[str]] = {}
    for mail in mails:
        found = _NUMBER.search(str(mail["Subject"]))
        assert found
        told.setdefault(found[0], set()).add(str(mail["Message-ID"]))
    assert set(told) == set(numbers)
    assert all(len(ids) == 1 for ids in told.values())
    assert len(mails) <= at_most * len(numbers)
