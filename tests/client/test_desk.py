import json
from pathlib import Path

import pytest
from zwrotka_client import Desk, Invalid, NotFound, Refusal, Unauthenticated

from services.house.resident import Person
from tests import people
from tests.client.conftest import Zwrotka
from tests.house import House


@pytest.fixture
def officer(house: House, tmp_path: Path) -> tuple[str, ...]:
    """How the demo officer signs in."""
    path = tmp_path / "password"
    path.write_text(house.ready["officer"]["password"] + "\n")
    return ("--login", house.ready["officer"]["login"], "--password-file", str(path))


def stated(person: Person) -> tuple[str, ...]:
    """What a resident states about themselves."""
    names = ("--first-names", person.first_names, "--surname", person.surname)
    return (*names, "--pesel", person.pesel, "--email", person.email)


def test_a_profile_lives_from_request_to_revocation(at_house: Zwrotka, house: House, officer: tuple[str, ...]) -> None:
    person = people.invent("Zofia")
    requested = at_house("desk", "profile", "request", *stated(person), *officer, "--json")
    profile_id = json.loads(requested.out)["profile_id"]
    shown = ("--document", person.document_number, "--pesel", person.pesel)
    confirmed = at_house("desk", "profile", "confirm", profile_id, *shown, *officer)
    assert "To jest Twój osobisty klucz." in confirmed.out
    address = next(line.strip() for line in confirmed.out.splitlines() if line.startswith("    pismo+"))
    issued = json.loads(at_house("desk", "token", profile_id, *officer, "--json").out)
    assert sorted(issued) == ["expires_at", "letter_address", "token"]
    assert house.send(b"Subject: a\r\n\r\nPismo", address).code == 550
    assert house.send(b"Subject: a\r\n\r\nPismo", issued["letter_address"]).code == 250
    revoked = at_house("desk", "profile", "revoke", profile_id, "--reason", "Na prośbę", *officer)
    assert revoked.code == 0
    assert house.send(b"Subject: a\r\n\r\nPismo", issued["letter_address"]).code == 550
    assert at_house("desk", "token", profile_id, *officer).code == 1


def test_the_request_says_what_to_type_next(at_house: Zwrotka, officer: tuple[str, ...]) -> None:
    requested = at_house("desk", "profile", "request", *stated(people.invent("Ola")), *officer)
    (next_command,) = (line.strip() for line in requested.out.splitlines() if line.startswith("  zwrotka"))
    assert next_command.startswith("zwrotka desk profile confirm ")


def test_every_wrong_field_is_named(at_house: Zwrotka, officer: tuple[str, ...]) -> None:
    ended = at_house(
        "desk", "profile", "request", "--first-names", "A", "--surname", "B", "--pesel", "70010100125", "--email", "x",
        *officer,
    )  # fmt: skip
    assert ended.code == 1
    assert "\n  pesel: " in ended.err
    assert "\n  email: " in ended.err
    assert "70010100125" not in ended.err


def test_a_password_never_stands_on_the_command_line(
    at_house: Zwrotka, house: House, officer: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ("desk", "profile", "request", *stated(people.invent("Ewa")), *officer[:2])
    assert at_house(*request, "--password", "x").code == 2
    monkeypatch.setenv("ZWROTKA_DESK_PASSWORD", "wrong")
    assert at_house(*request).code == 1
    monkeypatch.setenv("ZWROTKA_DESK_PASSWORD", house.ready["officer"]["password"])
    assert at_house(*request).code == 0


def test_a_desk_is_opened_by_the_right_password_alone(house: House) -> None:
    certificate = house.home / "certificates" / "units" / "SO.pem"
    with pytest.raises(Unauthenticated):
        Desk(house.ready["identity"], certificate=certificate, login="urzednik", password="wrong")
    with Desk(house.ready["identity"], certificate=certificate, **house.ready["officer"]) as desk:
        with pytest.raises(NotFound):
            desk.issue_token("0193a1d2-0000-7000-8000-000000000000")
        with pytest.raises(Refusal) as refused:
            desk.request_profile(first_names="A", surname="B", pesel="00000000000", email="a@poczta.example")
        assert isinstance(refused.value, Invalid)
        assert list(refused.value.fields) == ["pesel"]
