"""A city unit at its mailbox: its certificate says who it is."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc
from google.protobuf.message import Message
from zwrotka.mailbox.v1 import mailbox_pb2, mailbox_pb2_grpc

from zwrotka_client import message
from zwrotka_client.certificate import unit_named_in
from zwrotka_client.channel import CALL_S, Answer, Channel, log, pauses, persistently
from zwrotka_client.errors import Unavailable, refusal_from, unpacked
from zwrotka_client.letters import (
    Acceptance,
    Letter,
    Receipt,
    WholeLetter,
    acceptance_of,
    letter_of,
    receipt_of,
    whole_letter_of,
)
from zwrotka_client.message import Attachment
from zwrotka_client.ready import Ready

WATCH_S = 600.0
_CALM_AFTER_S = 5.0


class Unit:
    """Sends, watches, takes and answers letters as one unit.

    Every call has a deadline, may be repeated, and is repeated for `patience_s` while the mailbox is
    Unavailable. Failures are raised as `errors.Refusal`. May be used by many threads; not across a fork.
    """

    def __init__(
        self,
        address: str,
        *,
        certificate: str | Path,
        key: str | Path | None = None,
        ca: str | Path | None = None,
        patience_s: float = 30.0,
    ) -> None:
        """`address` is the mailbox's "host:port"; the files are PEM, `key` and `ca` default to the .key and ca.pem
        beside the certificate. OSError for a file that cannot be read, ValueError for a certificate of no unit
        or one that has ended."""
        certificate = Path(certificate)
        self.code, self.domain = unit_named_in(certificate)
        self.patience_s = patience_s
        self._closed = threading.Event()
        self._channel = Channel(address, certificate, Path(key) if key else None, Path(ca) if ca else None)
        self._stub = mailbox_pb2_grpc.MailboxServiceStub(self._channel.grpc)

    @classmethod
    def from_ready(cls, path: str | Path, code: str) -> Self:
        """The unit `code` of a running house, by its ready.json."""
        ready = Ready.read(Path(path))
        paths = ready.unit(code)
        return cls(ready.mailbox, certificate=paths.certificate, key=paths.key, ca=ready.ca)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the channel; whoever watches comes to the end."""
        self._closed.set()
        self._channel.close()

    def send(
        self,
        to_unit: str,
        text: str,
        *,
        subject: str = "",
        attachments: Sequence[str | Path | Attachment] = (),
        key: str = "",
    ) -> Acceptance:
        """Sends a letter to another unit. The same `key` with the same letter is one letter, however often sent;
        left empty, one is made (Acceptance.key). An empty subject becomes the text's first line."""
        key = key or message.new_key()
        content = self._compose(self._address_of(to_unit), subject, text, attachments, key)
        return self._deposit(mailbox_pb2.Deposit(unit=to_unit, channel="grpc", content=content, key=key))

    def answer(
        self,
        number: str,
        text: str,
        *,
        subject: str = "",
        attachments: Sequence[str | Path | Attachment] = (),
        key: str = "",
    ) -> Acceptance:
        """Answers a letter that this unit holds; the answer goes to its sender. `key` as in `send`."""
        key = key or message.new_key()
        # The addressee's name and address stay with the city: the header names the letter, as an empty group
        # (RFC 5322 §3.4).
        content = self._compose(f"{number}:;", subject or f"Odpowiedź na pismo {number}", text, attachments, key)
        return self._deposit(mailbox_pb2.Deposit(answers=number, channel="grpc", content=content, key=key))

    def inbox(self, after: int = 0) -> Iterator[Letter]:
        """The letters that came to the unit, oldest first, after a cursor; fetched page by page."""
        while True:
            request = mailbox_pb2.ListLettersRequest(after=after, limit=200)
            page = self._call(self._stub.ListLetters, request)
            yield from map(letter_of, page.letters)
            if not page.letters:
                return
            after = page.next_after

    def watch(self, after: int = 0) -> Iterator[Letter]:
        """Each letter that comes to the unit, after a cursor, at least once, until the unit is closed.

        Keep the cursor of the last letter you have dealt with and start from it next time. Waits out an
        unavailable mailbox however long; any other Refusal is raised.
        """
        waits, is_told = pauses(), False
        while not self._closed.is_set():
            started_at, is_away = time.monotonic(), False
            request = mailbox_pb2.WatchLettersRequest(after=after)
            try:
                stream = self._stub.WatchLetters(request, timeout=WATCH_S)
            except ValueError:  # closed since the question above
                return
            try:
                for each in stream:
                    yield letter_of(each.letter)
                    after = each.letter.cursor
            except grpc.RpcError as error:
                refusal = refusal_from(error, self._channel.address)
                if not isinstance(refusal, Unavailable):
                    raise refusal from error
                is_away = refusal.reason != "no-answer-in-time"  # which is how a stream ends by its own deadline
            finally:
                stream.cancel()
            if time.monotonic() - started_at > _CALM_AFTER_S:
                waits, is_told = pauses(), False
            if is_away and not is_told:
                log.info("the mailbox does not answer; waiting for it")
                is_told = True
            self._closed.wait(next(waits))

    def take(self, number: str) -> Letter:
        """Acknowledges that the unit has the letter. Repeating it changes nothing."""
        return letter_of(self._call(self._stub.TakeLetter, mailbox_pb2.TakeLetterRequest(number=number)).letter)

    def letter(self, number: str) -> WholeLetter:
        """A letter with its content, for the unit that holds it or sent it."""
        return whole_letter_of(self._call(self._stub.GetLetter, mailbox_pb2.GetLetterRequest(number=number)))

    def receipts(self, number: str) -> list[Receipt]:
        """All evidence of a letter, in order of events; what is still to be made is left out."""
        answer = self._call(self._stub.GetReceipts, mailbox_pb2.GetReceiptsRequest(number=number))
        return [receipt_of(each) for each in answer.receipts]

    def _call(self, method: Callable[..., Answer], request: Message) -> Answer:
        return persistently(
            lambda left_s: self._channel.call(method, request, timeout_s=min(CALL_S, left_s)), self.patience_s
        )

    def _deposit(self, deposit: mailbox_pb2.Deposit) -> Acceptance:
        request = mailbox_pb2.DepositLettersRequest(deposits=[deposit])

        def attempt(left_s: float) -> Acceptance:
            answer = self._channel.call(self._stub.DepositLetters, request, timeout_s=left_s)
            outcome = answer.outcomes[0]
            if outcome.WhichOneof("outcome") != "acceptance":
                raise unpacked(outcome.error)
            return acceptance_of(outcome.acceptance, deposit.key)

        return persistently(attempt, self.patience_s)

    def _compose(
        self, recipient: str, subject: str, text: str, attachments: Sequence[str | Path | Attachment], key: str
    ) -> bytes:
        files = [each if isinstance(each, Attachment) else Attachment.from_file(Path(each)) for each in attachments]
        return message.compose(
            sender=self._address_of(self.code),
            recipient=recipient,
            domain=self.domain,
            subject=subject,
            text=text,
            attachments=files,
            key=key,
        )

    def _address_of(self, code: str) -> str:
        return f"{code} <{code}@{self.domain}>"
