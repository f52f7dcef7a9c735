"""The home: everything a house needs before its first process starts. Made again and again without harm."""

from importlib import import_module
from pathlib import Path

from services.chassis import city as cities
from services.chassis.settings import Settings, SettingsError
from services.house import certificates, keys, officers, urls, versions


def prepare(settings: Settings) -> None:
    """Makes what is missing: folders, certificates, keys, tables, the demo officer. After a crash half way the next
    call completes it: each file is written whole, each database changes in one transaction."""
    city = cities.load(Path(settings.profile))
    home = settings.home_path
    try:
        for folder in ("data", "logs", "outgoing"):
            (home / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        certificates.issue(home, city)
        keys.make(home, city)
        certificates.issue_seal(home, city)
    except OSError as error:
        raise SettingsError(
            f"The home {home} cannot be written: {error.strerror}. Free it, or set ZWROTKA_HOME to another folder."
        ) from error
    if not all(versions.is_newest(settings, service) for service in urls.SERVICES):
        # Imported only where there is something to do: SQLAlchemy and Alembic take longer than all else here.
        import_module("services.house.databases").prepare(settings)
    officers.enrol(settings)
