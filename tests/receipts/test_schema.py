"""The migrations make the tables the code works on."""

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services.receipts import schema
from tests.receipts.conftest import admin


def test_the_migrations_give_the_tables_of_the_schema(admin_url: str) -> None:
    engine = admin(admin_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        columns = {name: {each["name"] for each in sa.inspect(connection).get_columns(name)} for name in TABLES}
    engine.dispose()
    assert columns == {name: set(table.columns.keys()) for name, table in TABLES.items()}


TABLES = schema.metadata.tables
