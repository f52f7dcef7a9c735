"""Group commit: one caller's trouble is not another's, and an answer is given only after the commit."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.chassis.database import Database, insert_ignoring
from services.chassis.errors import NotFound, Unavailable

metadata = sa.MetaData()
things = sa.Table("things", metadata, sa.Column("name", sa.String(20), primary_key=True))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/things.sqlite3")
    database.write(lambda tx: metadata.create_all(tx))
    yield database
    database.close()


def put(name: str) -> sa.Insert:
    return sa.insert(things).values(name=name)


def names(database: Database) -> set[str]:
    return set(database.read(lambda tx: tx.execute(sa.select(things.c.name)).scalars().all()))


def test_one_refused_write_leaves_the_others_of_its_group_alone(database: Database) -> None:
    def write(number: int) -> None:
        def work(tx: sa.Connection) -> None:
            tx.execute(put(f"t{number}"))
            if number % 3 == 0:
                raise NotFound("nothing", "Nothing there.")

        database.write(work)

    with ThreadPoolExecutor(32) as pool:
        outcomes = [pool.submit(write, number) for number in range(300)]
    refused = [number for number, outcome in enumerate(outcomes) if outcome.exception()]
    assert refused == list(range(0, 300, 3))
    assert names(database) == {f"t{number}" for number in range(300) if number % 3}


def test_a_database_error_of_one_write_does_not_undo_the_others(database: Database) -> None:
    gate = threading.Event()

    def broken(tx: sa.Connection) -> None:
        tx.exec_driver_sql("SELECT * FROM nowhere")

    with ThreadPoolExecutor(8) as pool:
        held = pool.submit(database.write, lambda tx: (gate.wait(5), tx.execute(put("first")))[1])
        good = [pool.submit(database.write, lambda tx, n=n: tx.execute(put(f"good{n}"))) for n in range(3)]
        bad = pool.submit(database.write, broken)
        gate.set()
    assert isinstance(bad.exception(), Unavailable)
    assert [each.exception() for each in (held, *good)] == [None] * 4
    assert names(database) == {"first", "good0", "good1", "good2"}


def test_the_same_key_twice_is_a_conflict_that_can_be_repeated_and_ignored(database: Database) -> None:
    database.write(lambda tx: tx.execute(put("one")))
    with pytest.raises(Unavailable):
        database.write(lambda tx: tx.execute(put("one")))
    database.write(lambda tx: tx.execute(insert_ignoring(tx, things), [{"name": "one"}, {"name": "two"}]))
    assert names(database) == {"one", "two"}


def test_the_error_that_is_told_names_nothing_of_the_statement(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/empty.sqlite3")
    with pytest.raises(Unavailable) as caught:
        database.read(lambda tx: tx.execute(sa.select(things.c.name).where(things.c.name == "secret")).all())
    assert "secret" not in str(caught.value)
    assert "things" not in str(caught.value)
    database.close()
