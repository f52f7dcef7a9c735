"""SIGKILL at each step of a letter's way; the sender repeats; one letter, one receipt, one notice."""

import threading

import pytest

from tests.chaos.sender import deliver, delivery, make_rounds_due
from tests.house import House

MAILROOM = "services.mailbox.mailroom.Mailroom"
LOGBOOK = "services.receipts.logbook.Logbook"
# role: {step: (function, before or after)}; in the order of design.md's path.
STEPS = {
    "mail": {
        "letter read, not handed on": ("services.frontdoor.mail.door.Deposits._deposit", "before"),
        "letter accepted, sender not told": ("services.frontdoor.mail.door.Deposits._deposit", "after"),
    },
    "identity": {
        "asked who it is": ("services.identity.store.holders", "before"),
        "knows, has not said": ("services.identity.store.holders", "after"),
    },
    "mailbox": {
        "sender known, nothing stored": (f"{MAILROOM}._store", "before"),
        "stored, not committed": (f"{MAILROOM}._store", "after"),
        "committed, receipts not asked": (f"{MAILROOM}.make_receipts", "before"),
        "attested, not filed": ("services.mailbox.store.file_receipts", "before"),
        "filed, not committed": ("services.mailbox.store.file_receipts", "after"),
        "receipt committed, door not told": (f"{MAILROOM}.make_receipts", "after"),
    },
    "receipts": {
        "asked to attest": (f"{LOGBOOK}.attest", "before"),
        "sealed, not logged": (f"{LOGBOOK}._append", "before"),
        "logged, not committed": (f"{LOGBOOK}._append", "after"),
        "committed, mailbox not told": (f"{LOGBOOK}.attest", "after"),
    },
}
CASES = [
    pytest.param(role, function, moment, id=f"{role}: {step}")
    for role, steps in STEPS.items()
    for step, (function, moment) in steps.items()
]


@pytest.mark.parametrize(("role", "function", "moment"), CASES)
def test_a_kill_at_this_step_loses_and_doubles_nothing(whole: House, role: str, function: str, moment: str) -> None:
    person = whole.resident("Krystyna")
    whole.restart(role, faults=[{"at": function, "do": f"kill_{moment}"}])

    def restart_once_dead() -> None:
        assert whole.wait_until_dead(role) == -9
        whole.start(role)

    reviver = threading.Thread(target=restart_once_dead)
    reviver.start()
    sent = deliver(whole, delivery(person))
    reviver.join()
    make_rounds_due(whole)
    (mail,) = whole.wait_for_mail(person.email)
    assert sent.number in str(mail["Subject"])
    again = deliver(whole, sent)
    assert len({answer.text.split()[1] for answer in again.answers if answer.code == 250}) == 1
