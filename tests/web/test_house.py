"""The web door in the whole house: a letter goes in by mail, its receipt comes by mail and is judged on the web."""

import http.client
from email.message import EmailMessage

from zwrotka_client import Unit

from tests.house import House
from tests.people import Resident
from tests.web.door import form_of


def _judged(house: House, files: dict[str, bytes]) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", house.settings.web_port, timeout=15)
    try:
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        connection.request("POST", "/sprawdz", form_of(files, "x"), kind)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def _written(house: House, anna: Resident) -> tuple[str, EmailMessage]:
    """The number of a letter of hers, and the mail its receipt came in."""
    reply = house.write(anna, "Proszę o naprawę chodnika.")
    [mail] = house.wait_for_mail(anna.email)
    return reply.text.split()[1], mail


def test_the_receipt_that_came_by_mail_is_confirmed(house: House) -> None:
    number, mail = _written(house, house.resident("Anna"))
    verdict = _judged(house, {"zwrotka.eml": mail.as_bytes()})
    assert "<h1>Zwrotka jest prawdziwa</h1>" in verdict
    assert "Urząd przyjął pismo" in verdict
    assert number in verdict
    assert house.city.residents_unit.name in verdict


def test_the_same_receipt_altered_is_refused(house: House) -> None:
    number, mail = _written(house, house.resident("Anna"))
    files = {str(part.get_filename()): part.get_content() for part in mail.iter_attachments()}
    altered = {
        name: content.replace(number.encode(), b"ZW-2222-2222-2222") if name.endswith(".xml") else content
        for name, content in files.items()
    }
    assert altered != files
    verdict = _judged(house, altered)
    assert "<h1>Nie potwierdzamy tej zwrotki</h1>" in verdict
    assert 'lang="en">digests: ' in verdict


def test_an_answers_evidence_is_confirmed_and_told_from_a_letters(house: House) -> None:
    anna = house.resident("Anna")
    number, _ = _written(house, anna)
    with Unit.from_ready(house.home / "ready.json", house.city.residents_unit.code) as unit:
        unit.take(number)
        answered = unit.answer(number, "Chodnik naprawimy w maju.")
    answer = house.wait_for_mail(anna.email, 2)[1]
    verdict = _judged(house, {"odpowiedz.eml": answer.as_bytes()})
    assert "<h1>Zwrotka jest prawdziwa</h1>" in verdict
    assert "Urząd nadał odpowiedź do mieszkańca" in verdict
    assert answered.number in verdict
    assert house.city.residents_unit.name in verdict
