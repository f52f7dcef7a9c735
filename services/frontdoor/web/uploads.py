"""Sorts what a person dropped into receipts and letter parts, by content first: file names get lost on the way."""

import re
from collections.abc import Iterable, Iterator
from email import message_from_bytes
from email.errors import MessageError
from pathlib import PurePath
from typing import NamedTuple

EVIDENCE_MARK = b"http://uri.etsi.org/19522/"
PROOF_MARK = b"c2sp.org/tlog-proof@"
# The parser goes line by line and by depth: two megabytes of empty lines cost it 7 s, as many of base64 0.2 s.
MAX_MAIL_LINES = 40_000
_HEAD_BYTES = 4096
_EVIDENCE_NAME = re.compile(r"dowod.*\.xml", re.IGNORECASE)


class File(NamedTuple):
    """A file as it came; the name is only a hint."""

    name: str
    content: bytes


class Receipt(NamedTuple):
    """An evidence file with the proof that belongs to it, or None when nobody sent one."""

    name: str
    xml: bytes
    proof: bytes | None


class Sorted(NamedTuple):
    """The receipts among the files, and what is left: parts of letters."""

    receipts: list[Receipt]
    parts: list[File]


def sort(files: Iterable[File]) -> Sorted:
    """Opens receipt mails, pairs each evidence with its proof, leaves the rest as letter parts. Never fails."""
    evidence: list[File] = []
    proofs: list[File] = []
    parts: list[File] = []
    for file in _opened(files):
        if _is_proof(file):
            kind = proofs
        elif _is_evidence(file):
            kind = evidence
        else:
            kind = parts
        # The receipt mail and the files saved from it, dropped together, are one receipt.
        if all(file.content != known.content for known in kind):
            kind.append(file)
    return Sorted([Receipt(each.name, each.content, _proof_of(each, evidence, proofs)) for each in evidence], parts)


def _opened(files: Iterable[File]) -> Iterator[File]:
    """The files, a receipt mail replaced by the receipt inside it. Any other mail stays whole: it may be the letter."""
    lines_left = MAX_MAIL_LINES
    for file in files:
        if _is_mail(file) and (lines_left := lines_left - file.content.count(b"\n")) >= 0:
            inside = [each for each in _attachments(file.content) if _is_proof(each) or _is_evidence(each)]
            yield from inside or [file]
        else:
            yield file


def _attachments(mail: bytes) -> list[File]:
    try:
        leaves = [part for part in message_from_bytes(mail).walk() if not part.is_multipart()]
        return [File(str(part.get_filename() or ""), bytes(part.get_payload(decode=True) or b"")) for part in leaves]
    except (MessageError, RecursionError, LookupError, TypeError, ValueError):
        # Broken or hostile mail: it holds no receipt that could be read.
        return []


def _is_mail(file: File) -> bool:
    return file.name.lower().endswith(".eml") or re.match(rb"(?:[!-9;-~]+:[^\n]*\n)", file.content) is not None


def _is_evidence(file: File) -> bool:
    if not file.content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return False
    return EVIDENCE_MARK in file.content[:_HEAD_BYTES] or _EVIDENCE_NAME.fullmatch(file.name) is not None


def _is_proof(file: File) -> bool:
    return file.content.startswith(PROOF_MARK) or file.name.lower().endswith(".tlog-proof")


def _proof_of(file: File, evidence: list[File], proofs: list[File]) -> bytes | None:
    """The proof of the same name; or, where there is one of each, whatever they are called."""
    for proof in proofs:
        if PurePath(proof.name).stem == PurePath(file.name).stem:
            return proof.content
    return proofs[0].content if len(evidence) == len(proofs) == 1 else None
