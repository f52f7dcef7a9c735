"""How a mail leaves: by a relay, or as a file where no relay is set."""

import asyncio
import itertools
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib
from zwrotka.mailbox.v1 import mailbox_pb2 as pb

from services.chassis.settings import SettingsError
from services.frontdoor.courier.compose import Mail
from services.frontdoor.texts.layout import one_line

CONNECTIONS = 8
COMMAND_S = 20.0
REPLY_SYMBOLS = 500


@dataclass(frozen=True)
class Outcome:
    """What became of a mail, in the carrier's own words."""

    result: pb.NoticeResult.ValueType
    reply: str
    relay: str = ""


class Carrier(Protocol):
    """Takes one mail, or says why not."""

    async def send(self, mail: Mail) -> Outcome:
        """Never raises for what the carrier said; an exception means that nobody knows what became of the mail."""


def carrier_of(relay: str, outgoing: Path) -> Carrier:
    """The carrier that the settings name."""
    return Relay(relay) if relay else Maildirs(outgoing)


class Maildirs:
    """A Maildir for each address: written to tmp, synced, then moved to new, so that a reader sees whole mails only.

    A file is named for its notice: told twice, it takes its own place again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()

    async def send(self, mail: Mail) -> Outcome:
        """Stores the mail."""
        await asyncio.to_thread(self._store, mail)
        return Outcome(pb.NOTICE_RESULT_SENT, "stored in the outgoing folder", "localhost")

    def _store(self, mail: Mail) -> None:
        # An address may hold a slash (RFC 5322 §3.2.3); a folder's name may not.
        box = self._folder / mail.recipient.replace("%", "%25").replace("/", "%2F")
        if not (box / "cur").exists():
            for name in ("tmp", "new", "cur"):
                (box / name).mkdir(parents=True, exist_ok=True)
        unfinished = box / "tmp" / f"{os.getpid()}.{next(self._numbers)}.eml"
        with unfinished.open("wb") as file:
            # A crash before the move leaves a file in tmp that nobody reads; the notice comes due again.
            file.write(mail.content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(box / "new" / f"{mail.notice_id}.eml")
        # A crash before the folder is synced may undo the move: so the notice is not settled before.
        folder = os.open(box / "new", os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Relay:
    """An SMTP relay with a few kept connections: 2,500 mails a second, against 960 with a new one for each."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port or (465 if parts.scheme == "smtps" else 25)
        except ValueError:
            port = 0
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or not port:
            raise SettingsError("ZWROTKA_RELAY must look like smtp://[user:password@]host:port.")
        self._host = parts.hostname
        self._port = port
        self._tls = parts.scheme == "smtps"
        self._user = unquote(parts.username or "") or None
        self._password = unquote(parts.password or "") or None
        self._idle: list[aiosmtplib.SMTP] = []
        self._free = asyncio.Semaphore(CONNECTIONS)

    async def send(self, mail: Mail) -> Outcome:
        """Hands the mail to the relay, on a kept connection if one is alive."""
        async with self._free:
            client = await self._connected()
            try:
                outcome = await self._talk(client, mail)
            except BaseException:
                client.close()
                raise
            self._idle.append(client)
            return outcome

    async def _connected(self) -> aiosmtplib.SMTP:
        while self._idle:
            client = self._idle.pop()
            try:
                # Relays close idle lines without a word; better to learn it before the mail than within.
                await client.rset()
            except (aiosmtplib.SMTPException, OSError):
                client.close()
                continue
            return client
        client = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            timeout=COMMAND_S,
            use_tls=self._tls,
            # A password is never said in clear or to a stranger; without one, TLS is taken where it is offered.
            start_tls=True if self._user and not self._tls else None,
            validate_certs=bool(self._user) or self._tls,
        )
        try:
            await client.connect()
        except BaseException:
            client.close()
            raise
        return client

    async def _talk(self, client: aiosmtplib.SMTP, mail: Mail) -> Outcome:
        options = [] if mail.recipient.isascii() else ["SMTPUTF8"]
        encoding = "ascii" if mail.recipient.isascii() else "utf-8"
        try:
            await client.mail("", options=options, encoding=encoding)
        except aiosmtplib.SMTPSenderRefused as error:
            # It is us that the relay does not want: no reason to give a resident up.
            return self._outcome(pb.NOTICE_RESULT_TEMPORARY_FAILURE, error.code, error.message)
        try:
            await client.rcpt(mail.recipient, encoding=encoding)
            said = await client.data(mail.content)
        except (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError) as error:
            return self._outcome(_result_of(error.code, error.message), error.code, error.message)
        return self._outcome(pb.NOTICE_RESULT_SENT, said.code, said.message)

    def _outcome(self, result: pb.NoticeResult.ValueType, code: int, message: str) -> Outcome:
        return Outcome(result, one_line(f"{code} {message}", REPLY_SYMBOLS), self._host)


def _result_of(code: int, message: str) -> pb.NoticeResult.ValueType:
    """5xx is for ever, but not where the enhanced code says that a box is full or that it is about us (RFC 3463)."""
    if code >= 500 and not re.match(r"5\.(2\.2|7\.\d)\b", message):
        return pb.NOTICE_RESULT_PERMANENT_FAILURE
    return pb.NOTICE_RESULT_TEMPORARY_FAILURE
