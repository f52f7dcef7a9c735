"""`make letter`: writes to the running house as its demo resident, waits for the receipt and verifies it offline."""

import json
import mimetypes
import re
import smtplib
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, localtime, make_msgid
from pathlib import Path
from typing import Any

from zwrotka_client.check_command import as_text
from zwrotka_client.verify import verify_receipt

from services.chassis.settings import Settings, SettingsError

_SUBJECT = "Latarnia przy ul. Przykładowej 7"
_TEXT = "Dzień dobry,\n\nlatarnia przy ul. Przykładowej 7 nie świeci od tygodnia. Proszę o naprawę.\n\n"
_NUMBER = re.compile(r"ZW(-[2-9A-HJKMNP-Z]{4}){3}")
_PATIENCE_S = 60.0


def send(settings: Settings, *, text: str, file: Path | None) -> int:
    """Sends one letter and shows what becomes of it; the exit code."""
    ready = _ready(settings)
    resident = ready["resident"]
    message = compose(resident, text or f"{_TEXT}{resident['name']}\n", file)
    print(f"From     {resident['name']} <{resident['email']}>\nTo       {resident['letter_address']}")
    code, answer = _hand_in(ready["smtp"], message, resident)
    print(f"Answer   {code} {answer}")
    number = _NUMBER.search(answer)
    if code != 250 or not number:
        print("The letter was not accepted; the answer says why.")
        return 1
    if settings.relay:
        print("The receipt goes to the relay: look for it in the resident's mailbox, then: zwrotka verify FILE...")
        return 0
    print("Receipt  waiting for the mail ...", flush=True)
    return _check(ready, number[0], Path(ready["outgoing"]) / resident["email"] / "new")


def compose(resident: dict[str, str], text: str, file: Path | None) -> EmailMessage:
    """The resident's mail."""
    message = EmailMessage()
    message["From"] = formataddr((resident["name"], resident["email"]))
    message["To"] = resident["letter_address"]
    message["Subject"] = _SUBJECT if text.startswith(_TEXT) else (text.split("\n")[0][:60] or "Pismo")
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = make_msgid(domain=resident["email"].partition("@")[2])
    message.set_content(text)
    if file:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise SettingsError(f"FILE={file} cannot be read: {error.strerror}. Nothing was sent.") from error
        main, _, sub = (mimetypes.guess_type(file.name)[0] or "application/octet-stream").partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=file.name)
    return message


def _ready(settings: Settings) -> dict[str, Any]:
    path = settings.home_path / "ready.json"
    try:
        ready: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(
            f"No house is ready: there is no {path}. Start one in another terminal: make run"
        ) from error
    return ready


def _hand_in(smtp: str, message: EmailMessage, resident: dict[str, str]) -> tuple[int, str]:
    host, _, port = smtp.rpartition(":")
    try:
        with smtplib.SMTP(host, int(port), timeout=60) as door:
            door.ehlo()
            for code, answer in (door.mail(resident["email"]), door.rcpt(resident["letter_address"])):
                if code >= 400:
                    return code, answer.decode()
            code, answer = door.data(message.as_bytes(policy=policy.SMTP))
    except OSError as error:
        raise SettingsError(f"The mail door at {smtp} does not answer: {error}. Is the house running?") from error
    return code, answer.decode()


def _check(ready: dict[str, Any], number: str, folder: Path) -> int:
    started_at = time.monotonic()
    while not (found := next(_mails_about(number, folder), None)):
        if time.monotonic() - started_at > _PATIENCE_S:
            print(f"No receipt came to {folder} within {_PATIENCE_S:g} s. The letter is safe; see logs/courier.log.")
            return 1
        time.sleep(0.1)
    path, mail = found
    print(f"         {path}\n         {mail['Subject']}\n")
    files = {part.get_filename() or "": bytes(part.get_payload(decode=True)) for part in mail.iter_attachments()}
    name = next((each for each in files if each.startswith("dowod-") and each.endswith(".xml")), "")
    if not name:
        print("The mail has no receipt in it.")
        return 1
    verdict = verify_receipt(
        files[name],
        files.get(name.removesuffix(".xml") + ".tlog-proof"),
        ca_pem=Path(ready["ca"]).read_bytes(),
        log_key=ready["log_key"],
    )
    print(as_text(name, verdict))
    if verdict.facts and verdict.facts.letter != number:
        print(f"But it is the receipt of {verdict.facts.letter}, not of {number}.")
        return 1
    return 0 if verdict.passed else 1


def _mails_about(number: str, folder: Path) -> Iterator[tuple[Path, EmailMessage]]:
    for path in folder.glob("*"):
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        if number in str(mail["Subject"]):
            yield path, mail
