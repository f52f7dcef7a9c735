"""The last step of a start: waits for every health check, admits the demo resident, drafts ready.json."""

import json
from pathlib import Path

from services.chassis import city as cities
from services.chassis.errors import Refusal
from services.chassis.settings import Settings, SettingsError
from services.house import health, officers, resident
from services.house.files import write
from services.house.voice import say

_TIMEOUT_S = 60.0


def open_house(settings: Settings) -> None:
    """Ends when every health check answers and a draft of ready.json lies in the home, to be published."""
    try:
        for role, took_s in health.wait(settings, timeout_s=_TIMEOUT_S):
            say(f"  {role:<9} ready  {took_s:4.1f} s")
    except TimeoutError as error:
        logs = settings.home_path / "logs"
        raise SettingsError(f"No answer within {_TIMEOUT_S:g} s from: {error}. Their logs lie in {logs}.") from error
    try:
        write_ready(settings, settings.home_path / "ready.json.draft")
    except Refusal as error:
        raise SettingsError(f"The demo resident could not be admitted. {error.sentence} ({error.reason})") from error


def write_ready(settings: Settings, path: Path) -> None:
    """Writes the contract for tools, in one piece: who can read it finds a house that answers."""
    city = cities.load(Path(settings.profile))
    home = settings.home_path
    host = "127.0.0.1" if settings.listen == "0.0.0.0" else settings.listen
    units = home / "certificates" / "units"
    ready = {
        "smtp": f"{host}:{settings.smtp_port}",
        "identity": settings.address_of("identity"),
        "mailbox": settings.address_of("mailbox"),
        "receipts": settings.address_of("receipts"),
        "web": f"http://{host}:{settings.web_port}",
        "ca": str(home / "certificates" / "ca.pem"),
        "log_key": (home / "keys" / "log.vkey").read_text(encoding="utf-8").strip(),
        "outgoing": str(home / "outgoing"),
        "resident": resident.demo(settings),
        "units": {
            code: {
                "address": f"{unit.mailbox}@{city.domain}",
                "certificate": str(units / f"{code}.pem"),
                "key": str(units / f"{code}.key"),
            }
            for code, unit in city.units.items()
        },
        "officer": {"login": officers.LOGIN, "password": officers.password(settings)},
    }
    content = json.dumps(ready, ensure_ascii=False, indent=2)
    write(path, f"{content}\n".encode(), mode=0o600)
