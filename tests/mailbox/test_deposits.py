"""Letters by the wire: accepted once, receipted once, seen by the unit that holds them and by nobody else."""

import base64
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import policy
from email.message import EmailMessage
from typing import Any

import pytest
from zwrotka.mailbox.v1 import mailbox_pb2 as pb

from services.chassis import rpc
from services.chassis.errors import AlreadyExists, Forbidden, Invalid, NotFound, Refusal, Unauthenticated
from tests.house import House, letter, until
from tests.people import Resident


@pytest.fixture(scope="module")
def anna(house: House) -> Resident:
    return house.resident("Anna")


def by_mail(resident: Resident, text: str = "Dzień dobry.", **named: Any) -> pb.Deposit:
    content = letter(resident, text).as_bytes(policy=policy.SMTP)
    return pb.Deposit(**{"token": resident.token, "unit": "SO", "channel": "smtp", "content": content, **named})


def by_unit(text: str = "Prosimy o opinię.", **named: Any) -> pb.Deposit:
    message = EmailMessage(policy=policy.SMTP)
    message["Subject"] = "Opinia"
    message.set_content(text)
    message.add_attachment(b"%PDF-1.7 plan", maintype="application", subtype="pdf", filename="plan.pdf")
    return pb.Deposit(**{"channel": "grpc", "content": message.as_bytes(), **named})


def deposit(house: House, *deposits: pb.Deposit, caller: str = "frontdoor") -> list[pb.Acceptance | Refusal]:
    request = pb.DepositLettersRequest(deposits=deposits)
    answer = rpc.call(house.mailbox(caller).DepositLetters, request, timeout_s=20)
    return [rpc.unpacked(each.error) if each.error else each.acceptance for each in answer.outcomes]


def accepted(house: House, one: pb.Deposit, caller: str = "frontdoor") -> pb.Acceptance:
    (outcome,) = deposit(house, one, caller=caller)
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def shown(house: House, number: str, unit: str = "SO") -> pb.GetLetterResponse:
    return rpc.call(house.mailbox(f"units/{unit}").GetLetter, pb.GetLetterRequest(number=number), timeout_s=10)


def inbox(house: House, unit: str, after: int = 0) -> list[pb.Letter]:
    found: list[pb.Letter] = []
    while True:
        request = pb.ListLettersRequest(after=after, limit=200)
        page = rpc.call(house.mailbox(f"units/{unit}").ListLetters, request, timeout_s=10)
        if not page.letters:
            return found
        found.extend(page.letters)
        after = page.next_after


def receipts(house: House, number: str, unit: str = "SO") -> list[pb.Receipt]:
    stub = house.mailbox(f"units/{unit}")
    return list(rpc.call(stub.GetReceipts, pb.GetReceiptsRequest(number=number), timeout_s=10).receipts)


def test_a_letter_gets_a_number_a_term_and_one_receipt(house: House, anna: Resident) -> None:
    acceptance = accepted(house, by_mail(anna))
    assert acceptance.number.startswith("ZW-")
    assert not acceptance.repeated_deposit
    assert not acceptance.receipt_follows
    assert acceptance.due_on > acceptance.accepted_at.ToDatetime().date().isoformat()
    (receipt,) = receipts(house, acceptance.number)
    assert acceptance.number.encode() in receipt.xml
    assert receipt.tlog_proof.startswith(b"c2sp.org/tlog-proof@v1\n")


def test_the_same_letter_again_is_the_same_letter_with_the_same_receipt(house: House, anna: Resident) -> None:
    one = by_mail(anna)
    first = accepted(house, one)
    before = receipts(house, first.number)
    travelled = pb.Deposit()
    travelled.CopyFrom(one)
    travelled.content = b"Received: from a.example by b.example\r\n" + one.content
    for again in (one, travelled):
        second = accepted(house, again)
        assert (second.number, second.repeated_deposit) == (first.number, True)
        assert second.accepted_at == first.accepted_at
    assert receipts(house, first.number) == before


def test_many_at_once_with_the_same_letter_get_one_number(house: House, anna: Resident) -> None:
    one = by_mail(anna, "Wysłane raz, doręczone szesnaście razy.")
    with ThreadPoolExecutor(16) as pool:
        numbers = list(pool.map(lambda _: accepted(house, one).number, range(16)))
    assert len(set(numbers)) == 1
    assert [each.number for each in inbox(house, "SO")].count(numbers[0]) == 1


def test_in_a_batch_each_letter_is_judged_by_itself(house: House, anna: Resident) -> None:
    good, twice = by_mail(anna, "Pierwszy."), by_mail(anna, "Drugi.")
    outcomes = deposit(
        house,
        good,
        by_mail(anna, token="22222-22222-22222-22223"),
        by_mail(anna, unit="XX"),
        twice,
        by_mail(anna, content=b" \r\n"),
        twice,
        by_mail(anna, matter="nothing_such"),
    )
    kinds = [type(each) for each in outcomes]
    assert kinds == [pb.Acceptance, Invalid, NotFound, pb.Acceptance, Invalid, pb.Acceptance, Invalid]
    assert isinstance(outcomes[3], pb.Acceptance)
    assert isinstance(outcomes[5], pb.Acceptance)
    assert outcomes[3].number == outcomes[5].number
    assert (outcomes[3].repeated_deposit, outcomes[5].repeated_deposit) == (False, True)


def test_a_revoked_token_opens_nothing(house: House) -> None:
    gone = house.resident("Zofia")
    accepted(house, by_mail(gone))
    house.revoke(gone)
    (outcome,) = deposit(house, by_mail(gone, "Jeszcze jedno."))
    assert isinstance(outcome, Unauthenticated)


def test_the_evidence_has_the_digest_of_the_whole_and_of_every_decoded_part(house: House, anna: Resident) -> None:
    message = letter(anna, "Zażółć gęślą jaźń.")
    message.add_attachment(b"\xff\xd8\xff zdj\x00cie", maintype="image", subtype="jpeg", filename="dziura.jpg")
    raw = message.as_bytes(policy=policy.SMTP)
    number = accepted(house, by_mail(anna, content=raw)).number
    (receipt,) = receipts(house, number)
    got = shown(house, number)
    assert got.text == "Zażółć gęślą jaźń."
    assert [part.filename for part in got.parts] == ["", "dziura.jpg"]
    assert got.parts[1].content == b"\xff\xd8\xff zdj\x00cie"
    for content in (raw, *(part.content for part in got.parts)):
        assert base64_digest(content) in receipt.xml
    assert [part.sha256 for part in got.parts] == [hashlib.sha256(part.content).digest() for part in got.parts]


def base64_digest(content: bytes) -> bytes:
    return base64.b64encode(hashlib.sha256(content).digest())


def test_no_token_is_shown_to_a_unit(house: House, anna: Resident) -> None:
    message = letter(anna, f"Mój token: {anna.token}\nDzień dobry.", subject=f"Pismo {anna.token.lower()}")
    number = accepted(house, by_mail(anna, content=message.as_bytes(policy=policy.SMTP))).number
    got = shown(house, number)
    whole = got.SerializeToString() + b"".join(each.xml for each in receipts(house, number))
    assert anna.token.lower().encode() not in whole.lower()
    assert got.parts[0].redacted
    assert "***" in got.letter.subject


def test_a_unit_sees_its_own_letters_alone(house: House, anna: Resident) -> None:
    number = accepted(house, by_mail(anna, unit="KD")).number
    assert number in [each.number for each in inbox(house, "KD")]
    assert number not in [each.number for each in inbox(house, "SO")]
    with pytest.raises(NotFound):
        shown(house, number, "SO")
    with pytest.raises(NotFound):
        receipts(house, number, "SP1")
    with pytest.raises(NotFound):
        rpc.call(house.mailbox("units/SO").TakeLetter, pb.TakeLetterRequest(number=number), timeout_s=5)


def test_units_write_to_each_other_under_a_key_of_their_own(house: House) -> None:
    one = by_unit(unit="KD", key="pismo-1")
    first = accepted(house, one, "units/SP1")
    assert (first.due_on, first.unit) == ("", "KD")
    assert accepted(house, one, "units/SP1").number == first.number
    assert accepted(house, by_unit(unit="KD", key="pismo-1"), "units/SO").number != first.number
    with pytest.raises(AlreadyExists):
        accepted(house, by_unit("Co innego.", unit="KD", key="pismo-1"), "units/SP1")
    got = shown(house, first.number, "KD")
    assert got.sender_name == house.city.units["SP1"].name
    assert shown(house, first.number, "SP1").text == got.text
    assert len(receipts(house, first.number, "KD")) == 1


def test_taking_a_letter_can_be_repeated(house: House, anna: Resident) -> None:
    number = accepted(house, by_mail(anna)).number
    request = pb.TakeLetterRequest(number=number.lower())
    states = [rpc.call(house.mailbox().TakeLetter, request, timeout_s=5).letter.state for _ in range(2)]
    assert states == [pb.LETTER_STATE_TAKEN] * 2


def test_an_answer_goes_to_the_resident_with_its_evidence_and_that_of_its_relay(house: House) -> None:
    jan = house.resident("Jan")
    number = accepted(house, by_mail(jan, "Kiedy naprawa?")).number
    answer = accepted(house, by_unit("W poniedziałek.", answers=number), "units/SO")
    mails = until(lambda: [mail for mail in house.outgoing(jan.email) if answer.number in str(mail)] or None)
    assert len(mails) == 1
    kinds = until(lambda: got if len(got := receipts(house, answer.number)) == 2 else None)
    assert [b"SubmissionAcceptance" in each.xml for each in kinds] == [True, False]
    assert b"Event/RelayToNonERDS" in kinds[1].xml
    original = shown(house, number).letter
    assert (original.state, original.answered_by) == (pb.LETTER_STATE_ANSWERED, answer.number)


def test_only_the_holder_answers_and_only_a_resident(house: House, anna: Resident) -> None:
    number = accepted(house, by_mail(anna)).number
    with pytest.raises(Forbidden):
        accepted(house, by_unit(answers=number), "units/KD")
    between = accepted(house, by_unit(unit="KD"), "units/SP1").number
    with pytest.raises(Forbidden):
        accepted(house, by_unit(answers=between), "units/KD")
    with pytest.raises(Invalid):
        accepted(house, by_unit(answers="ZW-2222-2222-2223"), "units/SO")
    with pytest.raises(Invalid):
        accepted(house, by_mail(anna, unit="", answers=number))


def test_a_stream_brings_what_is_there_and_what_comes(house: House, anna: Resident) -> None:
    before = inbox(house, "SP1")
    after = before[-1].cursor if before else 0
    old = accepted(house, by_mail(anna, unit="SP1")).number
    came: list[str] = []
    both = threading.Event()

    def watch() -> None:
        for each in house.mailbox("units/SP1").WatchLetters(pb.WatchLettersRequest(after=after), timeout=20):
            came.append(each.letter.number)
            if len(came) == 2:
                both.set()
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    until(lambda: came)
    new = accepted(house, by_mail(anna, unit="SP1")).number
    assert both.wait(5)
    watcher.join()
    assert came == [old, new]


def test_cursors_are_in_the_order_in_which_letters_became_visible(house: House, anna: Resident) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda n: accepted(house, by_mail(anna, f"Pismo {n}.")).number, range(40)))
    listed = inbox(house, "SO")
    cursors = [each.cursor for each in listed]
    assert cursors == sorted(set(cursors))
    assert set(numbers) <= {each.number for each in listed}


def test_a_resident_lists_their_own_letters(house: House, anna: Resident) -> None:
    number = accepted(house, by_mail(anna)).number
    request = pb.ListSentLettersRequest(token=anna.token, limit=50)
    letters = rpc.call(house.mailbox("frontdoor").ListSentLetters, request, timeout_s=5).letters
    assert letters[0].number == number
    other = pb.ListSentLettersRequest(token=house.resident("Ewa").token)
    assert not rpc.call(house.mailbox("frontdoor").ListSentLetters, other, timeout_s=5).letters


def test_what_a_courier_does_not_settle_comes_due_again(house: House) -> None:
    ola = house.resident("Ola")
    house.stop("courier")
    try:
        number = accepted(house, by_mail(ola)).number
        first = leased(house, number)
        assert first is not None
        assert leased(house, number) is None
        house.advance(timedelta(seconds=61))
        again = leased(house, number)
        assert again is not None
        assert (again.notice_id, again.attempts) == (first.notice_id, first.attempts + 1)
        house.advance(timedelta(seconds=61))
    finally:
        house.start("courier")
    assert len(house.wait_for_mail(ola.email)) == 1


def leased(house: House, number: str) -> pb.Notice | None:
    request = pb.LeaseNoticesRequest(carrier="mail", limit=64, lease_s=60)
    notices = rpc.call(house.mailbox("frontdoor").LeaseNotices, request, timeout_s=5).notices
    return next((notice for notice in notices if notice.letter.number == number), None)
