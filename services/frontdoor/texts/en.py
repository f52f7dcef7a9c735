"""English."""

from datetime import date, datetime

from services.frontdoor.texts.layout import paragraph, rows
from services.frontdoor.texts.told import Accepted, Answered, Proof

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_CHANNELS = {"smtp": "e-mail", "telegram": "Telegram", "grpc": "a city unit's own system"}


def day(on: date) -> str:
    """For example "Wednesday, 25 November 2026"."""
    return f"{_DAYS[on.weekday()]}, {on.day} {_MONTHS[on.month - 1]} {on.year}"


def moment(at: datetime) -> str:
    """For example "Wednesday, 25 November 2026, 18:24 Polish time"."""
    return f"{day(at)}, {at:%H:%M} Polish time"


RECEIPT_SUBJECT = "letter accepted"
ANSWER_SUBJECT = "answer from city hall"


def receipt(told: Accepted) -> str:
    """The mail that carries a receipt."""
    term = f"{day(told.due_on)} ({told.rule})" if told.due_on else ""
    facts = rows(
        [
            ("Letter number", told.number),
            ("Came in", moment(told.at)),
            ("Sent by", _CHANNELS.get(told.channel, told.channel)),
            ("Subject", told.subject),
            ("Enclosed", ", ".join(told.enclosures)),
            ("Kind", told.matter.get("name_en", "")),
            ("Now with", told.unit.name_en),
            ("Answer due by", term),
        ]
    )
    next_ = (
        """The answer will come to this address by that day at the latest. An office that needs longer must tell you
        why and name a new date (art. 36 of the Code of Administrative Procedure, k.p.a.). If it does not, you may
        file a reminder of inactivity (ponaglenie, art. 37)."""
        if told.due_on
        else "The answer will come to this address."
    )
    return f"""Good day,

{paragraph("your letter is at city hall. This message is its receipt: our confirmation that we accepted it.")}

{facts}

WHAT HAPPENS NEXT
{paragraph(next_)}

TO ADD SOMETHING
{
        paragraph(
            f'''Please write to your personal letter address (the one with a "+") and mention {told.number}.
        You may also reply to this message with your token in the first line.'''
        )
    }

{_proof(told.proof)}"""


def answer(told: Answered) -> str:
    """The mail that carries a unit's answer, without the answer's own text, which stands above."""
    facts = rows(
        [
            ("Number of the answer", told.number),
            ("Dated", moment(told.at)),
            ("Subject", told.subject),
            ("Enclosed", ", ".join(told.enclosures)),
        ]
    )
    about = f" to your letter {told.answers}" if told.answers else ""
    return f"""Good day,

{paragraph(f"the text above is the answer{about}. It comes from: {told.unit.name_en}.")}

{facts}

{_proof(told.proof)}"""


def _proof(proof: Proof) -> str:
    keep = "Please keep two of the enclosed files. Together they prove what happened and when, for years:"
    check = f'The page {proof.check_url} checks them, and so does, offline, the command "zwrotka verify".'
    return f"""HOW TO CHECK THIS
{paragraph(keep)}

  {proof.xml}
    – evidence under the city's electronic seal
  {proof.log_proof}
    – its place in the public log of evidence

{paragraph(check)}"""
