"""Finds the parts of a message as slices of its bytes (RFC 2046 §5.1), each decoded once for its digest.

Standard library parsers go line by line (10 ms for 200 KB, on the way to the 250); here boundaries are found in
the bytes and only header blocks are parsed.
"""

import binascii
import hashlib
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser

MAX_DEPTH = 20
MAX_PARTS = 500
MAX_TYPE_CHARS = 100
_MEDIA_NAME = r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}"  # RFC 6838 §4.2
_MEDIA_TYPE = re.compile(f"{_MEDIA_NAME}/{_MEDIA_NAME}")
_HEADERS = BytesHeaderParser()
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_FIRST_LINE_BLANK = re.compile(rb"\r?\n")
_REST_OF_DELIMITER = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")


@dataclass(frozen=True)
class Part:
    """A leaf of the message: bytes `start` to `end` of it, transfer-encoded as `encoding` says."""

    identifier: str  # MIME position: "1", "2.1", ...
    content_type: str
    charset: str
    filename: str
    encoding: str
    start: int
    end: int

    def decoded(self, raw: bytes) -> bytes:
        """The part's content without its transfer encoding (RFC 2045 §6); as it stands where that is broken."""
        body = raw[self.start : self.end]
        if self.encoding == "base64":
            try:
                return binascii.a2b_base64(body)
            except binascii.Error:
                return body
        return quopri.decodestring(body) if self.encoding == "quoted-printable" else body

    def digest(self, raw: bytes) -> bytes:
        """SHA-256 of the decoded content."""
        return hashlib.sha256(self.decoded(raw)).digest()


def headers_of(raw: bytes) -> tuple[Message, int]:
    """The header block, and where the body starts."""
    return _headers_at(raw, 0, len(raw))


def split(raw: bytes) -> list[Part]:
    """All leaves in order. Beyond the limits of depth and number the rest of a level is one leaf."""
    parts: list[Part] = []
    _split(raw, 0, len(raw), "", "text/plain", 0, parts)
    return parts


def _split(raw: bytes, start: int, end: int, position: str, default: str, depth: int, parts: list[Part]) -> None:
    headers, body = _headers_at(raw, start, end)
    headers.set_default_type(default)
    content_type = headers.get_content_type()
    boundary = _param(headers, "boundary")
    if content_type.startswith("multipart/") and boundary and depth < MAX_DEPTH:
        inner = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
        prefix = f"{position}." if position else ""
        slices = _slices(raw, body, end, boundary.encode("utf-8", "surrogateescape"))
        for number, (left, right) in enumerate(slices, 1):
            _split(raw, left, right, f"{prefix}{number}", inner, depth + 1, parts)
            if len(parts) >= MAX_PARTS:
                return
        if slices:
            return
    parts.append(
        Part(
            identifier=position or "1",
            # It goes into evidence, which must stay small and in one piece whatever a sender writes.
            content_type=content_type if _MEDIA_TYPE.fullmatch(content_type) else "application/octet-stream",
            charset=_param(headers, "charset"),
            filename=_filename(headers),
            encoding=str(headers.get("content-transfer-encoding", "")).strip().lower(),
            start=body,
            end=end,
        )
    )


def _slices(raw: bytes, start: int, end: int, boundary: bytes) -> list[tuple[int, int]]:
    slices: list[tuple[int, int]] = []
    opened = -1
    for left, right, closing in _delimiters(raw, start, end, b"--" + boundary):
        if opened >= 0:
            slices.append((opened, max(opened, left)))
        if closing:
            return slices
        opened = right
    if opened >= 0:
        slices.append((opened, end))
    return slices


def _delimiters(raw: bytes, start: int, end: int, delimiter: bytes) -> Iterator[tuple[int, int, bool]]:
    # A search for plain bytes runs at memory speed; a pattern took 7 ms for 200 KB.
    at = raw.find(delimiter, start, end)
    while at >= 0:
        rest = _REST_OF_DELIMITER.match(raw, at + len(delimiter), end)
        if rest and (at == start or raw[at - 1 : at] == b"\n"):
            # The line break before a delimiter belongs to it (RFC 2046 §5.1.1).
            left = at - (2 if raw[at - 2 : at] == b"\r\n" else 1)
            yield max(left, start), rest.end(), bool(rest[1])
        at = raw.find(delimiter, at + len(delimiter), end)


def _headers_at(raw: bytes, start: int, end: int) -> tuple[Message, int]:
    if first := _FIRST_LINE_BLANK.match(raw, start, end):
        return Message(), first.end()
    blank = _BLANK_LINE.search(raw, start, end)
    header_end, body = (blank.start(), blank.end()) if blank else (end, end)
    return _HEADERS.parsebytes(raw[start:header_end]), body


def _param(headers: Message, name: str) -> str:
    try:
        value = headers.get_param(name, "")
        return str(value[2] if isinstance(value, tuple) else value or "").strip()
    except Exception:  # the standard library raises many kinds on malformed parameters
        return ""


def _filename(headers: Message) -> str:
    try:
        return headers.get_filename("") or ""
    except Exception:  # as above
        return ""
