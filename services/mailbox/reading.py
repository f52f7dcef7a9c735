"""What a person reads of a letter: subject, text, safe file names. Everything here can be derived again."""

import re
from collections.abc import Iterator, Sequence
from email.header import decode_header
from email.message import Message
from html.parser import HTMLParser

from services.mailbox.letters import without_token
from services.mailbox.parts import Part

MAX_SUBJECT_CHARS = 200
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]+')
_SPACE = re.compile(r"\s+")
_BREAKING_TAGS = {"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "table", "blockquote"}
_SILENT_TAGS = {"script", "style", "title"}


def subject_of(headers: Message) -> str:
    """The subject on one line, decoded (RFC 2047), without any token; at most 200 characters."""
    return without_token(_one_line(_decoded(str(headers.get("subject", "")))))[:MAX_SUBJECT_CHARS]


def text_of(raw: bytes, parts: Sequence[Part]) -> str:
    """The first text/plain part that says something, else the first HTML part as text; without any token."""
    return without_token(next(_texts(raw, parts), "").replace("\r\n", "\n").strip())


def filename_of(part: Part) -> str:
    """A name that is safe to save under; empty for a text without a name."""
    name = without_token(_one_line(_decoded(part.filename)))
    name = _UNSAFE.sub("_", name).strip(". ")[-120:]
    if name or part.content_type in ("text/plain", "text/html"):
        return name
    ending = "eml" if part.content_type == "message/rfc822" else re.sub(r"\W", "", part.content_type.split("/")[-1])
    return f"zalacznik-{part.identifier}.{ending[:12] or 'bin'}"


def decoded_text(content: bytes, charset: str) -> str:
    """Bytes as text: as declared, else UTF-8, else the Polish 8-bit set that fits, else with replacement signs.

    Bytes 0x80-0x9F are letters in windows-1250 and control characters in ISO 8859-2.
    """
    for each in (charset, "utf-8"):
        try:
            return content.decode(each or "utf-8").replace("\0", "\ufffd")
        except (LookupError, ValueError):
            continue
    polish = "windows-1250" if re.search(rb"[\x80-\x9f]", content) else "iso-8859-2"
    return content.decode(polish, "replace").replace("\0", "\ufffd")


def _texts(raw: bytes, parts: Sequence[Part]) -> Iterator[str]:
    for kind in ("text/plain", "text/html"):
        for part in parts:
            if part.content_type == kind and not part.filename:
                text = decoded_text(part.decoded(raw), part.charset)
                text = _plain(text) if kind == "text/html" else text
                if text.strip():
                    yield text


def _decoded(value: str) -> str:
    try:
        chunks = decode_header(value)
    except Exception:  # the standard library raises many kinds on malformed encoded words
        return value
    return "".join(
        chunk if isinstance(chunk, str) else decoded_text(chunk, "" if charset == "unknown-8bit" else charset or "")
        for chunk, charset in chunks
    )


def _one_line(text: str) -> str:
    return _SPACE.sub(" ", text.encode("utf-8", "replace").decode("utf-8")).strip()


def _plain(html: str) -> str:
    reader = _TextOnly()
    reader.feed(html)
    reader.close()
    return re.sub(r"\n\s*\n\s*\n+", "\n\n", "".join(reader.text))


class _TextOnly(HTMLParser):
    """Keeps the text of HTML; fetches and runs nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the base class calls it so
        self._silent += tag in _SILENT_TAGS
        if tag in _BREAKING_TAGS:
            self.text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in _SILENT_TAGS))

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text.append(data)
