"""The home: everything a house needs before its first process starts. Made again and again without harm."""

from importlib import import_module
from pathlib import Path

from services.chassis import city as cities
from services.chassis.settings import Settings, SettingsError
from services.house import certificates, keys, officers, urls, versions
from services.house.files import write


def prepare(settings: Settings) -> None:
    """Makes what is missing: folders, secrets, tables, the demo officer. After a crash half way the next call
    completes it: each file is written whole, each database changes in one transaction."""
    home = settings.home_path
    try:
        for folder in ("data", "logs", "outgoing"):
            (home / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(home, error) from error
    make_secrets(settings)
    if not all(versions.is_newest(settings, service) for service in urls.SERVICES):
        # Imported only where there is something to do: SQLAlchemy and Alembic take longer than all else here.
        import_module("services.house.databases").prepare(settings)
    officers.enrol(settings)


def make_secrets(settings: Settings) -> None:
    """Makes certificates and keys, and on PostgreSQL each service's password and URL: all that processes on other
    machines must be given. What is there stays."""
    city = cities.load(Path(settings.profile))
    home = settings.home_path
    try:
        certificates.issue(home, city)
        keys.make(home, city)
        certificates.issue_seal(home, city)
        for service in urls.SERVICES if settings.database else ():
            keys.password(urls.password_file(settings, service))
            write(urls.url_file(settings, service), urls.service_url(settings, service).encode(), mode=0o600)
    except OSError as error:
        raise _unwritable(home, error) from error


def migrate(settings: Settings) -> None:
    """Brings every service's tables to the newest version, and on PostgreSQL its user to the password kept here."""
    try:
        import_module("services.house.databases").prepare(settings)
    except OSError as error:
        raise SettingsError(
            f"The tables were left as they are: {error.filename} cannot be used ({error.strerror}). "
            "`python -m services secrets` makes the passwords of the services' users; put them there."
        ) from error


def _unwritable(home: Path, error: OSError) -> SettingsError:
    return SettingsError(
        f"The home {home} cannot be written: {error.strerror}. Free it, or set ZWROTKA_HOME to another folder."
    )
