"""Polish."""

from datetime import date, datetime

from services.frontdoor.texts.layout import paragraph, rows
from services.frontdoor.texts.told import Accepted, Answered, Proof

_DAYS = ("poniedziałek", "wtorek", "środa", "czwartek", "piątek", "sobota", "niedziela")
_MONTHS = (
    "stycznia",
    "lutego",
    "marca",
    "kwietnia",
    "maja",
    "czerwca",
    "lipca",
    "sierpnia",
    "września",
    "października",
    "listopada",
    "grudnia",
)
_CHANNELS = {"smtp": "e-mail", "telegram": "Telegram", "grpc": "system jednostki miejskiej"}


def day(on: date) -> str:
    """For example "środa, 25 listopada 2026"."""
    return f"{_DAYS[on.weekday()]}, {on.day} {_MONTHS[on.month - 1]} {on.year}"


def moment(at: datetime) -> str:
    """For example "środa, 25 listopada 2026, godz. 18:24"."""
    return f"{day(at)}, godz. {at:%H:%M}"


RECEIPT_SUBJECT = "pismo przyjęte"
ANSWER_SUBJECT = "odpowiedź urzędu"


def receipt(told: Accepted) -> str:
    """The mail that carries a receipt."""
    term = f"{day(told.due_on)} ({told.rule})" if told.due_on else ""
    facts = rows(
        [
            ("Numer pisma", told.number),
            ("Wpłynęło", moment(told.at)),
            ("Nadane przez", _CHANNELS.get(told.channel, told.channel)),
            ("Temat", told.subject),
            ("Załączniki", ", ".join(told.enclosures)),
            ("Rodzaj", told.matter.get("name", "")),
            ("Ma je teraz", told.unit.name),
            ("Odpowiedź do", term),
        ]
    )
    next_ = (
        """Odpowiedź przyjdzie na ten adres najpóźniej w podanym dniu. Jeżeli urząd nie zdąży, ma obowiązek napisać
        dlaczego i wskazać nowy termin (art. 36 k.p.a.). Gdyby i tego nie zrobił, może Pani/Pan wnieść ponaglenie
        (art. 37 k.p.a.)."""
        if told.due_on
        else "Odpowiedź przyjdzie na ten adres."
    )
    return f"""Dzień dobry,

{paragraph("Pani/Pana pismo jest w urzędzie. Ta wiadomość to zwrotka: potwierdzenie, że je przyjęliśmy.")}

{facts}

CO DALEJ
{paragraph(next_)}

JAK DOPISAĆ COŚ DO SPRAWY
{
        paragraph(
            f'''Prosimy napisać na swój osobisty adres do pism (ten ze znakiem „+”) i podać numer {told.number}.
        Można też odpowiedzieć na tę wiadomość, wpisując swój token w pierwszym wierszu.'''
        )
    }

{_proof(told.proof)}"""


def answer(told: Answered) -> str:
    """The mail that carries a unit's answer."""
    facts = rows(
        [
            ("Numer odpowiedzi", told.number),
            ("Z dnia", moment(told.at)),
            ("Temat", told.subject),
            ("Załączniki", ", ".join(told.enclosures)),
        ]
    )
    about = f" na Pani/Pana pismo {told.answers}" if told.answers else ""
    return f"""Dzień dobry,

{paragraph(f"poniżej odpowiedź{about}. Pisze {told.unit.name}.")}

{"-" * 24}
{told.text.strip() or "(Treść odpowiedzi jest w załączniku.)"}
{"-" * 24}

{facts}

{_proof(told.proof)}"""


def _proof(proof: Proof) -> str:
    keep = "Prosimy zachować dwa załączniki. Razem dowodzą, co i kiedy się stało, także za wiele lat:"
    check = f"Sprawdzi je strona {proof.check_url}, a bez internetu polecenie „zwrotka verify”."
    return f"""JAK TO SPRAWDZIĆ
{paragraph(keep)}

  {proof.xml}
    – dowód z pieczęcią elektroniczną urzędu
  {proof.log_proof}
    – jego miejsce w publicznym rejestrze dowodów

{paragraph(check)}"""
