"""A database for receipts alone: SQLite, and PostgreSQL as a user who may only read and add."""

import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.chassis import migrate
from tests.postgres import Postgres


@pytest.fixture
def admin_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database, as who may do anything in it."""
    if database == "sqlite":
        url = f"sqlite:///{tmp_path}/receipts.sqlite3"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.new_database(f"receipts_{uuid.uuid4().hex}")
    engine = admin(url)
    with engine.begin() as tx:
        migrate.upgrade("receipts", tx)
    engine.dispose()
    return url


@pytest.fixture
def url(admin_url: str) -> str:
    """The same database, as the service's own user."""
    if admin_url.startswith("sqlite"):
        return admin_url
    role = f"r{uuid.uuid4().hex}"
    engine = admin(admin_url)
    with engine.begin() as tx:
        tx.exec_driver_sql(f"CREATE ROLE {role} LOGIN PASSWORD 'trusted'")
        tx.exec_driver_sql(f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO {role}")
    engine.dispose()
    return admin_url.replace("postgres:trusted@", f"{role}:trusted@")


def admin(url: str) -> sa.Engine:
    """An engine on a database, to prepare or to damage it."""
    return sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)
