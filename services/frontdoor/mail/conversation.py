"""One SMTP connection: aiosmtpd's engine, with lines, DATA, replies and ends of its own."""

import asyncio
import collections
import re
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP, Envelope

from services.frontdoor.mail import replies
from services.frontdoor.mail.data import IDLE_S, BareNewline, DataReader, Hold, patience_s

if TYPE_CHECKING:
    from services.frontdoor.mail.door import Door

MAX_LETTER_BYTES = 25 << 20  # advertised as SIZE (RFC 1870)
# A sender that ignores SIZE is listened to for so long before its line is cut.
MAX_STREAM_BYTES = 2 * MAX_LETTER_BYTES
MAX_ERRORS = 20
_LINGER_S = 2.0
_BLOCK_BYTES = 128 << 10
_LINE_BYTES = 32 << 10
# Commands of one connection, by name: a sending server may keep it for many letters, nobody needs much else.
_CALLS = {"MAIL": 100_000, "RCPT": 200_000, "DATA": 100_000, "RSET": 100_000, "EHLO": 100, "NOOP": 1000, "*": 20}
# What the engine's own parser takes a millisecond for: <local@domain>, dots and atoms only.
_PLAIN_PATH = re.compile(r"<([\w!#$%&'*+/=?^`{|}~.-]{1,256}@[A-Za-z0-9.-]{1,255})>(?: +(.*))?", re.ASCII)


class Lines(asyncio.StreamReader):
    """A stream whose command lines end in CRLF, and only so."""

    async def readuntil(self, separator: Any = b"\n") -> bytes:
        """The next line; BareNewline if a CR or LF in it stands alone."""
        line = await super().readuntil(separator)
        if not line.endswith(b"\r\n") or line.count(b"\r") > 1:
            raise BareNewline
        return line

    @property
    def waiting(self) -> bool:
        """Whether there are bytes that nobody has read yet."""
        return bool(self._buffer)  # type: ignore[attr-defined]

    def put_back(self, data: bytes) -> None:
        """Makes the bytes the next to be read."""
        self._buffer[:0] = data  # type: ignore[attr-defined]


class LetterEnvelope(Envelope):
    """What the sender's server said about one letter."""

    def __init__(self) -> None:
        super().__init__()
        self.declared_bytes = 0  # SIZE= of MAIL
        self.token = ""  # carried by a recipient's address
        self.units: dict[str, str] = {}  # recipient as it may be shown, by unit


class Conversation(SMTP):
    """Ends after a reply 421 or 521; every reply that should have an enhanced code has one (RFC 2034)."""

    line_length_limit = _LINE_BYTES
    command_size_limits: dict[str, int] = collections.defaultdict(lambda: 1024)  # noqa: RUF012 (as the engine has it)

    def __init__(self, door: "Door", loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            door,
            data_size_limit=MAX_LETTER_BYTES,
            enable_SMTPUTF8=True,
            hostname=door.domain,
            ident="ESMTP Zwrotka",
            timeout=IDLE_S,
            command_call_limit=_CALLS,
            loop=loop,
        )
        # The engine made a plain reader; this one replaces it before any connection is there.
        lines = Lines(limit=_LINE_BYTES, loop=loop)
        asyncio.StreamReaderProtocol.__init__(self, lines, client_connected_cb=self._cb_client_connected, loop=loop)
        self._door = door
        self._lines = lines
        self._errors = 0
        self._said_goodbye = False
        self.in_letter = False  # between DATA and its reply

    def __dir__(self) -> list[str]:
        """The commands alone: at each connection the engine looks through all names for them, for 0.1 ms of CPU."""
        return _COMMANDS

    def _create_envelope(self) -> LetterEnvelope:
        return LetterEnvelope()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._door.conversations.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._door.conversations.discard(self)
        super().connection_lost(error)

    async def _handle_client(self) -> None:
        if sentence := self._door.refusal_of_connection(self):
            await self.push(sentence)
        await super()._handle_client()

    def _timeout_cb(self) -> None:
        self.hang_up("421 4.4.2 Nothing was heard for too long. Please connect again.")

    def hang_up(self, reply: str) -> None:
        """Says why and closes, from outside the conversation."""
        if self.transport is not None and not self._said_goodbye:
            self._writer.write(reply.encode("ascii") + b"\r\n")
            self.transport.close()

    async def push(self, status: str | bytes) -> None:
        """Sends a reply. After 421 and 521 nothing more is read or said."""
        reply = replies.coded(status if isinstance(status, str) else status.decode("ascii", "replace"))
        if reply.startswith("5"):
            self._errors += 1
            if self._errors > MAX_ERRORS:
                reply = "421 4.7.0 Too many errors. Please have a look at what you send, and connect again later."
        try:
            await super().push(reply.encode("ascii", "replace"))
        except ConnectionError:
            raise asyncio.CancelledError from None
        if reply.startswith(("421", "521")):
            self._said_goodbye = True
            if reply.startswith("521"):
                await self._linger()
            self._writer.close()
            # The engine takes this for a lost connection; it must not go on with commands that already wait.
            raise asyncio.CancelledError

    async def _linger(self) -> None:
        """Hears the sender out for a moment: closing on unread bytes would reset the line and lose the reply."""
        if self._writer.can_write_eof():
            self._writer.write_eof()
        try:
            async with asyncio.timeout(_LINGER_S):
                while await self._lines.read(_BLOCK_BYTES):
                    pass
        except (TimeoutError, ConnectionError):
            return

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        if plain := _PLAIN_PATH.fullmatch(arg):
            return plain[1], plain[2] or ""
        address, rest = super()._getaddr(arg)
        return address, rest

    async def smtp_HELO(self, hostname: str) -> None:
        """The old greeting (RFC 5321 §4.1.1.1)."""
        await self._greet(hostname, [])

    async def smtp_EHLO(self, hostname: str) -> None:
        """The greeting that lists what is understood. The engine's own makes room for parameters without end."""
        await self._greet(hostname, [f"SIZE {MAX_LETTER_BYTES}", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "HELP"])

    async def _greet(self, hostname: str, extensions: list[str]) -> None:
        if not hostname:
            await self.push("501 Please say the name of your server.")
            return
        self._set_rset_state()  # type: ignore[no-untyped-call]
        assert self.session is not None
        self.session.extended_smtp = bool(extensions)
        self.session.host_name = hostname
        lines = [self.hostname, *extensions]
        reply = "\r\n".join(f"250-{line}" for line in lines[:-1]) + ("\r\n" if extensions else "") + f"250 {lines[-1]}"
        await super().push(reply)

    async def smtp_GET(self, _: str | None) -> None:
        """A browser's talk, not a mail server's: nothing that follows may be taken for commands."""
        await self.push("421 4.7.0 This is a mail server.")

    async def smtp_HELP(self, _: str | None) -> None:
        """What a person at the other end may want to know."""
        await self.push(
            "214 2.0.0 Registered letters to city hall. Write to your personal letter address, "
            "or put your trusted-profile token into the subject."
        )

    async def smtp_AUTH(self, _: str | None) -> None:
        """Whoever writes is known by the token, not by a password."""
        await self.push("502 5.5.1 There is nothing to log in to.")

    smtp_POST = smtp_PUT = smtp_CONNECT = smtp_HEAD = smtp_OPTIONS = smtp_GET

    async def smtp_DATA(self, arg: str | None) -> None:
        """Takes one letter and answers for it."""
        if await self.check_helo_needed():
            return
        envelope = self.envelope
        assert isinstance(envelope, LetterEnvelope)
        if not envelope.rcpt_tos:
            await self.push("503 Please say first whom the letter is for.")
        elif arg:
            await self.push("501 DATA takes nothing after it.")
        elif self._lines.waiting:
            await self.push("521 5.5.0 Text was sent before it was asked for. Nothing was kept.")
        else:
            self.in_letter = True
            try:
                await self._take_letter(envelope, Hold(self._door.budget))
            finally:
                self.in_letter = False
                self._set_post_data_state()  # type: ignore[no-untyped-call]
        if self._door.draining:
            await self.push(self._door.CLOSING)

    async def _take_letter(self, envelope: LetterEnvelope, hold: Hold) -> None:
        if not hold.grow_to(envelope.declared_bytes):
            await self.push(self._door.BUSY)
            return
        await self.push("354 Go ahead; end with <CR><LF>.<CR><LF>")
        try:
            content = await self._content(hold)
        except BaseException:
            hold.release()
            raise
        if content is None:
            hold.release()
            return
        # A task of its own: a sender that hangs up now must not stop a deposit half way, nor free its bytes early.
        answer = self.loop.create_task(self._door.answer_for(content, envelope, self.session))
        answer.add_done_callback(lambda _: hold.release())
        del content
        await self.push(await asyncio.shield(answer))

    async def _content(self, hold: Hold) -> bytes | None:
        """Reads to the end of data; None once the letter is refused and the reply sent."""
        reader = DataReader()
        reply = ""
        started_at = self.loop.time()
        rest: bytes | None = None
        while rest is None:
            self._reset_timeout(patience_s(reader.size, hold.bytes, self.loop.time() - started_at))
            block = await self._lines.read(_BLOCK_BYTES)
            if not block:
                raise asyncio.CancelledError
            rest = reader.feed(block)
            if reader.size > MAX_STREAM_BYTES:
                await self.push("521 5.3.4 The letter is far too large. Nothing was kept.")
            if reply:
                continue
            if reader.size > MAX_LETTER_BYTES:
                reply = f"552 5.3.4 The letter is larger than {MAX_LETTER_BYTES >> 20} MiB. Nothing was kept."
            elif not hold.grow_to(reader.size):
                reply = self._door.BUSY
            if reply:
                reader.forget()
                hold.release()
        self._reset_timeout()
        self._lines.put_back(rest)
        if reply:
            await self.push(reply)
            return None
        return reader.content()


_COMMANDS = [name for name in dir(Conversation) if name.startswith("smtp_")]
