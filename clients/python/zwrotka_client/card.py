"""The card an officer hands over with a token: Polish first, English below."""

from zwrotka_client.desk import Token
from zwrotka_client.printing import POLAND, wrapped

_TEXT = """\
Adres do pism do urzędu (zapisz go w kontaktach):
Address for your letters to city hall (save it to your contacts):

    {address}

{polish}

{english}"""

_POLISH = """\
To jest Twój osobisty klucz. Pokazujemy go tylko ten jeden raz i nigdzie go nie przechowujemy. Najprościej: dodaj \
powyższy adres do kontaktów pod nazwą „Urząd Miasta” i pisz na niego jak do każdej innej osoby. Nie przekazuj go \
nikomu: kto go ma, pisze w Twoim imieniu. Jeśli go zgubisz albo ktoś go pozna, zgłoś się do urzędu, a od razu go \
unieważnimy i wydamy nowy. Ważny do {expires}."""

_ENGLISH = """\
This is your personal key. It is shown this once and kept nowhere. The simplest way: add the address above to your \
contacts as “City Hall” and write to it as to anyone else. Give it to nobody: whoever has it writes in your name. If \
you lose it or someone learns it, tell city hall: it is revoked at once and you get a new one. Valid until {expires}."""


def card_of(token: Token) -> str:
    """The token, large; the address it makes; and what to do with them."""
    expires = f"{token.expires_at.astimezone(POLAND):%Y-%m-%d}"
    spaced = "   ".join(" ".join(group) for group in token.token.split("-"))
    edge = "─" * (len(spaced) + 8)
    blank = f"│{' ' * len(edge)}│"
    text = _TEXT.format(
        address=token.letter_address,
        polish=wrapped(_POLISH.format(expires=expires)),
        english=wrapped(_ENGLISH.format(expires=expires)),
    )
    return "\n".join(
        [f"┌{edge}┐", blank, f"│    {spaced}    │", f"│{token.token:^{len(edge)}}│", blank, f"└{edge}┘", "", text]
    )
