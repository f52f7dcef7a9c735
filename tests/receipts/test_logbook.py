"""The logbook gives each event one receipt for ever, and its log never tells two stories."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.chassis.database import Database
from services.chassis.errors import AlreadyExists, Invalid, NotFound, Refusal, Unavailable
from services.receipts import schema
from services.receipts.checkpoint import LogKey
from services.receipts.evidence import Event
from services.receipts.log import Tree
from services.receipts.logbook import Asked, Logbook, Receipt
from services.receipts.seal import Seal
from services.receipts.store import reader
from tests.receipts import merkle, people, proofs
from tests.receipts.conftest import admin

AUTHORITY = people.Authority()
CERTIFIED = AUTHORITY.seal()
SEAL = Seal(CERTIFIED.certificate, CERTIFIED.key)
KEY = LogKey(people.ORIGIN, people.pem_of(Ed25519PrivateKey.generate()))
OpenLogbook = Callable[[], Logbook]


class Clock:
    """A clock that can be set off from the true time."""

    off = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.off


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def new_logbook(url: str, clock: Clock) -> Iterator[OpenLogbook]:
    """Opens replicas on the test's database."""
    databases: list[Database] = []

    def open_one() -> Logbook:
        databases.append(Database(url))
        return Logbook(databases[-1], people.ISSUER, SEAL, KEY, clock)

    yield open_one
    for each in databases:
        each.close()


@pytest.fixture
def logbook(new_logbook: OpenLogbook) -> Logbook:
    return new_logbook()


@pytest.fixture
def rows(admin_url: str) -> Iterator[sa.Connection]:
    """What the database has, for looking at it and for damaging it."""
    engine = admin(admin_url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection
    engine.dispose()


def asked(*events: Event) -> list[Asked]:
    return [Asked(each, hashlib.sha256(repr(each).encode()).digest()) for each in events]


def attest(logbook: Logbook, *events: Event) -> Sequence[Receipt | Refusal]:
    return logbook.attest(asked(*events))


def receipts(logbook: Logbook, *events: Event) -> list[Receipt]:
    outcomes = attest(logbook, *events)
    assert all(isinstance(each, Receipt) for each in outcomes), outcomes
    return [each for each in outcomes if isinstance(each, Receipt)]


def letters(begin: int, end: int) -> list[Event]:
    return [people.event(number) for number in range(begin, end)]


def audited(logbook: Logbook) -> list[bytes]:
    logbook.must_be_whole()
    return proofs.audit(logbook.checkpoint(), logbook.tile, KEY.verifier)


def test_every_receipt_is_proved_by_the_checkpoint_it_carries_and_the_whole_log_holds(logbook: Logbook) -> None:
    made: list[Receipt] = []
    for begin, end in ((0, 1), (1, 4), (4, 100), (100, 256), (256, 512), (512, 515)):
        made += receipts(logbook, *letters(begin, end))
        assert [proofs.open_proof(each.tlog_proof, KEY.verifier, each.xml).note.size for each in made[begin:end]] == [
            end
        ] * (end - begin)
    entries = audited(logbook)
    assert [proofs.open_proof(each.tlog_proof, KEY.verifier, each.xml).entry for each in made] == entries
    assert len(logbook.tile(1, 0, 2)) == 64


def test_every_checkpoint_is_consistent_with_every_later_one(logbook: Logbook, rows: sa.Connection) -> None:
    for begin, end in ((0, 3), (3, 4), (4, 7), (7, 130), (130, 300)):
        attest(logbook, *letters(begin, end))
    notes = [proofs.open_note(each, KEY.verifier) for each in rows.scalars(sa.select(schema.checkpoints.c.note))]
    tree = Tree(reader(rows))
    assert sorted(each.size for each in notes) == [3, 4, 7, 130, 300]
    for old in notes:
        for new in notes:
            if old.size <= new.size:
                proof = tree.consistency(old.size, new.size)
                assert merkle.consistency_holds(old.size, new.size, proof, old.root, new.root)


def test_the_same_event_gets_the_same_bytes_however_often_it_is_asked(logbook: Logbook, rows: sa.Connection) -> None:
    first, twin = receipts(logbook, people.event(1), people.event(1))
    attest(logbook, *letters(2, 9))
    again = receipts(logbook, people.event(1))[0]
    assert first == twin == again
    assert rows.scalar(sa.select(sa.func.count()).select_from(schema.leaves)) == 8


def test_the_same_id_with_another_event_is_refused_and_the_first_one_stands(logbook: Logbook) -> None:
    first = receipts(logbook, people.event(1))[0]
    outcome, in_one_batch, other = attest(
        logbook, people.event(1, channel="grpc"), people.event(2), people.event(2, channel="grpc")
    )
    assert isinstance(outcome, AlreadyExists)
    assert isinstance(in_one_batch, Receipt)
    assert isinstance(other, AlreadyExists)
    assert receipts(logbook, people.event(1)) == [first]


def test_a_letter_has_one_evidence_of_a_kind(logbook: Logbook) -> None:
    letter = people.event(1)
    second = people.event(2, message_id=letter.message_id)
    relayed = people.event(3, message_id=letter.message_id, kind="RelayToNonERDS")
    first = attest(logbook, letter, second, relayed)
    assert [type(each) for each in first] == [Receipt, AlreadyExists, Receipt]
    assert isinstance(attest(logbook, second)[0], AlreadyExists)
    assert len(audited(logbook)) == 2


def test_what_cannot_be_attested_takes_no_place_in_the_log(logbook: Logbook) -> None:
    outcomes = attest(logbook, people.event(1, parts=()), people.event(2), people.event(3, unit="a\nb"))
    assert [type(each) for each in outcomes] == [Invalid, Receipt, Invalid]
    assert len(audited(logbook)) == 1
    assert attest(logbook) == []


def test_replicas_that_race_for_the_log_never_fork_it(new_logbook: OpenLogbook, rows: sa.Connection) -> None:
    replicas = [new_logbook(), new_logbook()]
    start = threading.Barrier(4)

    def run(worker: int) -> list[Receipt]:
        start.wait()
        made: list[Receipt] = []
        for step in range(20):
            begin = worker * 1000 + step * 3
            made += receipts(replicas[worker % 2], *letters(begin, begin + 3))
        return made

    with ThreadPoolExecutor(4) as pool:
        made = [each for worker in pool.map(run, range(4)) for each in worker]
    opened = [proofs.open_proof(each.tlog_proof, KEY.verifier, each.xml) for each in made]
    entries = audited(replicas[0])
    assert sorted(each.index for each in opened) == list(range(240))
    assert all(entries[each.index] == each.entry for each in opened)
    for note in rows.scalars(sa.select(schema.checkpoints.c.note)):
        read = proofs.open_note(note, KEY.verifier)
        assert read.root == merkle.mth(entries[: read.size])


def test_a_place_that_is_taken_is_never_signed_for_again(logbook: Logbook, rows: sa.Connection) -> None:
    attest(logbook, people.event(1))
    before = logbook.checkpoint()
    rows.execute(schema.leaves.insert().values(leaf_index=1, entry=b"somebody was here before", hash=bytes(32)))
    with pytest.raises(Unavailable, match="Please repeat"):
        attest(logbook, people.event(2))
    assert logbook.checkpoint() == before
    assert rows.scalar(sa.select(sa.func.count()).select_from(schema.evidence)) == 1


def test_replicas_asked_for_the_same_events_at_once_give_the_same_bytes(new_logbook: OpenLogbook) -> None:
    replicas = [new_logbook(), new_logbook()]
    start = threading.Barrier(4)

    def run(worker: int) -> list[Receipt]:
        start.wait()
        return [receipts(replicas[worker % 2], people.event(number))[0] for number in range(20)]

    with ThreadPoolExecutor(4) as pool:
        one, *others = pool.map(run, range(4))
    assert all(each == one for each in others)
    assert len(audited(replicas[1])) == 20


def test_a_clock_that_steps_back_does_not_turn_the_logs_time(
    logbook: Logbook, clock: Clock, rows: sa.Connection
) -> None:
    for number, seconds in enumerate((0, -3600, -7200, 1)):
        clock.off = timedelta(seconds=seconds)
        attest(logbook, people.event(number))
    made_at = list(rows.scalars(sa.select(schema.checkpoints.c.made_at).order_by(schema.checkpoints.c.size)))
    assert made_at == sorted(set(made_at))
    assert made_at[2] == made_at[0] + 2


def test_a_flipped_bit_in_a_kept_leaf_is_found_at_the_start(logbook: Logbook, rows: sa.Connection) -> None:
    attest(logbook, *letters(0, 5))
    logbook.must_be_whole()
    hash_ = rows.scalar(sa.select(schema.leaves.c.hash).where(schema.leaves.c.leaf_index == 3))
    assert hash_
    rows.execute(schema.leaves.update().where(schema.leaves.c.leaf_index == 3).values(hash=_flipped(hash_)))
    with pytest.raises(ValueError, match="do not give the root"):
        logbook.must_be_whole()


def test_a_lost_leaf_is_found_at_the_start(logbook: Logbook, rows: sa.Connection) -> None:
    attest(logbook, *letters(0, 5))
    rows.execute(schema.evidence.delete())
    rows.execute(schema.leaves.delete().where(schema.leaves.c.leaf_index == 4))
    with pytest.raises(ValueError, match="leaf 4 is missing"):
        logbook.must_be_whole()


def test_nothing_is_signed_on_top_of_a_damaged_edge(logbook: Logbook, rows: sa.Connection) -> None:
    attest(logbook, *letters(0, 5))
    before = logbook.checkpoint()
    edge = rows.scalar(sa.select(schema.checkpoints.c.edge))
    assert edge
    rows.execute(schema.checkpoints.update().values(edge=_flipped(edge)))
    with pytest.raises(Unavailable, match="nothing more is signed"):
        attest(logbook, people.event(6))
    assert logbook.checkpoint() == before
    assert rows.scalar(sa.select(sa.func.count()).select_from(schema.leaves)) == 5


def test_a_log_of_another_key_or_origin_is_not_continued(url: str, logbook: Logbook) -> None:
    attest(logbook, people.event(1))
    pem = people.pem_of(Ed25519PrivateKey.generate())
    database = Database(url)
    try:
        for origin, reason in ((people.ORIGIN, "another key"), ("zwrotka.przykladowo.example/2027", "another origin")):
            other = Logbook(database, people.ISSUER, SEAL, LogKey(origin, pem))
            with pytest.raises(ValueError, match=reason):
                other.must_be_whole()
            with pytest.raises(Unavailable, match="nothing more is signed"):
                attest(other, people.event(2))
    finally:
        database.close()
    assert len(audited(logbook)) == 1


def test_no_receipt_is_made_with_an_expired_seal(logbook: Logbook, clock: Clock) -> None:
    clock.off = timedelta(days=400)
    with pytest.raises(Unavailable, match="No receipt was made"):
        attest(logbook, people.event(1))
    assert proofs.open_note(logbook.checkpoint(), KEY.verifier).size == 0


def test_tiles_beyond_the_checkpoint_are_not_found_and_impossible_ones_refused(logbook: Logbook) -> None:
    attest(logbook, *letters(0, 40))
    assert len(logbook.tile(0, 0, 40)) == 40 * 32
    for level, index, width in ((0, 0, 41), (0, 1, 1), (-1, 0, 41), (1, 0, 1), (5, 0, 1)):
        with pytest.raises(NotFound):
            logbook.tile(level, index, width)
    for level, index, width in ((-2, 0, 1), (6, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)):
        with pytest.raises(Invalid):
            logbook.tile(level, index, width)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_services_own_user_cannot_alter_what_is_kept(url: str, logbook: Logbook) -> None:
    attest(logbook, people.event(1))
    engine = admin(url)
    for statement in ("UPDATE evidence SET kind = 'x'", "DELETE FROM evidence", "TRUNCATE leaves CASCADE"):
        with engine.connect() as tx, pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            tx.exec_driver_sql(statement)
    engine.dispose()


def _flipped(value: bytes) -> bytes:
    return bytes([value[0] ^ 1]) + value[1:]
