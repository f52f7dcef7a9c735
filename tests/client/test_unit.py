import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from queue import Queue

import pytest
from zwrotka_client import AlreadyExists, Attachment, Invalid, Letter, NotFound, Refusal, State, Unavailable, Unit
from zwrotka_client.verify import verify_receipt

from tests.house import House, until

PLAN = Attachment("plan działki.pdf", b"%PDF-1.7 \x00\xff" * 1000)


def newest(unit: Unit) -> int:
    """The cursor of the newest letter in a unit's inbox."""
    return max((each.cursor for each in unit.inbox()), default=0)


def arrived(unit: Unit, subject: str, count: int = 1) -> list[Letter]:
    """The letters of that subject in a unit's inbox, once there are so many: they come with their receipts."""
    return until(
        lambda: found if len(found := [each for each in unit.inbox() if each.subject == subject]) >= count else None
    )


@contextmanager
def watching(unit: Unit, after: int) -> Iterator["Queue[Letter]"]:
    """What a watching unit sees."""
    seen: Queue[Letter] = Queue()

    def watch() -> None:
        for letter in unit.watch(after):
            seen.put(letter)

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield seen
    unit.close()
    watcher.join(10)
    assert not watcher.is_alive()


def must_see(seen: "Queue[Letter]", number: str, timeout_s: float) -> None:
    """Waits for a letter among those that are seen."""
    deadline = time.monotonic() + timeout_s
    while seen.get(timeout=max(deadline - time.monotonic(), 0.01)).number != number:
        pass


def test_a_letter_goes_from_unit_to_unit_as_it_was_written(house: House, so: Unit, kd: Unit) -> None:
    sent = so.send("KD", "Prosimy o opinię.\nŻółć 😀", subject="Zjazd z ul. Lipowej", attachments=[PLAN])
    (letter,) = arrived(kd, "Zjazd z ul. Lipowej")
    assert (letter.number, letter.sender_unit, letter.unit) == (sent.number, "SO", "KD")
    assert letter.state is State.RECEIVED
    assert letter.accepted_at == sent.accepted_at
    assert abs(house.now() - sent.accepted_at) < timedelta(minutes=1)
    whole = kd.letter(sent.number)
    assert whole.text == "Prosimy o opinię.\nŻółć 😀"
    assert [part.content for part in whole.parts if part.filename == PLAN.filename] == [PLAN.content]
    assert so.letter(sent.number) == whole


def test_the_inbox_is_read_page_by_page(so: Unit, kd: Unit) -> None:
    sent = {so.send("KD", f"Pismo {number}", subject="Do przejrzenia").number for number in range(5)}
    listed = arrived(kd, "Do przejrzenia", 5)
    assert {each.number for each in listed} == sent
    assert [each.cursor for each in listed] == sorted({each.cursor for each in listed})
    later = [each for each in kd.inbox(listed[2].cursor) if each.subject == "Do przejrzenia"]
    assert later == listed[3:]


def test_the_same_key_is_one_letter_and_another_content_with_it_is_refused(so: Unit, kd: Unit) -> None:
    key = "faktura-2026-17"
    first = so.send("KD", "Faktura", key=key, attachments=[PLAN])
    again = so.send("KD", "Faktura", key=key, attachments=[PLAN])
    assert (again.number, again.repeated, first.repeated) == (first.number, True, False)
    with pytest.raises(AlreadyExists):
        so.send("KD", "Inna faktura", key=key)
    assert [each.number for each in arrived(kd, "Faktura")] == [first.number]


def test_a_taken_letter_stays_taken(so: Unit, kd: Unit) -> None:
    number = so.send("KD", "Do wiadomości").number
    assert kd.take(number).state is State.TAKEN
    assert kd.take(number) == kd.take(number)
    with pytest.raises(NotFound):
        so.take(number)


def test_a_resident_gets_the_answer_and_both_sides_can_prove_theirs(house: House, so: Unit) -> None:
    resident = house.resident()
    number = house.write(resident, "Dziura w jezdni na ul. Łąkowej.").text.split()[1]
    assert so.letter(number).sender_name == resident.name
    answered = so.answer(number, "Zostanie naprawiona do 15 grudnia.", attachments=[PLAN])
    assert answered.unit == ""
    letter = so.letter(number).letter
    assert (letter.state, letter.answered_by) == (State.ANSWERED, answered.number)
    mails = house.wait_for_mail(resident.email, 2)  # receipt and answer
    assert PLAN.content in [part.get_payload(decode=True) for mail in mails for part in mail.walk()]
    ca, log_key = (house.home / "certificates" / "ca.pem").read_bytes(), house.ready["log_key"]
    evidence = until(lambda: each if len(each := so.receipts(answered.number)) == 2 else None)
    for each in (*until(lambda: so.receipts(number)), *evidence):
        verdict = verify_receipt(each.xml, each.tlog_proof, ca_pem=ca, log_key=log_key)
        assert verdict.passed, verdict.failed


def test_the_evidence_lists_the_digest_of_what_was_attached(house: House, so: Unit) -> None:
    number = so.send("KD", "Plan", attachments=[PLAN]).number
    (receipt,) = until(lambda: so.receipts(number))
    ca, log_key = (house.home / "certificates" / "ca.pem").read_bytes(), house.ready["log_key"]
    parts = {PLAN.filename: PLAN.content}
    verdict = verify_receipt(receipt.xml, receipt.tlog_proof, ca_pem=ca, log_key=log_key, parts=parts)
    assert verdict.passed, verdict.failed
    assert verdict.facts
    assert hashlib.sha256(PLAN.content).hexdigest() in [part.sha256 for part in verdict.facts.parts]


def test_a_watching_unit_sees_a_letter_within_a_second_or_so(so: Unit, kd: Unit) -> None:
    with watching(kd, newest(kd)) as seen:
        for number in range(3):
            sent = so.send("KD", f"Pilne {number}")
            must_see(seen, sent.number, 2)


def test_a_watching_unit_outlives_the_mailbox(house: House, so: Unit, kd: Unit) -> None:
    with watching(kd, newest(kd)) as seen:
        must_see(seen, so.send("KD", "Przed").number, 5)
        house.kill("mailbox")
        house.start("mailbox")
        must_see(seen, so.send("KD", "Po").number, 10)


def test_a_watching_unit_is_told_when_it_may_not_watch(house: House) -> None:
    address, certificate = house.ready["identity"], house.home / "certificates" / "units" / "KD.pem"
    with Unit(address, certificate=certificate) as astray, pytest.raises(Invalid, match="does not know this request"):
        next(astray.watch())


@contextmanager
def trouble_after_storing(house: House, deed: str) -> Iterator[None]:
    """A mailbox that stores the next letter and then fails."""
    house.restart("mailbox", faults=[{"at": "services.mailbox.mailroom.Mailroom.deposit", "do": f"{deed}_after"}])
    try:
        yield
    finally:
        house.stop("mailbox")
        house.start("mailbox")


def test_a_letter_whose_acceptance_was_lost_is_sent_again_and_not_doubled(house: House, so: Unit, kd: Unit) -> None:
    with trouble_after_storing(house, "refuse"):
        sent = so.send("KD", "Raz")
    assert sent.repeated
    assert [each.number for each in arrived(kd, "Raz")] == [sent.number]


def test_a_mailbox_that_dies_with_the_letter_in_hand_costs_only_a_moment(house: House, so: Unit, kd: Unit) -> None:
    def revive() -> None:
        house.wait_until_dead("mailbox")
        house.start("mailbox")

    with trouble_after_storing(house, "kill"):
        reviver = threading.Thread(target=revive)
        reviver.start()
        sent = so.send("KD", "Raz mimo wszystko")
        reviver.join()
    assert sent.repeated
    assert [each.number for each in arrived(kd, "Raz mimo wszystko")] == [sent.number]


def test_patience_ends(house: House) -> None:
    certificate = house.home / "certificates" / "units" / "SO.pem"
    with Unit("127.0.0.1:9", certificate=certificate, patience_s=0.3) as unit, pytest.raises(Unavailable):
        list(unit.inbox())


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda so: so.send("XX", "Halo"), "unit-unknown"),
        (lambda so: so.take("ZW-2222-2222-2223"), "number-slip"),
        (lambda so: so.letter("ZW-2222-2222-2222"), "letter-unknown"),
    ],
)
def test_every_refusal_has_its_reason(so: Unit, call: Callable[[Unit], object], reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        call(so)
    assert refused.value.reason == reason
    assert refused.value.sentence.endswith(".")
