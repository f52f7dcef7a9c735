"""Plain text that reads well in any mail program: narrow paragraphs, aligned rows."""

import textwrap
from collections.abc import Sequence
from functools import lru_cache

WIDTH = 72


def one_line(text: str, limit: int = 200) -> str:
    """The text on one line, without anything that does not print; what is longer ends in an ellipsis."""
    if not text.isprintable():
        text = "".join(symbol if symbol.isprintable() else " " for symbol in text)
    plain = " ".join(text.split())
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"


@lru_cache(maxsize=64)  # most paragraphs are the same in every mail, and filling them is half of its cost
def paragraph(text: str) -> str:
    """The text in lines of at most WIDTH; words and addresses stay whole."""
    return textwrap.fill(" ".join(text.split()), WIDTH, break_long_words=False, break_on_hyphens=False)


def rows(pairs: Sequence[tuple[str, str]]) -> str:
    """Labels and values in two columns; rows without a value are left out."""
    shown = [(label, value) for label, value in pairs if value]
    width = max(len(label) for label, _ in shown) + 3
    return "\n".join(
        textwrap.fill(
            value,
            WIDTH,
            initial_indent="  " + label.ljust(width),
            subsequent_indent=" " * (width + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for label, value in shown
    )
