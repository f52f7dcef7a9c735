"""The services' databases: a SQLite file each, or a schema and a user each in one PostgreSQL database."""

import sqlalchemy as sa

from services.chassis import migrate
from services.chassis.database import Database
from services.chassis.settings import Settings, SettingsError
from services.house import keys, urls

_RIGHTS = {
    "identity": "SELECT, INSERT, UPDATE, DELETE",
    "mailbox": "SELECT, INSERT, UPDATE, DELETE",
    "receipts": "SELECT, INSERT",  # what is attested can be added to, never altered
}


def prepare(settings: Settings) -> None:
    """Brings every service's tables to the newest version; on PostgreSQL makes its schema and user first."""
    for service in urls.SERVICES:
        if settings.database:
            _prepare_schema(settings, service)
        else:
            _prepare_file(settings, service)


def _prepare_file(settings: Settings, service: str) -> None:
    database = Database(settings.database_of(service))
    try:
        # One transaction: a crash in it leaves the tables as they were.
        database.write(lambda tx: migrate.upgrade(service, tx))
    finally:
        database.close()


def _prepare_schema(settings: Settings, service: str) -> None:
    url = urls.administrator_url(settings, service).replace("postgresql://", "postgresql+psycopg://", 1)
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"connect_timeout": 5})
    user = urls.user_of(settings, service)
    password = keys.password(urls.password_file(settings, service))
    try:
        # One transaction: a crash in it leaves user, schema and tables as they were.
        with engine.begin() as tx:
            _say(tx, f'CREATE SCHEMA IF NOT EXISTS "{service}"')
            known = tx.scalar(sa.text("SELECT count(*) FROM pg_roles WHERE rolname = :user"), {"user": user})
            _say(tx, f"{'ALTER' if known else 'CREATE'} ROLE \"{user}\" LOGIN PASSWORD '{password}'")
            _say(tx, f'GRANT USAGE ON SCHEMA "{service}" TO "{user}"')
            migrate.upgrade(service, tx)
            _say(tx, f'GRANT {_RIGHTS[service]} ON ALL TABLES IN SCHEMA "{service}" TO "{user}"')
            _say(tx, f'GRANT USAGE ON ALL SEQUENCES IN SCHEMA "{service}" TO "{user}"')
    except sa.exc.DBAPIError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        raise SettingsError(f"The database of ZWROTKA_DATABASE cannot be prepared for {service}: {reason}.") from error
    finally:
        engine.dispose()


def _say(tx: sa.Connection, statement: str) -> None:
    tx.exec_driver_sql(statement)
