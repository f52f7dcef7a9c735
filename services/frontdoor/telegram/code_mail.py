"""Mails the code that links a chat to the address registered with the profile."""

import asyncio
import uuid
from email.utils import format_datetime

import structlog
from zwrotka.mailbox.v1 import mailbox_pb2 as pb

from services.chassis import clock
from services.chassis.city import City
from services.frontdoor.courier import mime
from services.frontdoor.courier.carriers import Carrier
from services.frontdoor.courier.compose import Mail
from services.frontdoor.texts import chat as texts

log = structlog.get_logger()
_PAUSES_S = (0.0, 2.0, 5.0)


class CodeMail:
    """Sends codes by the city's carrier, at once: a code that waits in a queue is out of date."""

    def __init__(self, carrier: Carrier, city: City) -> None:
        self._carrier = carrier
        self._city = city

    async def send(self, email: str, code: str) -> None:
        """Sends a code. Where it cannot be sent nobody is told: who asked must not learn that the address is known."""
        mail = self._mail(email, code)
        for pause_s in _PAUSES_S:
            await asyncio.sleep(pause_s)
            try:
                outcome = await self._carrier.send(mail)
            except Exception as error:
                # Its text may hold the address.
                log.warning("code-not-sent", error=type(error).__name__)
                continue
            if outcome.result != pb.NOTICE_RESULT_TEMPORARY_FAILURE:
                log.info("code-sent" if outcome.result == pb.NOTICE_RESULT_SENT else "code-refused")
                return
        log.error("code-given-up")

    def _mail(self, email: str, code: str) -> Mail:
        name = str(uuid.uuid4())
        headers = [
            f"From: {mime.mailbox(self._city.office, f'zwrotka@{self._city.domain}')}\r\n",
            f"To: {mime.mailbox('', email)}\r\n",
            mime.header("Subject", texts.code_subject(self._city)),
            mime.header("Date", format_datetime(clock.now().astimezone(clock.WARSAW))),
            mime.header("Message-ID", f"<{name}@{self._city.domain}>"),
            "Auto-Submitted: auto-generated\r\n",
            "X-Auto-Response-Suppress: All\r\n",
        ]
        content = mime.multipart(headers, texts.code_body(code), [], "=_" + name.replace("-", ""))
        return Mail(name, email, content)
