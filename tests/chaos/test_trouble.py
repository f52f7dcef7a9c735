"""Storage that fails, fills up or lies, and services that are away: 451 or "receipt follows", never 5xx."""

import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.chaos.sender import deliver, deliver_many, delivery, must_all_be_told_once
from tests.conftest import NewHouse
from tests.house import House
from tests.postgres import Postgres
from tests.relay import Relay

COMMIT = "sqlalchemy.engine.base.Connection.commit"


@pytest.mark.parametrize("role", ["mailbox", "receipts"])
@pytest.mark.parametrize("persisted", [False, True], ids=["not persisted", "persisted anyway"])
def test_a_commit_that_fails_costs_a_second_try_and_nothing_else(whole: House, role: str, persisted: bool) -> None:
    person = whole.resident("Teresa")
    armed = whole.home / f"armed-{role}-{persisted}"
    do = "raise_after" if persisted else "raise_before"
    whole.restart(role, faults=[{"at": COMMIT, "do": do, "times": 1, "armed_by": str(armed)}])
    armed.touch()
    sent = deliver(whole, delivery(person))
    codes = [answer.code for answer in sent.answers]
    first_commit_failed = role == "mailbox"
    assert codes == ([451, 250] if first_commit_failed else [250])
    assert ("receipt follows" in sent.answers[-1].text) == (role == "receipts")
    must_all_be_told_once(whole, person, [sent])
    whole.restart(role)


def test_the_second_commit_failing_is_nothing_the_sender_hears_of(whole: House) -> None:
    person = whole.resident("Urszula")
    armed = whole.home / "armed-second"
    whole.restart("mailbox", faults=[{"at": COMMIT, "do": "raise_before", "nth": 2, "armed_by": str(armed)}])
    whole.stop("courier")  # its leases are commits too
    armed.touch()
    sent = deliver(whole, delivery(person))
    assert [answer.code for answer in sent.answers] == [250]
    assert "receipt follows" in sent.answers[0].text
    whole.start("courier")
    must_all_be_told_once(whole, person, [sent])
    whole.restart("mailbox")


def test_receipts_away_for_half_a_minute_means_that_receipts_follow(whole: House) -> None:
    person = whole.resident("Wanda")
    whole.kill("receipts")
    sent = [delivery(person, f"Pismo {number}.") for number in range(12)]
    for each in range(0, len(sent), 2):
        deliver_many(whole, sent[each : each + 2])
        time.sleep(5)
    assert all("receipt follows" in each.answers[-1].text for each in sent)
    assert [len(each.answers) for each in sent] == [1] * len(sent)
    assert whole.outgoing(person.email) == []
    whole.start("receipts")
    must_all_be_told_once(whole, person, sent)


@pytest.mark.parametrize("role", ["identity", "mailbox"])
def test_without_it_nothing_is_accepted_and_nothing_refused_for_ever(whole: House, role: str) -> None:
    person = whole.resident("Zenobia")
    whole.kill(role)
    sent = delivery(person)
    answer = whole.send(sent.raw, sent.to, sender=sent.sender)
    assert answer.code == 451
    assert "kept" in answer.text or "again" in answer.text
    whole.start(role)
    must_all_be_told_once(whole, person, [deliver(whole, sent)])


@pytest.mark.parametrize("role", ["identity", "mailbox", "receipts"])
def test_a_service_that_hangs_is_a_service_that_is_away(whole: House, role: str) -> None:
    person = whole.resident("Halina")
    whole.pause(role)
    sent = delivery(person)
    try:
        answer = whole.send(sent.raw, sent.to, sender=sent.sender)
        assert answer.code == (250 if role == "receipts" else 451)
    finally:
        whole.resume(role)
    must_all_be_told_once(whole, person, [deliver(whole, sent)])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0777", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("role", ["identity", "mailbox", "receipts"])
def test_a_full_disk_refuses_nothing_for_ever_and_heals(
    database: str, small_disk: Path, new_house: NewHouse, role: str
) -> None:
    if database != "sqlite":
        pytest.skip("PostgreSQL keeps its files where the server runs; its full disk is the failing commit above")
    house = new_house()
    house.open()
    person = house.resident("Felicja")
    house.stop(role)
    kept = house.home / "data" / f"{role}.sqlite3"
    moved = small_disk / kept.name
    moved.write_bytes(kept.read_bytes())
    kept.unlink()
    kept.symlink_to(moved)
    house.start(role)
    assert deliver(house, delivery(person, "Jeszcze jest miejsce.")).answers[-1].code == 250
    fill(small_disk)
    sent = [delivery(person, f"Pismo {number}." + "x" * 20_000) for number in range(4)]
    answers = [house.send(each.raw, each.to, sender=each.sender) for each in sent]
    for answer in answers:
        assert answer.code == 451 if role == "mailbox" else answer.code in (250, 451), answer
        assert answer.code == 451 or role == "identity" or "receipt follows" in answer.text
    (small_disk / "ballast").unlink()
    for each in sent:
        deliver(house, each)
    mails = house.wait_for_mail(person.email, 5, timeout_s=60)
    assert len(mails) == 5


def fill(folder: Path) -> None:
    with (folder / "ballast").open("wb", buffering=0) as ballast:
        block = b"x" * 65_536
        while block:
            try:
                ballast.write(block)
            except OSError:
                block = block[: len(block) // 2]


def test_a_restart_of_postgresql_under_load_loses_and_doubles_nothing(
    database: str, whole: House, request: pytest.FixtureRequest
) -> None:
    if database != "postgresql":
        pytest.skip("there is no server to restart")
    server: Postgres = request.getfixturevalue("postgres")
    person = whole.resident("Gabriela")
    sent = [delivery(person, f"Pismo {number}.") for number in range(60)]
    sending = threading.Thread(target=deliver_many, args=(whole, sent))
    sending.start()
    time.sleep(0.5)
    server.stop()
    time.sleep(1)
    server.start()
    sending.join()
    must_all_be_told_once(whole, person, sent)


def test_a_relay_away_for_an_hour_gets_each_notice_once_it_is_back(new_house: NewHouse, relay: Relay) -> None:
    house = new_house(relay=f"smtp://127.0.0.1:{relay.port}")
    house.open()
    person = house.resident("Bogna")
    sent = [delivery(person, f"Pismo {number}.") for number in range(5)]
    deliver_many(house, sent)
    for minutes in (0, 1, 2, 5, 10, 20, 30):
        house.advance(timedelta(minutes=minutes))
        time.sleep(0.7)
    assert relay.messages == []
    relay.start()
    relay.deferring = True
    house.advance(timedelta(minutes=16))
    relay.wait(lambda: relay.deferred >= 5)
    relay.deferring = False
    house.advance(timedelta(minutes=16))
    relay.wait(lambda: len(relay.messages) >= 5)
    time.sleep(1)
    assert sorted(relay.recipients) == [person.email] * 5
