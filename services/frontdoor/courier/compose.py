"""A notice as a mail: what it says, and the headers that keep machines from answering it (RFC 3834)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import format_datetime

from zwrotka.identity.v1 import identity_pb2 as identity
from zwrotka.mailbox.v1 import mailbox_pb2 as mailbox

from services.chassis.city import City, Unit
from services.chassis.clock import WARSAW
from services.frontdoor.courier import mime
from services.frontdoor.texts import en, pl
from services.frontdoor.texts.layout import one_line
from services.frontdoor.texts.told import Accepted, Answered, Proof

_BELOW = f"\n\n\n{'=' * 24}\nEnglish\n{'=' * 24}\n\n"
_UNKNOWN = Unit("", "pismo", "Urząd", "City hall")


@dataclass(frozen=True)
class Mail:
    """A mail ready to be sent, with the null sender: nothing that a machine says to it can come back."""

    notice_id: str
    recipient: str
    content: bytes


def mail_of(notice: mailbox.Notice, contact: identity.Contact, city: City, now: datetime) -> Mail:
    """Words a notice. The same notice gives the same bytes but for Date; ValueError if it cannot be addressed."""
    is_answer = notice.kind == mailbox.NOTICE_KIND_ANSWER
    unit = unit_of(notice, city)
    subject, text = _answer(notice, unit, city) if is_answer else _receipt(notice, unit, city)
    enclosures = [mime.Enclosure(each.filename, each.content_type, each.content) for each in notice.attachments]
    proof = _proof(notice, city)
    enclosures += [
        mime.Enclosure(proof.xml, "application/xml", notice.receipt.xml),
        mime.Enclosure(proof.log_proof, "application/octet-stream", notice.receipt.tlog_proof),
    ]
    headers = [
        f"From: {mime.mailbox(city.office, f'zwrotka@{city.domain}')}\r\n",
        f"To: {mime.mailbox(contact.name, contact.email)}\r\n",
        # A reply goes to the unit's mailbox, where it is a letter if it carries the token; zwrotka@ takes none.
        f"Reply-To: {mime.mailbox(unit.name, f'{unit.mailbox}@{city.domain}')}\r\n",
        mime.header("Subject", subject),
        mime.header("Date", format_datetime(now.astimezone(WARSAW))),
        mime.header("Message-ID", f"<{notice.notice_id}@{city.domain}>"),
        "X-Auto-Response-Suppress: All\r\n",
    ]
    # RFC 3834 §5: a receipt answers a letter by itself. An answer is an officer's own text, and what is marked as
    # automatic lands in folders that nobody reads; the null sender already keeps machines from answering it.
    if not is_answer:
        headers.append("Auto-Submitted: auto-replied\r\n")
    boundary = "=_" + notice.notice_id.replace("-", "")
    return Mail(notice.notice_id, contact.email, mime.multipart(headers, text, enclosures, boundary))


def unit_of(notice: mailbox.Notice, city: City) -> Unit:
    """The unit that has the letter, or that wrote the answer."""
    is_answer = notice.kind == mailbox.NOTICE_KIND_ANSWER
    return city.units.get(notice.letter.sender_unit if is_answer else notice.letter.unit, _UNKNOWN)


def _receipt(notice: mailbox.Notice, unit: Unit, city: City) -> tuple[str, str]:
    told = accepted_of(notice, unit, city)
    subject = f"{told.number}: {pl.RECEIPT_SUBJECT} / {en.RECEIPT_SUBJECT}"
    return subject, _both(pl.receipt(told), en.receipt(told), city)


def _answer(notice: mailbox.Notice, unit: Unit, city: City) -> tuple[str, str]:
    told = answered_of(notice, unit, city)
    subject = f"{told.answers or told.number}: {pl.ANSWER_SUBJECT} / {en.ANSWER_SUBJECT}"
    return subject, _both(pl.answer(told), en.answer(told), city)


def accepted_of(notice: mailbox.Notice, unit: Unit, city: City) -> Accepted:
    """What a notice of a receipt tells."""
    letter = notice.letter
    return Accepted(
        number=letter.number,
        at=_warsaw(letter),
        channel=letter.channel,
        unit=unit,
        matter={name: str(value) for name, value in city.matters.get(letter.matter, {}).items()},
        subject=one_line(letter.subject),
        enclosures=tuple(one_line(each, 80) for each in notice.enclosures),
        due_on=date.fromisoformat(letter.due_on) if letter.due_on else None,
        rule=letter.term_rule,
        proof=_proof(notice, city),
    )


def answered_of(notice: mailbox.Notice, unit: Unit, city: City) -> Answered:
    """What a notice of an answer tells."""
    letter = notice.letter
    return Answered(
        number=letter.number,
        answers=letter.answers,
        at=_warsaw(letter),
        unit=unit,
        subject=one_line(letter.subject),
        text=notice.text,
        enclosures=tuple(one_line(each.filename, 80) for each in notice.attachments if each.filename),
        proof=_proof(notice, city),
    )


def _both(polish: str, english: str, city: City) -> str:
    return f"{polish}\n\n{city.office}\n{_BELOW}{english}\n\n{city.office}\n"


def _proof(notice: mailbox.Notice, city: City) -> Proof:
    stem = f"dowod-{notice.receipt.evidence_id}"
    host = city.log_origin.partition("/")[0]
    return Proof(f"{stem}.xml", f"{stem}.tlog-proof", f"https://{host}/sprawdz")


def _warsaw(letter: mailbox.Letter) -> datetime:
    return letter.accepted_at.ToDatetime(tzinfo=UTC).astimezone(WARSAW)
