"""A played mail relay on loopback: takes, defers, is away, and remembers what it was told."""

import asyncio
import threading
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.house import until
from tests.ports import free_port


class Relay:
    """An SMTP server that can be started and stopped; `messages` and `recipients` in order of arrival."""

    def __init__(self) -> None:
        self.port = free_port()
        self.messages: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.deferring = False
        self.deferred = 0
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.AbstractServer | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """aiosmtpd's hook."""
        if self.deferring:
            self.deferred += 1
            return "451 4.7.1 Greylisted, try again later"
        assert isinstance(envelope.content, bytes)
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients.extend(envelope.rcpt_tos)
        return "250 2.0.0 Taken"

    def start(self) -> None:
        """Listens from now on."""

        async def listen() -> None:
            self._server = await self._loop.create_server(
                lambda: SMTP(self, hostname="relay.example", enable_SMTPUTF8=True, loop=self._loop),
                "127.0.0.1",
                self.port,
            )

        asyncio.run_coroutine_threadsafe(listen(), self._loop).result(5)

    def close(self) -> None:
        """Stops listening."""

        async def close() -> None:
            if self._server:
                self._server.close()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)

    def wait(self, reached: Callable[[], bool], timeout_s: float = 30) -> None:
        """Waits for what the house is expected to do."""
        until(lambda: reached() or None, timeout_s=timeout_s)
