"""The demo officer: enrolled once, with a password that is made here and kept in the home."""

from services.chassis.settings import Settings
from services.house import keys

LOGIN = "urzednik"


def enrol(settings: Settings) -> None:
    """Adds the officer to identity's store, or sets the password to the one kept in the home."""


def password(settings: Settings) -> str:
    """The officer's password."""
    return keys.password(settings.home_path / "officer-password")
