"""Brings a service's tables to the newest version: Alembic, one line of versions per service."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config


def upgrade(service: str, connection: sa.Connection) -> None:
    """Runs the service's migrations that are still missing, in the connection's transaction."""
    services = Path(__file__).parent.parent
    config = Config()
    config.set_main_option("script_location", str(services / "chassis" / "alembic"))
    config.set_main_option("version_locations", str(services / service / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
