"""Notices leave: by a relay or as files, once each, and what the carrier says decides what becomes of them."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import aiosmtplib
import pytest
from zwrotka.mailbox.v1 import mailbox_pb2 as pb

from services.chassis.settings import SettingsError
from services.frontdoor.courier.carriers import Maildirs, Relay, carrier_of
from services.frontdoor.courier.compose import Mail
from services.house.resident import Desk
from tests.conftest import NewHouse
from tests.frontdoor.relay import PlayedRelay
from tests.house import House, until

SENT, LATER, NEVER = (
    pb.NOTICE_RESULT_SENT,
    pb.NOTICE_RESULT_TEMPORARY_FAILURE,
    pb.NOTICE_RESULT_PERMANENT_FAILURE,
)
MAIL = Mail("0198c1f0-0000-7000-8000-000000000001", "jan@poczta.example", b"Subject: x\r\n\r\n.y\r\n")


@pytest.fixture
def relay() -> Iterator[PlayedRelay]:
    """A relay that listens."""
    played = PlayedRelay()
    played.start()
    yield played
    played.stop()


def test_the_relay_s_words_are_kept_and_its_connection_too(relay: PlayedRelay) -> None:
    async def three() -> None:
        carrier = Relay(relay.url)
        outcomes = [await carrier.send(MAIL) for _ in range(3)]
        assert [each.reply for each in outcomes] == [f"250 2.0.0 Ok: queued as {number}" for number in (1, 2, 3)]
        assert {(each.result, each.relay) for each in outcomes} == {(SENT, "127.0.0.1")}

    asyncio.run(three())
    assert relay.connections == 1
    assert {(each.sender, each.recipient) for each in relay.taken} == {("<>", MAIL.recipient)}
    assert relay.taken[0].message.get_content() == ".y\r\n"


@pytest.mark.parametrize(
    ("stage", "reply", "result"),
    [
        ("rcpt", "550 5.1.1 User unknown", NEVER),
        ("rcpt", "450 4.2.0 Greylisted", LATER),
        ("rcpt", "552 5.2.2 Mailbox full", LATER),
        ("rcpt", "550 5.7.1 Your reputation", LATER),
        ("data", "554 5.6.0 Content rejected", NEVER),
        ("data", "451 4.3.0 Later", LATER),
    ],
)
def test_the_relay_s_answer_decides(
    relay: PlayedRelay, stage: str, reply: str, result: pb.NoticeResult.ValueType
) -> None:
    async def two() -> None:
        carrier = Relay(relay.url)
        (relay.to_rcpt if stage == "rcpt" else relay.to_data).append(reply)
        outcome = await carrier.send(MAIL)
        assert (outcome.result, outcome.reply) == (result, reply)
        assert (await carrier.send(MAIL)).result == SENT

    asyncio.run(two())
    assert relay.connections == 1


def test_a_relay_that_was_restarted_is_found_again(relay: PlayedRelay) -> None:
    async def send(carrier: Relay) -> None:
        assert (await carrier.send(MAIL)).result == SENT

    async def around() -> None:
        carrier = Relay(relay.url)
        await send(carrier)
        await asyncio.to_thread(relay.stop)
        with pytest.raises(aiosmtplib.SMTPException):
            await carrier.send(MAIL)
        await asyncio.to_thread(relay.start)
        await send(carrier)

    asyncio.run(around())
    assert len(relay.taken) == 2


def test_an_address_beyond_ascii_is_sent_as_it_is(relay: PlayedRelay) -> None:
    mail = Mail(MAIL.notice_id, "żaneta@poczta.example", MAIL.content)
    assert asyncio.run(Relay(relay.url).send(mail)).result == SENT
    assert relay.taken[0].recipient == mail.recipient


@pytest.mark.parametrize(
    "url", ["relay.example:25", "http://relay.example", "smtp://", "smtp://h:port", "smtp://h:99999"]
)
def test_a_relay_s_address_that_cannot_be_read_stops_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match="ZWROTKA_RELAY"):
        carrier_of(url, Path("unused"))


def test_a_file_appears_whole_and_a_second_telling_takes_its_place(tmp_path: Path) -> None:
    carrier = Maildirs(tmp_path)
    for _ in range(2):
        assert asyncio.run(carrier.send(MAIL)).result == SENT
    box = tmp_path / MAIL.recipient
    (file,) = (box / "new").iterdir()
    assert file.read_bytes() == MAIL.content
    assert not list((box / "tmp").iterdir())


@pytest.mark.parametrize("address", ["../../x@y", "a/../../../b@c", "%2F@c"])
def test_no_address_leads_out_of_the_outgoing_folder(tmp_path: Path, address: str) -> None:
    asyncio.run(Maildirs(tmp_path / "outgoing").send(Mail(MAIL.notice_id, address, b"x")))
    (box,) = (tmp_path / "outgoing").iterdir()
    assert box.name.replace("%2F", "/").replace("%25", "%") == address
    assert list(tmp_path.iterdir()) == [tmp_path / "outgoing"]


def test_a_receipt_comes_by_the_relay_once_it_takes_mail(new_house: NewHouse, relay: PlayedRelay) -> None:
    house = new_house(relay=relay.url)
    house.open()
    resident = house.resident("Maria")
    relay.to_rcpt.extend(["451 4.3.0 Not now"] * 2)
    first, second = house.write(resident, "Raz."), house.write(resident, "Dwa.")
    assert (first.code, second.code) == (250, 250)
    until(lambda: not relay.to_rcpt)
    house.advance(timedelta(seconds=11))
    until(lambda: len(relay.taken) == 2)
    assert {each.recipient for each in relay.taken} == {resident.email}
    assert {each.message["Subject"].partition(":")[0] for each in relay.taken} == {
        reply.text.split()[1] for reply in (first, second)
    }


def test_killed_before_it_settles_the_courier_tells_twice_and_not_never(
    new_house: NewHouse, relay: PlayedRelay
) -> None:
    house = new_house(relay=relay.url)
    house.open()
    resident = house.resident("Maria")
    house.restart("courier", faults=[{"at": "services.frontdoor.courier.rounds.Courier._settle", "do": "kill_before"}])
    assert house.write(resident).code == 250
    assert house.wait_until_dead("courier") == -9
    house.start("courier")
    house.advance(timedelta(seconds=61))
    until(lambda: len(relay.taken) == 2)
    assert len({each.message["Message-ID"] for each in relay.taken}) == 1


def test_who_has_no_profile_any_more_gets_no_mail_and_nobody_waits_for_it(house: House) -> None:
    gone, other = house.resident("Piotr"), house.resident("Maria")
    house.stop("courier")
    try:
        assert house.write(gone).code == 250
        with Desk(house.settings) as desk:
            desk.revoke(gone.profile_id, "Profil zakończony na prośbę.")
        assert house.write(other).code == 250
    finally:
        house.start("courier")
    house.wait_for_mail(other.email)
    assert not house.outgoing(gone.email)
