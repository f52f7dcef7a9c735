"""What a newcomer sees when the house is ready: where to write, as whom, what to try."""

import json
from pathlib import Path

from services.chassis import city as cities
from services.chassis.settings import Settings


def text(settings: Settings) -> str:
    """The panel of an open house."""
    ready = json.loads((settings.home_path / "ready.json").read_text(encoding="utf-8"))
    city = cities.load(Path(settings.profile))
    resident = ready["resident"]
    outgoing = "goes to the relay" if settings.relay else f"{ready['outgoing']}/{resident['email']}/new/"
    telegram = "open" if settings.telegram_token else "closed; set ZWROTKA_TELEGRAM_TOKEN to a bot's token to open it"
    rows = [
        ("Write to", f"{resident['letter_address']}"),
        ("", f"by SMTP at {ready['smtp']}, as {resident['name']} <{resident['email']}>"),
        ("Mail out", outgoing),
        ("Web", f"{ready['web']}  (what it is, the public log, /sprawdz checks a receipt)"),
        ("Telegram", telegram),
        ("Units", ", ".join(f"{code} {unit.name_en}" for code, unit in city.units.items())),
        ("Officer", f"{ready['officer']['login']}, password in {settings.home_path / 'officer-password'}"),
        ("Home", f"{settings.home_path}  (ready.json tells tools all of this; logs/ tells the rest)"),
    ]
    tries = [
        ("make letter", "sends a letter, waits for its receipt, verifies it offline"),
        (".venv/bin/zwrotka inbox", "what the unit got"),
        ("make books", "re-reads every letter, receipt and the whole log"),
        ("make help", "everything else, and all settings"),
    ]
    lines = [f"  {name:<9} {value}" for name, value in rows]
    lines += ["", "  Try next, in a second terminal:", *(f"    {command:<25} {what}" for command, what in tries)]
    rule = "\u2500" * 78
    return "\n".join([rule, f"  Zwrotka is ready: {city.office}", "", *lines, "", "  Ctrl-C stops it.", rule])
