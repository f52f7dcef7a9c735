"""A played relay: takes mails, or answers as it was told to."""

from collections import deque
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from tests.ports import free_port


class Taken(NamedTuple):
    """A mail that the relay took."""

    sender: str
    recipient: str
    message: EmailMessage


class PlayedRelay:
    """Replies put into `to_rcpt` and `to_data` are given once each, in order; after them it takes everything."""

    def __init__(self) -> None:
        self.port = free_port()
        self.taken: list[Taken] = []
        self.to_rcpt: deque[str] = deque()
        self.to_data: deque[str] = deque()
        self.connections = 0

    @property
    def url(self) -> str:
        """For ZWROTKA_RELAY."""
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listens."""
        relay = self

        class Counting(Controller):
            def factory(self) -> SMTP:
                relay.connections += 1
                return SMTP(self.handler, enable_SMTPUTF8=True)

        self._controller = Counting(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()
        self.connections = 0  # the controller has tried it once itself

    def stop(self) -> None:
        """Closes, kept connections too."""
        self._controller.stop()

    async def handle_RCPT(self, _: Any, __: Any, envelope: Any, address: str, ___: Any) -> str:  # noqa: N802
        """The engine's hook."""
        if self.to_rcpt:
            return self.to_rcpt.popleft()
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: N802
        """The engine's hook."""
        if self.to_data:
            return self.to_data.popleft()
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.taken.append(Taken(envelope.mail_from, envelope.rcpt_tos[0], message))
        return f"250 2.0.0 Ok: queued as {len(self.taken)}"
