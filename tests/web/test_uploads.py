"""Sorting what was dropped: by content, whatever it is called; and nothing that anyone uploads breaks the door."""

from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zwrotka.receipts.v1.receipts_pb2_grpc import ReceiptsServiceStub

from services.chassis import city, rpc
from services.frontdoor.web import pages
from services.frontdoor.web.log import Log
from services.frontdoor.web.uploads import EVIDENCE_MARK, File, sort
from services.house import certificates, keys
from tests.ports import free_port
from tests.web.door import ROOT, form_of

XML = b'<ev:Evidence xmlns:ev="' + EVIDENCE_MARK + b'v1#">1</ev:Evidence>'
OTHER_XML = XML.replace(b"1<", b"2<")
PROOF = b"c2sp.org/tlog-proof@v1\nextra\n"
OTHER_PROOF = PROOF + b"index 1\n"


def _mail(*attachments: tuple[str, bytes]) -> bytes:
    mail = EmailMessage()
    mail["Subject"] = "Zwrotka"
    mail.set_content("Tekst.")
    for name, content in attachments:
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def test_a_receipt_is_known_by_its_content_and_by_its_name() -> None:
    given = sort([File("plik.bin", XML), File("dowod-1.xml", b"<broken"), File("umowa.xml", b"<umowa/>")])
    assert [each.name for each in given.receipts] == ["plik.bin", "dowod-1.xml"]
    assert [each.name for each in given.parts] == ["umowa.xml"]


def test_proofs_are_paired_by_name() -> None:
    given = sort(
        [File("b.tlog-proof", OTHER_PROOF), File("a.xml", XML), File("a.tlog-proof", PROOF), File("b.xml", OTHER_XML)]
    )
    assert [(each.name, each.proof) for each in given.receipts] == [("a.xml", PROOF), ("b.xml", OTHER_PROOF)]


def test_one_receipt_and_one_proof_belong_together_whatever_they_are_called() -> None:
    [receipt] = sort([File("dowod (1).xml", XML), File("pobrane", PROOF)]).receipts
    assert receipt.proof == PROOF


def test_two_receipts_and_a_proof_of_another_name_do_not() -> None:
    given = sort([File("a.xml", XML), File("b.xml", OTHER_XML), File("c.tlog-proof", PROOF)])
    assert [each.proof for each in given.receipts] == [None, None]


def test_the_mail_and_the_files_saved_from_it_are_one_receipt() -> None:
    mail = _mail(("dowod-1.xml", XML), ("dowod-1.tlog-proof", PROOF))
    given = sort([File("z.eml", mail), File("dowod-1.xml", XML), File("dowod-1.tlog-proof", PROOF)])
    assert len(given.receipts) == 1
    assert not given.parts


def test_a_mail_without_a_receipt_is_a_part_as_a_whole() -> None:
    mail = _mail(("skan.pdf", b"%PDF"))
    assert sort([File("list.eml", mail)]).parts == [File("list.eml", mail)]


def test_a_mail_nested_without_end_is_a_part() -> None:
    bomb = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000))
    assert [each.name for each in sort([File("bomba.eml", bomb)]).parts] == ["bomba.eml"]


def test_mails_of_lines_without_end_are_not_opened() -> None:
    mail = _mail(("dowod-1.xml", XML))
    endless = [File(f"{number}.eml", b"A: b\n\n" + b"\n" * 20_000) for number in range(3)]
    given = sort([*endless, File("z.eml", mail)])
    assert not given.receipts
    assert given.parts[-1].content == mail


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The application with nobody behind it: a verdict needs no one."""
    home = tmp_path_factory.mktemp("home")
    place = city.load(ROOT / "profiles/demo")
    certificates.issue(home, place)
    keys.make(home, place)
    channel = rpc.channel(f"127.0.0.1:{free_port()}", home / "certificates/frontdoor.pem")
    known = pages.Keys((home / "certificates/ca.pem").read_bytes(), (home / "keys/log.vkey").read_text().strip())
    return pages.build(place, Log(ReceiptsServiceStub(channel)), known, telegram_is_open=True)


pieces = st.sampled_from(
    [XML, OTHER_XML, PROOF, _mail(("dowod-1.xml", XML)), b"<", b"From: x\n", b"--x\r\n", b"\x00", "ą".encode()]
)
contents = st.one_of(st.binary(max_size=200), st.lists(st.one_of(pieces, st.binary(max_size=20))).map(b"".join))
names = st.one_of(st.text(max_size=20), st.sampled_from(["dowod-1.xml", "dowod-1.tlog-proof", "z.eml", "a.pdf"]))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(st.tuples(names, contents), max_size=4))
def test_no_upload_breaks_the_door(app: Flask, files: list[tuple[str, bytes]]) -> None:
    body = b"".join(form_of({name: content}, "x").removesuffix(b"--x--\r\n") for name, content in files) + b"--x--\r\n"
    answer = app.test_client().post("/sprawdz", data=body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code in (200, 400)
    assert "prawdziwa</h1>" not in answer.text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=contents, path=st.sampled_from(["/sprawdz", "/en/sprawdz"]))
def test_no_body_breaks_the_door(app: Flask, body: bytes, path: str) -> None:
    answer = app.test_client().post(path, data=body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 400


def test_an_unexpected_error_is_a_page_and_its_text_is_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    class Broken:
        def checkpoint(self) -> bytes:
            raise RuntimeError("anna@poczta.example")

    place, known = city.load(Path(ROOT / "profiles/demo")), pages.Keys(b"", "")
    broken = pages.build(place, Broken(), known, telegram_is_open=False)  # type: ignore[arg-type]
    answer = broken.test_client().get("/log/checkpoint")
    assert answer.status_code == 500
    assert "Coś się u nas zepsuło" in answer.text
    assert "anna" not in answer.text
    assert "anna" not in "".join(capfd.readouterr())
    assert "Content-Security-Policy" in answer.headers
