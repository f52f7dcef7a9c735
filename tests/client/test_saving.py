from pathlib import Path

import pytest
from zwrotka_client import Part, Receipt, saving


def part(filename: str, identifier: str = "2", content: bytes = b"x") -> Part:
    return Part(identifier, "application/pdf", filename, content, b"", False)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("plan działki.pdf", "2-plan działki.pdf"),
        ("../../etc/passwd", "2-passwd"),
        ("..\\..\\windows\\win.ini", "2-win.ini"),
        ("a\x1b[2Jb\n\u202efdp.exe", "2-a__2Jb__fdp.exe"),
        ("", "2.bin"),
        ("/", "2-"),
    ],
)
def test_a_part_is_saved_under_a_name_that_stays_in_its_folder(given: str, kept: str) -> None:
    assert saving.part_name(part(given)) == kept


def test_a_long_name_keeps_its_ending_and_fits_every_file_system() -> None:
    name = saving.part_name(part("ż" * 300 + ".pdf"))
    assert name.endswith("ż.pdf")
    assert len(name.encode()) <= 124


def test_parts_of_the_same_name_do_not_meet(tmp_path: Path) -> None:
    saved = saving.save_parts(tmp_path, [part("a.pdf", "2", content=b"1"), part("a.pdf", "3", content=b"2")])
    assert [path.read_bytes() for path in saved] == [b"1", b"2"]


def test_what_is_there_already_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    assert saving.write(path, b"1") == saving.write(path, b"1")
    with pytest.raises(FileExistsError):
        saving.write(path, b"2")
    assert path.read_bytes() == b"1"


def test_a_receipt_is_saved_as_the_pair_that_verify_looks_for(tmp_path: Path) -> None:
    xml, proof = saving.save_receipt(tmp_path, Receipt("0193-a", b"<x/>", b"proof"))
    assert (xml.name, proof.name) == ("dowod-0193-a.xml", "dowod-0193-a.tlog-proof")
