"""The home: everything a house needs before its first process starts. Made again and again without harm."""

from pathlib import Path

from services.chassis import city as cities
from services.chassis.settings import Settings, SettingsError
from services.house import certificates, databases, keys, officers


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
    databases.prepare(settings)
    officers.enrol(settings)
