"""The tables that the migrations make are those that the code names."""

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services.identity import personal, schema
from services.identity.profiles import Person
from tests.identity.hall import Hall


def test_the_migrations_make_exactly_the_tables_in_the_schema(hall: Hall) -> None:
    def differences(tx: sa.Connection) -> object:
        return compare_metadata(MigrationContext.configure(tx), schema.metadata)

    assert hall.database.read(differences) == []


def test_what_is_kept_of_a_person_is_read_back_whole(hall: Hall) -> None:
    profile_id, _ = hall.admit()
    query = sa.select(schema.profiles).where(schema.profiles.c.id == profile_id)
    person = hall.database.read(lambda tx: personal.person_of(tx.execute(query).one()))
    assert person == Person("Jan Żegota", "Nowak-Gżegżółka", "85123177752", "Jan.Nowak@poczta.example", "", "ABS123456")


def test_neither_tokens_nor_sessions_nor_codes_stand_in_the_database(hall: Hall) -> None:
    _, token = hall.admit()

    def everything(tx: sa.Connection) -> str:
        return "".join(repr(row) for table in schema.metadata.sorted_tables for row in tx.execute(sa.select(table)))

    kept = hall.database.read(everything)
    assert "profile-confirmed" in kept
    for secret in (token, token.replace("-", ""), token.lower(), hall.session):
        assert secret not in kept
