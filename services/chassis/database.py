"""One database per service: group commit for writes, a small pool for reads, SQLite and PostgreSQL alike."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import QueuePool

from services.chassis.batch import Batcher
from services.chassis.errors import Refusal, Unavailable

T = TypeVar("T")
Work = Callable[[sa.Connection], Any]
log = structlog.get_logger()

# Key columns: SQLite numbers rows only through INTEGER.
BigKey = sa.BigInteger().with_variant(sa.Integer, "sqlite")


class Database:
    """`write` and `read` take a function of an open transaction.

    All writes that wait are run in one transaction, each in its own savepoint, and answered after the commit
    (2,150 commits a second one by one, 11-17 thousand rows together). A function may therefore be run again
    after a rollback: it must have no effect but through its transaction.
    """

    def __init__(self, url: str) -> None:
        self._writer = _engine(url, size=1, begin="BEGIN IMMEDIATE")
        self._reader = _engine(url, size=8, begin="BEGIN")
        self._writes: Batcher[Work, Any] = Batcher(self._run_together, name="writer", in_flight=1, max_items=128)

    def write(self, work: Callable[[sa.Connection], T | Refusal]) -> T:
        """Runs `work` durably; Unavailable means that it may or may not have happened.

        What `work` raises takes its writes back. A refusal that it returns is raised after the commit: it leaves
        a trace, as a wrong code counts against its tries.
        """
        result: T = self._writes.submit(work).result()
        return result

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Runs `work` on a snapshot."""
        try:
            with self._reader.begin() as tx:
                return work(tx)
        except DBAPIError as error:
            raise _unavailable(error) from error

    def close(self) -> None:
        """Finishes the writes that wait and closes all connections."""
        self._writes.close()
        self._writer.dispose()
        self._reader.dispose()

    def _run_together(self, works: list[Work]) -> list[Any]:
        try:
            return self._transaction(works)
        except _Uncertain as error:
            return [_unavailable(error.cause)] * len(works)
        except DBAPIError as error:
            # One work's database error may have undone the others' (a full disk ends SQLite's transaction, a
            # deadlock PostgreSQL's): nothing was committed, so each is run again by itself.
            log.warning("group-rolled-back", works=len(works), error=type(error.orig).__name__)
            return [self._run_alone(work) for work in works]

    def _run_alone(self, work: Work) -> Any:
        try:
            return self._transaction([work])[0]
        except _Uncertain as error:
            return _unavailable(error.cause)
        except DBAPIError as error:
            return _unavailable(error)

    def _transaction(self, works: list[Work]) -> list[Any]:
        results: list[Any] = []
        with self._writer.connect() as tx:
            for work in works:
                savepoint = tx.begin_nested()
                try:
                    results.append(work(tx))
                    savepoint.commit()
                except IntegrityError as error:
                    savepoint.rollback()
                    results.append(_conflict(error))
                except DBAPIError:
                    raise
                except Exception as error:
                    savepoint.rollback()
                    results.append(error)
            try:
                tx.commit()
            except DBAPIError as error:
                raise _Uncertain(error) from error
        return results


def insert_ignoring(tx: sa.Connection, table: sa.Table) -> sa.Insert:
    """An INSERT that leaves a row alone whose unique key is there already."""
    insert = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing()


class _Uncertain(Exception):
    """The commit itself failed: it may have happened."""

    def __init__(self, cause: DBAPIError) -> None:
        super().__init__()
        self.cause = cause


def _unavailable(error: DBAPIError) -> Unavailable:
    log.error("database-trouble", error=type(error.orig).__name__, text=str(error.orig).partition("\n")[0])
    return Unavailable("storage", "Storage is out of order for the moment. Please repeat the request.")


def _conflict(error: IntegrityError) -> Refusal:
    log.warning("integrity-conflict", text=str(error.orig).partition("\n")[0])
    return Unavailable("conflict", "Two requests met at the same thing. Please repeat the request.")


def _engine(url: str, *, size: int, begin: str) -> sa.Engine:
    # hide_parameters: an error's text reaches the log, a parameter may be a name or a PESEL.
    if not url.startswith("sqlite"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
        return sa.create_engine(url, pool_size=size, max_overflow=0, pool_pre_ping=size > 1, hide_parameters=True)
    engine = sa.create_engine(url, poolclass=QueuePool, pool_size=size, max_overflow=0, hide_parameters=True)
    if engine.url.database:
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)

    @sa.event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        # The driver's own transaction handling is switched off, so that BEGIN is ours.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
