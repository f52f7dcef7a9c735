"""What a chat reads: Polish first, a short English line below. Plain text, no markup."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.chassis.city import City, Unit
from services.chassis.clock import WARSAW
from services.frontdoor.dialogue import Cancel, Choose, Message, Press, Send, subject_of
from services.frontdoor.texts import en, pl
from services.frontdoor.texts.layout import one_line
from services.frontdoor.texts.told import Accepted, Answered

_RECEIVED, _TAKEN, _ANSWERED = 1, 2, 3
MAX_SYMBOLS = 4096
_EXCERPT_SYMBOLS = 400

COMMANDS = (("moje", "Moje pisma i ich stan"), ("odlacz", "Odłącz ten czat"), ("start", "Jak to działa"))

HOW_TO_LINK = (
    "Aby połączyć ten czat ze swoim profilem zaufanym, wyślij tu:\n"
    "• swój token (wiadomość z nim zaraz usunę z czatu), albo\n"
    "• adres e-mail z profilu: przyślę na niego jednorazowy kod.\n"
    "Profil zakłada się w punkcie potwierdzającym urzędu, z dowodem osobistym."
)
HOW_TO_LINK_EN = (
    "To link this chat, send your token here, or the e-mail address of your trusted profile and then the code "
    "that is mailed to it."
)
HOW_TO_WRITE = (
    "Napisz wiadomość albo wyślij zdjęcie lub plik. Pokażę podgląd; jedno naciśnięcie przycisku i pismo jest "
    "w urzędzie, a tu wraca zwrotka, czyli dowód przyjęcia.\n"
    "/moje pokazuje Twoje pisma, /odlacz odłącza czat."
)
HOW_TO_WRITE_EN = (
    "Send a text, a photo or a file: after a preview and one press it is a letter, and the receipt comes here."
)


def _both(polish: str, english: str) -> str:
    return f"{polish}\n\n{english}"


NOT_LINKED = _both(
    "Ten czat nie jest jeszcze połączony z profilem zaufanym, więc ta wiadomość nie jest pismem i nie została "
    f"zachowana.\n\n{HOW_TO_LINK}",
    f"This chat is not linked yet: your message is no letter and was not kept. {HOW_TO_LINK_EN}",
)
TOKEN_SLIP = _both(
    "W tokenie jest literówka: nie zgadzają się jego znaki kontrolne. Porównaj go z notatką znak po znaku i wyślij "
    "jeszcze raz.",
    "The token has a typing slip: its check characters do not fit. Please compare it and send it again.",
)
TOKEN_UNKNOWN = _both(
    "Ten token jest nieznany, unieważniony albo stracił ważność; czat nie został połączony. Nowy token wyda punkt "
    "potwierdzający urzędu.",
    "This token is unknown, revoked or expired; nothing was linked. A confirming point of city hall issues a new one.",
)
CODE_UNKNOWN = _both(
    "Kod nie pasuje, był już użyty albo minęło 15 minut; czat nie został połączony. Wyślij jeszcze raz swój adres "
    "e-mail, a przyślę nowy kod.",
    "The code is wrong, used or expired; nothing was linked. Send your e-mail address again for a new code.",
)
CODE_COMES = _both(
    "Jeśli to adres z potwierdzonego profilu zaufanego, za chwilę przyjdzie na niego sześciocyfrowy kod, ważny "
    "15 minut. Wyślij go tutaj.",
    "If a confirmed trusted profile has this address, a six-digit code is on its way to it. Send it here within "
    "15 minutes.",
)
ALREADY_LINKED = _both(
    f"Ten czat jest połączony z Twoim profilem zaufanym. {HOW_TO_WRITE}",
    f"This chat is linked. {HOW_TO_WRITE_EN}",
)
UNLINKED = _both(
    "Czat odłączony: od teraz nie mówi w niczyim imieniu. Wysłane pisma i ich dowody pozostają ważne; dalsze "
    "wiadomości o nich przyjdą e-mailem.",
    "The chat is unlinked. Letters already sent and their receipts stand; further news of them comes by e-mail.",
)
UNKNOWN_COMMAND = _both(
    "Nie znam takiego polecenia. Znam /moje, /odlacz i /start. Nic nie zostało wysłane.",
    "I do not know this command, only /moje, /odlacz and /start. Nothing was sent.",
)
UNREADABLE = _both(
    "Pismem może być tekst, zdjęcie albo plik. Naklejki, nagrania, filmy, ankiety i miejsca na mapie nie mogę przyjąć; "
    "nic nie zostało wysłane. Nagranie lub film wyślij jako plik, a miejsce opisz słowami.",
    "A letter can be a text, a photo or a file. Nothing was sent. Please send recordings as files.",
)
TOO_LARGE = _both(
    "Ten plik ma ponad 20 MB, a Telegram nie wydaje botom większych; nic nie zostało wysłane. Zmniejsz go albo "
    "podziel, lub wyślij pismo e-mailem.",
    "The file is over 20 MB, more than Telegram hands to bots; nothing was sent. Make it smaller, or write by e-mail.",
)
FILE_GONE = _both(
    "Telegram nie wydał tego pliku; nic nie zostało wysłane. Wyślij plik jeszcze raz, a pokażę nowy podgląd.",
    "Telegram did not hand out this file; nothing was sent. Please send the file once more.",
)
NO_GROUPS = _both(
    "Urząd przyjmuje pisma tylko w rozmowie prywatnej: otwórz czat ze mną i naciśnij Start. Z tej rozmowy niczego nie "
    "czytam ani nie zachowuję. Nigdy nie podawaj tu swojego tokenu.",
    "Letters are accepted in a private chat with me only; nothing here is read or kept. Never show your token here.",
)
EDITED = _both(
    "Widzę, że ta wiadomość została zmieniona. Pisma, które już wysłano, to nie zmienia. Jeśli jeszcze nie zostało "
    "wysłane, naciśnij przycisk pod podglądem, a pokażę go na nowo.",
    "You edited this message. A letter already sent does not change; an unsent one is shown again when you press.",
)
CANCELLED = _both("Anulowano. Nic nie zostało wysłane.", "Cancelled. Nothing was sent.")
ORIGINAL_GONE = _both(
    "Wiadomości pod tym podglądem już nie ma, więc nic nie zostało wysłane. Napisz ją jeszcze raz.",
    "The message this preview belonged to is gone; nothing was sent. Please write it once more.",
)
BUTTON_OLD = _both(
    "Ten przycisk jest już nieaktualny; nic nie zostało wysłane. Wyślij wiadomość jeszcze raz, a pokażę nowy podgląd.",
    "This button is out of date; nothing was sent. Send the message again for a new preview.",
)
SENT_BEFORE = _both(
    "Pismo z tej wiadomości zostało już przyjęte w poprzednim brzmieniu i tak pozostaje. Nowe brzmienie wyślij jako "
    "nową wiadomość. Numer znajdziesz pod /moje.",
    "This message was accepted before with its earlier words, and that stands. Send the new words as a new message.",
)
TRY_THE_BUTTON_AGAIN = _both(
    "Urząd chwilowo nie odpowiada. Nic nie przepadło: Twoja wiadomość jest nadal tutaj. Naciśnij przycisk jeszcze raz "
    "za chwilę; dwa naciśnięcia to wciąż jedno pismo.",
    "City hall does not answer for the moment. Nothing is lost: press the button again shortly. Two presses are still "
    "one letter.",
)
TRY_AGAIN = _both(
    "Urząd chwilowo nie odpowiada i nic się nie zmieniło. Wyślij to jeszcze raz za chwilę.",
    "City hall does not answer for the moment; nothing changed. Please send this again shortly.",
)
APOLOGY = _both(
    "Przepraszam, z tą wiadomością nie umiem sobie poradzić; nic nie zostało wysłane. Spróbuj napisać ją inaczej albo "
    "wyślij pismo e-mailem.",
    "Sorry, I could not handle this message; nothing was sent. Try it another way, or write by e-mail.",
)


def start(city: City) -> str:
    """The first words of the bot to somebody who is not linked."""
    return _both(
        f"Tu wyślesz pismo do: {city.office}, i dostaniesz na nie zwrotkę: dowód przyjęcia, który można sprawdzić "
        f"także za wiele lat.\n\n{HOW_TO_LINK}",
        f"Write to city hall here and get a receipt that can be proved for years. {HOW_TO_LINK_EN}",
    )


def linked(name: str) -> str:
    """The chat speaks for this person now."""
    return _both(f"Połączono: {name}. {HOW_TO_WRITE}", f"Linked. {HOW_TO_WRITE_EN}")


def token_removed(removed: bool, alone: bool) -> str:
    """What became of the message that showed a token; set before the answer itself."""
    polish = (
        "Wiadomość z tokenem została usunięta z czatu."
        if removed
        else "Nie udało się usunąć wiadomości z tokenem: usuń ją, proszę, ze swojego czatu."
    )
    english = "The message with the token was deleted." if removed else "Please delete the message with your token."
    if not alone:
        polish += " To, co jeszcze w niej było, nie zostało zachowane; wyślij to osobno, bez tokenu."
        english += " What else it said was not kept; send that again without the token."
    return f"{polish} {english}"


def preview(message: Message, unit: Unit, city: City, *, changed: bool = False) -> str:
    """What will be sent, and to whom. `changed`: it says something else than its earlier preview."""
    lines = ["Treść zmieniła się od poprzedniego podglądu. Oto nowy."] if changed else []
    subject, text = subject_of(message), message.text.strip()
    lines += [f"To będzie pismo do: {unit.name}", city.office, "", f"Temat: {subject}"]
    if text and text != subject:
        lines.append(f"Treść: {_excerpt(text)}")
    if message.file:
        lines.append(f"Załącznik: {message.file.name}{_size(message.file.size_bytes)}")
    if message.in_album:
        lines += ["", "Każdy plik z albumu to osobne pismo. Kilka plików w jednym piśmie: PDF, ZIP albo e-mail."]
    lines += ["", "Po wysłaniu pisma nie można już zmienić."]
    return _both("\n".join(lines), f"This will be a letter to: {unit.name_en}. Press the first button to send it.")


def label(press: Press, city: City) -> str:
    """What a button says."""
    match press:
        case Send():
            return "Wyślij jako pismo"
        case Cancel():
            return "Anuluj"
        case Choose(unit):
            return f"do: {city.units[unit].name}"


def accepted(number: str, at: datetime, unit: Unit, due_on: str, *, repeated: bool) -> str:
    """The letter is stored; takes the place of its preview."""
    done = "To pismo zostało już przyjęte" if repeated else "Pismo przyjęte"
    lines = [f"{done}: {number}", f"{unit.name}, {pl.moment(at.astimezone(WARSAW))}"]
    if due_on:
        lines.append(f"Odpowiedź najpóźniej: {_day(due_on)}")
    lines.append("Zwrotka, czyli dowód przyjęcia, przyjdzie tu za chwilę.")
    return _both("\n".join(lines), f"Accepted as {number}. The receipt comes here in a moment.")


def refused(sentence: str) -> str:
    """The letter was not accepted; `sentence` is the refusal's own, in English."""
    return _both("Urząd nie przyjął tego pisma; nic nie zostało zachowane. Powód podano niżej po angielsku.", sentence)


@dataclass(frozen=True)
class Row:
    """A letter in a list; `state` as zwrotka.mailbox.v1.LetterState numbers it, `due_on` YYYY-MM-DD or empty."""

    number: str
    accepted_at: datetime
    subject: str
    unit: str
    state: int
    due_on: str
    answered_by: str


def letters(rows: Sequence[Row], city: City) -> str:
    """The resident's letters; those that no longer fit one message are left off."""
    if not rows:
        return _both("Nie masz jeszcze żadnych pism. Napisz pierwsze tutaj.", "You have no letters yet.")
    text = "Twoje pisma, od najnowszego:\n\n"
    for row in rows:
        lines = [
            f"{row.number} · {row.accepted_at.astimezone(WARSAW):%d.%m.%Y}",
            f"„{one_line(row.subject, 120)}”" if row.subject else "(bez tematu)",
            city.units[row.unit].name if row.unit in city.units else row.unit,
            _state(row.state, row.answered_by),
        ]
        if row.due_on and row.state != _ANSWERED:
            lines.append(f"Odpowiedź najpóźniej: {_day(row.due_on)}")
        block = "\n".join(lines) + "\n\n"
        if len(text) + len(block) > MAX_SYMBOLS - 200:
            break
        text += block
    return text + "Your letters, newest first: number, day, subject, unit, state, last day for the answer."


def receipt(told: Accepted) -> str:
    """Goes with the receipt's files."""
    lines = [f"Zwrotka do pisma {told.number}", "", f"Wpłynęło: {pl.moment(told.at)}"]
    if told.subject:
        lines.append(f"Temat: {one_line(told.subject, 120)}")
    if told.enclosures:
        lines.append(f"Załączniki: {one_line(', '.join(told.enclosures), 120)}")
    lines.append(f"Ma je teraz: {told.unit.name}")
    if told.due_on:
        lines.append(f"Odpowiedź najpóźniej: {pl.day(told.due_on)}" + (f" ({told.rule})" if told.rule else ""))
    lines += ["", f"Zachowaj oba pliki: razem dowodzą, że urząd ma to pismo. Sprawdzi je strona {told.proof.check_url}"]
    english = "Your receipt. Keep both files: together they prove that city hall has your letter."
    if told.due_on:
        english += f" Answer due by {en.day(told.due_on)}."
    return _both("\n".join(lines), english)


def answer(told: Answered) -> str:
    """A unit's answer, whole; may be longer than one message."""
    about = f" na Twoje pismo {told.answers}" if told.answers else ""
    heading = f"Odpowiedź{about}\n{told.unit.name}, {pl.moment(told.at)}, numer {told.number}"
    text = told.text.strip() or "(Treść odpowiedzi jest w załączniku.)"
    return _both(f"{heading}\n\n{text}", f"An answer to your letter, from: {told.unit.name_en}.")


def answer_enclosures(told: Answered) -> str:
    """Goes with an answer's attachments and evidence."""
    what = "załączniki i dowód" if told.enclosures else "dowód"
    return _both(
        f"Do odpowiedzi {told.number}: {what}. Sprawdzi go strona {told.proof.check_url}",
        "What belongs to the answer, and its evidence.",
    )


def code_subject(city: City) -> str:
    """Subject of the mail that brings a code."""
    return f"Kod do połączenia czatu – {city.office}"


def code_body(code: str) -> str:
    """Text of the mail that brings a code."""
    return (
        f"Twój jednorazowy kod: {code}\n\n"
        "Wyślij go w czacie, w którym podano Twój adres; jest ważny 15 minut. Jeśli to nie Ty, nic nie rób i nikomu "
        "nie podawaj kodu: bez niego czat nie zostanie połączony z Twoim profilem.\n\n"
        "Your one-time code for linking a chat is above, valid for 15 minutes. If you did not ask for it, do nothing "
        "and show it to nobody.\n"
    )


def photo_name(message_number: int) -> str:
    """File name of a photo, which messengers send without one."""
    return f"zdjecie-{message_number}.jpg"


def file_name(message_number: int) -> str:
    """File name of a file that has none."""
    return f"plik-{message_number}"


def _day(iso: str) -> str:
    return pl.day(date.fromisoformat(iso))


def _state(state: int, answered_by: str) -> str:
    return {
        _RECEIVED: "Przyjęte, czeka na odebranie",
        _TAKEN: "Odebrane, w toku",
        _ANSWERED: f"Jest odpowiedź: {answered_by}" if answered_by else "Jest odpowiedź",
    }.get(state, "Przyjęte")


def _excerpt(text: str) -> str:
    return text if len(text) <= _EXCERPT_SYMBOLS else text[: _EXCERPT_SYMBOLS - 1].rstrip() + "…"


def _size(size_bytes: int) -> str:
    if not size_bytes:
        return ""
    if size_bytes < 1 << 20:
        return f" ({max(1, size_bytes >> 10)} kB)"
    return f" ({size_bytes / (1 << 20):.1f} MB)".replace(".", ",")
