"""A service's database as it stands at one moment, for reading only."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from services.chassis.settings import Settings
from services.house import urls

Row = sa.Row[Any]


@contextmanager
def snapshot(settings: Settings, service: str) -> Iterator[sa.Connection]:
    """A transaction in which every query sees the same moment."""
    if settings.database:
        url = urls.administrator_url(settings, service).replace("postgresql://", "postgresql+psycopg://", 1)
        engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="REPEATABLE READ")
    else:
        engine = sa.create_engine(settings.database_of(service), poolclass=sa.NullPool)
    with engine.connect() as tx:
        if tx.dialect.name == "sqlite":
            tx.exec_driver_sql("BEGIN")
        yield tx


def rows(tx: sa.Connection, query: str) -> Iterator[Row]:
    """The rows of a query, fetched as they are needed: a home may hold a great many letters."""
    yield from tx.execution_options(yield_per=200).execute(sa.text(query))
