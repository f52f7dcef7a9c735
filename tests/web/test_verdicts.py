"""What a person is told about a receipt, and what becomes of what they uploaded: nothing."""

import io
import re
import socket
import time
from pathlib import Path

import pytest

from services.frontdoor.web.pages import MAX_UPLOAD_BYTES
from tests.web.door import LETTER, SCAN, Answer, Door, form_of


def _marks(answer: Answer) -> str:
    """The marks beside the checks, in order."""
    return "".join(re.findall(r'<span class="mark" aria-hidden="true">(.)</span>', answer.text))


def test_a_receipt_is_confirmed_check_by_check_with_what_it_states(door: Door) -> None:
    receipt = door.receipts[-1]
    answer = door.upload(receipt.files)
    assert answer.status == 200
    assert "<h1>Zwrotka jest prawdziwa</h1>" in answer.text
    assert _marks(answer) == "✓" * 14
    for fact in (receipt.number, door.city.units["KD"].name, "28.12.2026", "art. 35 § 3 k.p.a.", door.city.office):
        assert fact in answer.text
    assert f"wpis {len(door.receipts)} z {len(door.receipts)}" in answer.text


def test_it_is_confirmed_in_english_too(door: Door) -> None:
    answer = door.upload(door.receipts[0].files, "/en/sprawdz")
    assert "<h1>The receipt is genuine</h1>" in answer.text
    assert "2026-12-28" in answer.text


@pytest.mark.parametrize("name", ["zwrotka.eml", "wiadomosc", "x.xml"])
def test_the_whole_receipt_mail_is_enough(door: Door, name: str) -> None:
    answer = door.upload({name: door.receipts[0].mail.as_bytes()})
    assert "<h1>Zwrotka jest prawdziwa</h1>" in answer.text


def test_a_forwarded_receipt_mail_is_enough(door: Door) -> None:
    outer = door.receipts[1].mail
    inner = door.receipts[0].mail
    outer.clear()
    outer["Subject"] = "Fwd: zwrotka"
    outer.set_content("Proszę, oto zwrotka.")
    outer.add_attachment(inner)
    answer = door.upload({"fwd.eml": outer.as_bytes()})
    assert "<h1>Zwrotka jest prawdziwa</h1>" in answer.text
    assert door.receipts[0].number in answer.text


@pytest.mark.parametrize(
    ("old", "new", "check"),
    [
        (b"ZW-TEST", b"ZW-TESS", "digests"),
        (b"<ev:Evidence ", b"<ev:Evidence  ", "spelling"),
        (b"</ev:Evidence>", b"", "well-formed-and-plain"),
        (b"SubmissionTime>", b"SubmissionTyme>", "shape"),
    ],
)
def test_an_altered_receipt_is_refused_naming_the_check(door: Door, old: bytes, new: bytes, check: str) -> None:
    receipt = door.receipts[0]
    answer = door.upload({**receipt.files, receipt.xml_name: receipt.xml.replace(old, new)})
    assert answer.status == 200
    assert "<h1>Nie potwierdzamy tej zwrotki</h1>" in answer.text
    assert _marks(answer).count("✗") == 1
    assert re.search(rf'lang="en">{check}: [A-Z]', answer.text)
    assert receipt.number not in answer.text, "nobody vouches for it, so it is not shown"


def test_a_receipt_with_anothers_proof_is_refused(door: Door) -> None:
    receipt, other = door.receipts[0], door.receipts[1]
    answer = door.upload({receipt.xml_name: receipt.xml, receipt.proof_name: other.proof})
    assert "<h1>Nie potwierdzamy tej zwrotki</h1>" in answer.text
    assert "log-entry: " in answer.text


def test_without_the_proof_only_the_seal_is_confirmed(door: Door) -> None:
    receipt = door.receipts[0]
    answer = door.upload({receipt.xml_name: receipt.xml})
    assert "<h1>Brakuje drugiego pliku</h1>" in answer.text
    assert _marks(answer) == "✓" * 9 + "✗" + "–" * 4
    assert receipt.number in answer.text


def test_letter_parts_are_found_in_the_receipt_and_strangers_are_not(door: Door) -> None:
    files = {"list.eml": LETTER, "skan.pdf": SCAN}
    known = door.upload({**door.receipts[0].files, **files})
    assert "Zwrotka jest prawdziwa · " in known.text
    assert "to cały list, który dostał urząd" in known.text
    assert "to część 2 pisma" in known.text
    strange = door.upload({**door.receipts[0].files, **files, "skan.pdf": SCAN + b" "})
    assert "Zwrotka prawdziwa, plik obcy · " in strange.text
    assert "Zwrotka nic nie mówi o pliku skan.pdf." in strange.text


def test_several_receipts_are_judged_each_by_itself(door: Door) -> None:
    good, bad = door.receipts[0], door.receipts[1]
    answer = door.upload({**good.files, **bad.files, bad.xml_name: bad.xml.replace(b"ZW-TEST", b"ZW-TESS")})
    assert "prawdziwych jest 1" in answer.text
    assert answer.text.count("<h2>Zwrotka jest prawdziwa</h2>") == 1
    assert answer.text.count("<h2>Nie potwierdzamy tej zwrotki</h2>") == 1


@pytest.mark.parametrize("files", [{}, {"list.eml": LETTER}, {"skan.pdf": SCAN}, {"x.tlog-proof": b""}])
def test_where_there_is_no_receipt_the_form_comes_back_and_says_so(door: Door, files: dict[str, bytes]) -> None:
    answer = door.upload(files)
    assert answer.status == 400
    assert "nie ma zwrotki" in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_names_of_files_are_text_and_never_markup(door: Door) -> None:
    name = "<script>alert(1)</script>.xml"
    answer = door.upload({f"dowod{name}": b"<x/>", name: SCAN})
    assert answer.status == 200
    assert "<script>" not in answer.text
    assert "&lt;script&gt;" in answer.text


@pytest.mark.parametrize(
    "size", [MAX_UPLOAD_BYTES + 1, 12 << 20], ids=["a byte too many", "the photos of a whole letter"]
)
def test_too_large_an_upload_is_read_to_its_end_and_refused_with_a_page(door: Door, size: int) -> None:
    answer = door.upload({"zdjecie.jpg": bytes(size)})
    assert answer.status == 413
    assert "Za dużo naraz" in answer.text


def test_an_upload_just_below_the_limit_is_taken_and_touches_no_disk(door: Door) -> None:
    body = form_of({**door.receipts[0].files, "zdjecie.jpg": bytes(MAX_UPLOAD_BYTES - 20_000)}, "x")
    head = (
        "POST /sprawdz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", door.settings.web_port), 10) as connection:
        connection.sendall(head.encode() + body[:-100])
        time.sleep(0.3)
        held = [str(path.readlink()) for path in Path(f"/proc/{door.pid_of('web')}/fd").iterdir()]
        connection.sendall(body[-100:])
        answer = connection.makefile("rb").read().decode()
    assert {path for path in held if path.startswith("/")} <= {"/dev/null", str(door.settings.home_path / "web.log")}
    assert "Zwrotka prawdziwa, plik obcy" in answer


def test_too_many_files_are_refused_with_a_page(door: Door) -> None:
    assert door.upload({f"{number}.xml": b"" for number in range(50)}).status == 413


def test_a_verdict_is_kept_nowhere(door: Door) -> None:
    receipt = door.receipts[2]
    before = {path: path.stat().st_mtime_ns for path in _files(door)}
    answer = door.upload({**receipt.files, "tajne.pdf": b"sekret"})
    assert answer.headers["Cache-Control"] == "no-store"
    changed = {path for path in _files(door) if before.get(path) != path.stat().st_mtime_ns}
    assert changed <= {door.settings.home_path / "web.log"}
    log = door.log_of("web")
    assert '"event": "receipts-checked"' in log
    for secret in (receipt.number, receipt.xml_name, "tajne", "sekret"):
        assert secret not in log


def _files(door: Door) -> list[Path]:
    return [path for path in door.settings.home_path.rglob("*") if path.is_file() and path.parent.name != "data"]


def test_what_is_no_form_is_no_receipt(door: Door) -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x", "text/plain", ""):
        for body in (b"", b"--x", b"--x\r\n\r\n", bytes(io.DEFAULT_BUFFER_SIZE)):
            assert door.ask("/sprawdz", "POST", body, Content_Type=kind).status == 400
