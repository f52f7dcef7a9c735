"""The demo officer: enrolled once, with a password that is made here and kept in the home."""

import os
import subprocess
import sys

from services.chassis.settings import PREFIX, Settings, SettingsError
from services.house import keys, urls

LOGIN = "urzednik"


def enrol(settings: Settings) -> None:
    """Gives the officer to identity, by its own command. The demo resident is kept in an officer's session: where he
    stands, the officer is known. A crash before that repeats the command, which takes the same password again."""
    if (settings.home_path / "demo.json").exists():
        return
    environment = {name: value for name, value in os.environ.items() if not name.startswith(f"{PREFIX}DATABASE")}
    if settings.database:
        environment[f"{PREFIX}DATABASE"] = urls.service_url(settings, "identity")
    command = [sys.executable, "-m", "services.identity", "add-officer", LOGIN]
    ended = subprocess.run(
        command, input=f"{password(settings)}\n", env=environment, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        reason = (ended.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise SettingsError(f"The demo officer could not be enrolled: {reason}")


def password(settings: Settings) -> str:
    """The officer's password."""
    return keys.password(settings.home_path / "officer-password")
