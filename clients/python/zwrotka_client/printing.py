"""Values on a terminal: aligned, Polish time, and nothing in them that could steer the terminal."""

import re
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from zwrotka_client.letters import Letter, State

# Control characters and those that reorder or hide text: a stranger's subject must not rewrite the screen.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_CHANNELS = {"smtp": "e-mail", "telegram": "Telegram", "grpc": "gRPC"}
_ROW = "{:<17}  {:<8}  {:<16}  {:<11}  {:<8}  {}"


def _poland() -> tzinfo:
    try:
        return ZoneInfo("Europe/Warsaw")
    except ZoneInfoNotFoundError:  # a machine without time zone data
        return UTC


POLAND = _poland()


def plain(text: str) -> str:
    """The text without control characters other than tab and newline."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """The text on one line."""
    return " ".join(plain(text).split())


def shortened(text: str, width: int) -> str:
    """The text on one line of at most `width` characters."""
    line = one_line(text)
    return line if len(line) <= width else line[: max(width - 1, 0)] + "…"


def time_of(moment: datetime) -> str:
    """To the second, with the zone's name."""
    return f"{moment.astimezone(POLAND):%Y-%m-%d %H:%M:%S %Z}"


def size_of(content: bytes) -> str:
    """For people."""
    count = len(content)
    return f"{count} B" if count < 1000 else f"{count / 1000:.1f} kB" if count < 10**6 else f"{count / 10**6:.1f} MB"


def channel_of(name: str) -> str:
    """The way a letter came, as people call it."""
    return _CHANNELS.get(name, one_line(name))


def letters_head() -> str:
    """The head of the table of letters."""
    return _ROW.format("NUMBER", "STATE", "CAME", "ANSWER BY", "FROM", "SUBJECT")


def letter_row(letter: Letter, today: date) -> str:
    """A letter in that table; an exclamation mark follows a day that has passed without an answer."""
    late = letter.due_on and letter.due_on < today and letter.state is not State.ANSWERED
    cells = (
        letter.number,
        letter.state,
        f"{letter.accepted_at.astimezone(POLAND):%Y-%m-%d %H:%M}",
        f"{letter.due_on or '-'}{'!' if late else ''}",
        letter.sender_unit or channel_of(letter.channel),
    )
    taken = len(_ROW.format(*map(one_line, cells), ""))
    width = shutil.get_terminal_size().columns - taken if sys.stdout.isatty() else 200
    return _ROW.format(*map(one_line, cells), shortened(letter.subject, max(width, 20))).rstrip()


def fields(rows: Sequence[tuple[str, str]]) -> str:
    """Names and values in two columns, a line each; rows without a value are left out, a name may be empty."""
    shown = [(name, plain(value).replace("\n", " ").rstrip()) for name, value in rows if value]
    width = max(len(name) for name, _ in shown)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in shown)


def wrapped(text: str, width: int = 88) -> str:
    """A paragraph in lines of at most `width` characters."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + 1 + len(word) > width and lines[-1]:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join(lines)
