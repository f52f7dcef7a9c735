"""Files written from what others named."""

import re
from collections.abc import Iterable
from pathlib import Path

from zwrotka_client.letters import Part, Receipt

_UNSAFE = re.compile(r"[^\w .,()+@=-]")
_ENDINGS = {"text/plain": ".txt", "text/html": ".html"}
_LONGEST_BYTES = 120


def safe_name(name: str) -> str:
    """The name as one that stays in its folder, is shown by `ls`, and carries nothing but letters and plain marks."""
    kept = _UNSAFE.sub("_", _last_of(name)).strip(" .") or "part"
    stem, dot, ending = kept.rpartition(".")
    if not dot or len(ending) > 10:
        stem, dot, ending = kept, "", ""
    room = _LONGEST_BYTES - len(f".{ending}".encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + ending


def part_name(part: Part) -> str:
    """A part's file name: its place in the letter, so that no two are the same, and the name its sender gave it."""
    ending = _ENDINGS.get(part.content_type.partition(";")[0].strip().lower(), ".bin")
    return safe_name(f"{part.identifier}-{_last_of(part.filename)}" if part.filename else part.identifier + ending)


def _last_of(path: str) -> str:
    return re.split(r"[/\\]", path)[-1]


def save_parts(folder: Path, parts: Iterable[Part]) -> list[Path]:
    """Writes a letter's parts; see `write`."""
    return [write(folder / part_name(each), each.content) for each in parts]


def save_receipt(folder: Path, receipt: Receipt) -> tuple[Path, Path]:
    """Writes dowod-<id>.xml and dowod-<id>.tlog-proof; see `write`."""
    name = safe_name(f"dowod-{receipt.evidence_id}")
    return (
        write(folder / f"{name}.xml", receipt.xml),
        write(folder / f"{name}.tlog-proof", receipt.tlog_proof),
    )


def write(path: Path, content: bytes) -> Path:
    """Writes a new file, making its folder. One of that name is left alone: FileExistsError unless it is the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        if path.read_bytes() != content:
            raise
    return path
