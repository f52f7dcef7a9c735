"""Which version a service's tables have, told without SQLAlchemy: most starts find nothing to migrate."""

import sqlite3
from contextlib import closing
from pathlib import Path

from services.chassis.settings import Settings


def is_newest(settings: Settings, service: str) -> bool:
    """Whether the service's SQLite file has the newest version; False on PostgreSQL, where rights are set each time.

    A migration's file is called by its revision: 0001_letters.py has revision "0001".
    """
    path = settings.home_path / "data" / f"{service}.sqlite3"
    if settings.database or not path.exists():
        return False
    migrations = Path(__file__).parent.parent / service / "migrations"
    newest = max(each.name.partition("_")[0] for each in migrations.glob("[0-9]*.py"))
    with closing(sqlite3.connect(path)) as database:
        try:
            return database.execute("SELECT version_num FROM alembic_version").fetchall() == [(newest,)]
        except sqlite3.OperationalError:  # no such table: a file that nothing was kept in yet
            return False
