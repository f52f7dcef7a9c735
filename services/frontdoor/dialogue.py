"""What a chat message means and what may be pressed. Pure: knows no messenger, no network, no clock.

The dialogue keeps nothing: a preview is a reply to the very message it shows, so a press brings all of it back.
"""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from services.chassis import codes

TOKEN_SYMBOLS = 20
# The Bot API hands files out up to this size.
MAX_FILE_BYTES = 20 << 20
_SUBJECT_SYMBOLS = 80
_GROUPS = r"[A-Z0-9]{5}(?:[-‐‑–— ]?[A-Z0-9]{5}){3}"
# Looks ahead, so that a word of five letters before a token does not use up the token's first groups.
_TOKEN = re.compile(rf"(?<![A-Z0-9])(?=({_GROUPS})(?![A-Z0-9]))", re.IGNORECASE | re.ASCII)
_CODE = re.compile(r"\d{3}[ -]?\d{3}", re.ASCII)
_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+\.[^\s@<>,;:\"()\[\]\\]+")
_COMMAND = re.compile(r"/([a-z_]+)(?:@\w+)?(?:\s|$)", re.IGNORECASE | re.ASCII)
_DASHES = str.maketrans("‐‑–—", "----")


@dataclass(frozen=True)
class File:
    """A file in a message: not here yet, `key` fetches it, `mark` is the same for the same content."""

    key: str
    mark: str
    name: str
    media_type: str
    size_bytes: int  # 0: not said


@dataclass(frozen=True)
class Message:
    """A message in a private chat. `readable` is False for what cannot become a letter: a sticker, a voice, a place."""

    text: str
    sent_at: datetime
    file: File | None = None
    in_album: bool = False
    readable: bool = True


@dataclass(frozen=True)
class Start:
    """Wants to know what this is."""


@dataclass(frozen=True)
class ListLetters:
    """Wants to see their letters."""


@dataclass(frozen=True)
class Unlink:
    """Wants the chat to speak for nobody again."""


@dataclass(frozen=True)
class LinkByToken:
    """Shows a token, so the message must not stay in the chat. Not `alone`: other words stood beside it."""

    token: str
    alone: bool


@dataclass(frozen=True)
class LinkByCode:
    """Shows the six digits that were mailed."""

    code: str


@dataclass(frozen=True)
class AskForCode:
    """Names an e-mail address: a wish for a code from an unlinked chat, a short letter from a linked one."""

    email: str


@dataclass(frozen=True)
class Write:
    """A letter, once it was shown and confirmed."""


@dataclass(frozen=True)
class TooLarge:
    """A file that the messenger will not hand out."""


@dataclass(frozen=True)
class Unreadable:
    """Nothing a letter could be made of."""


@dataclass(frozen=True)
class UnknownCommand:
    """A command that does not exist."""


Intent = (
    Start
    | ListLetters
    | Unlink
    | LinkByToken
    | LinkByCode
    | AskForCode
    | Write
    | TooLarge
    | Unreadable
    | UnknownCommand
)
_COMMANDS: dict[str, Intent] = {
    "start": Start(),
    "help": Start(),
    "pomoc": Start(),
    "moje": ListLetters(),
    "odlacz": Unlink(),
}


def intent_of(message: Message) -> Intent:
    """What the sender of a private message wants."""
    text = message.text.strip()
    # First of all: a token must never end up in a letter, wherever it stands.
    if token := _token_in(text):
        return LinkByToken(codes.normalized(token.translate(_DASHES)), _is_all_but_command(text, token))
    if message.file is not None:
        return TooLarge() if message.file.size_bytes > MAX_FILE_BYTES else Write()
    if not message.readable or not text:
        return Unreadable()
    if command := _COMMAND.match(text):
        return _COMMANDS.get(command[1].lower(), UnknownCommand())
    if _CODE.fullmatch(text):
        return LinkByCode(text.replace(" ", "").replace("-", ""))
    if _EMAIL.fullmatch(text):
        return AskForCode(text)
    return Write()


def _token_in(text: str) -> str:
    """The first token in the text; alone in its message it may have a typing slip, which identity will name."""
    for match in _TOKEN.finditer(text):
        found = match[1]
        plain = codes.normalized(found.translate(_DASHES))
        # Four words of five letters are shaped like a token too; a digit or hyphens tell them apart.
        looks_meant = any(symbol.isdigit() for symbol in plain) or "-" in found.translate(_DASHES)
        if looks_meant and (codes.is_whole(plain) or found == text):
            return found
    return ""


def _is_all_but_command(text: str, token: str) -> bool:
    rest = text.replace(token, "").strip()
    return not rest or bool(_COMMAND.fullmatch(rest))


def subject_of(message: Message) -> str:
    """The subject: the first line, shortened at a word; without text the file's name."""
    for line in message.text.splitlines():
        if words := _plain(line):
            if len(words) <= _SUBJECT_SYMBOLS:
                return words
            cut = words[: _SUBJECT_SYMBOLS - 1]
            return (cut.rpartition(" ")[0] or cut) + "…"
    return _plain(message.file.name) if message.file else ""


def _plain(line: str) -> str:
    return " ".join("".join(symbol if symbol.isprintable() else " " for symbol in line).split())


@dataclass(frozen=True)
class Send:
    """Pressed: send it to this unit, as it was shown (`mark_of`)."""

    unit: str
    mark: str


@dataclass(frozen=True)
class Choose:
    """Pressed: let it be for this unit instead."""

    unit: str


@dataclass(frozen=True)
class Cancel:
    """Pressed: do not send it."""


Press = Send | Choose | Cancel


def mark_of(message: Message) -> str:
    """Tells what a message says from what it says once it was edited."""
    file = message.file.mark if message.file else ""
    return hashlib.sha256(f"{file}\0{message.text}".encode("utf-8", "replace")).hexdigest()[:16]


def keyboard(message: Message, chosen: str, units: Collection[str]) -> list[list[Press]]:
    """The rows of buttons under a message's preview."""
    others: list[list[Press]] = [[Choose(code)] for code in units if code != chosen]
    return [[Send(chosen, mark_of(message)), Cancel()], *others]


def data_of(press: Press) -> str:
    """What a button carries: at most 64 bytes."""
    match press:
        case Send(unit, mark):
            return f"send:{unit}:{mark}"
        case Choose(unit):
            return f"unit:{unit}"
        case Cancel():
            return "cancel"


def press_of(data: str, units: Collection[str]) -> Press | None:
    """The press a button's data stands for; None where it names what no longer is."""
    match data.split(":"):
        case ["cancel"]:
            return Cancel()
        case ["send", unit, mark] if unit in units:
            return Send(unit, mark)
        case ["unit", unit] if unit in units:
            return Choose(unit)
    return None
