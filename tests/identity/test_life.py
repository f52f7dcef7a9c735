"""A trusted profile's life on the wire: requested, confirmed, its tokens, its end."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from zwrotka.identity.v1 import identity_pb2 as pb

from services.chassis.errors import AlreadyExists, Invalid, NotFound
from services.identity import schema
from tests.identity.hall import CARD, EWA, JAN, Hall


def confirmation(profile_id: str, pesel: str = JAN.pesel, card: str = CARD) -> pb.ConfirmProfileRequest:
    """What the officer reads on the card."""
    return pb.ConfirmProfileRequest(profile_id=profile_id, document_number=card, pesel=pesel)


def test_a_resident_gets_a_token_and_a_letter_address_at_the_desk(hall: Hall) -> None:
    requested = hall.desk("RequestProfile", JAN)
    assert requested.expires_at.ToDatetime(UTC) == datetime(2026, 3, 16, 9, 0, tzinfo=UTC)
    issued = hall.desk("ConfirmProfile", confirmation(requested.profile_id)).token
    assert issued.letter_address == f"pismo+{issued.token.lower()}@przykladowo.example"
    assert issued.expires_at.ToDatetime(UTC) == datetime(2029, 3, 2, 9, 0, tzinfo=UTC)
    assert hall.whose(issued.token) == requested.profile_id
    contact = hall.contact(requested.profile_id)
    assert contact == pb.Contact(
        profile_id=requested.profile_id,
        name="Jan Żegota Nowak-Gżegżółka",
        email="Jan.Nowak@poczta.example",
        active=True,
    )
    assert hall.journal(requested.profile_id) == [
        ("profile-requested", "unit", "SO", 1, ""),
        ("profile-confirmed", "unit", "SO", 1, ""),
    ]


def test_a_request_can_do_nothing_until_it_is_confirmed(hall: Hall) -> None:
    profile_id = hall.request()
    assert hall.contact(profile_id) is None
    with pytest.raises(Invalid, match="profile-unconfirmed"):
        hall.desk("IssueToken", pb.IssueTokenRequest(profile_id=profile_id))


def test_a_wrong_field_travels_with_its_name(hall: Hall) -> None:
    wrong = pb.RequestProfileRequest(first_names="Jan", surname="", pesel="70010100125", email="jan")
    with pytest.raises(Invalid) as refused:
        hall.desk("RequestProfile", wrong)
    assert set(refused.value.fields) == {"surname", "pesel", "email"}
    with pytest.raises(Invalid) as refused:
        hall.desk("ConfirmProfile", confirmation(hall.request(), pesel="00000000000", card="ABS523456"))
    assert set(refused.value.fields) == {"document_number", "pesel"}


def test_the_same_request_again_is_the_same_request(hall: Hall) -> None:
    profile_id = hall.request()
    hall.pass_time(days=1)
    assert hall.request() == profile_id
    assert hall.request(EWA) != profile_id
    assert hall.events(profile_id) == ["profile-requested"]


def test_a_request_lapses_after_fourteen_days_and_is_deleted(hall: Hall) -> None:
    profile_id = hall.request()
    hall.pass_time(days=14, seconds=-1)
    assert hall.request() == profile_id
    hall.pass_time(seconds=1)
    with pytest.raises(NotFound, match="profile-unknown"):
        hall.confirm(profile_id)
    new = hall.request()
    assert new != profile_id
    kept = hall.database.read(lambda tx: tx.execute(sa.select(schema.profiles.c.id)).scalars().all())
    assert kept == [new]
    assert hall.journal(profile_id)[-1] == ("request-lapsed", "identity", "", None, "")


def test_another_pesel_on_the_document_changes_nothing_but_the_journal(hall: Hall) -> None:
    profile_id = hall.request()
    with pytest.raises(Invalid, match="pesel-differs"):
        hall.desk("ConfirmProfile", confirmation(profile_id, pesel=EWA.pesel))
    assert hall.contact(profile_id) is None
    assert hall.journal(profile_id)[-1] == ("confirmation-refused", "unit", "SO", 1, "pesel-differs")
    assert hall.whose(hall.confirm(profile_id)) == profile_id


def test_a_profile_is_confirmed_once(hall: Hall) -> None:
    profile_id, token = hall.admit()
    with pytest.raises(AlreadyExists, match="already-confirmed"):
        hall.confirm(profile_id)
    assert hall.whose(token) == profile_id
    assert hall.events(profile_id).count("profile-confirmed") == 1


def test_a_person_has_one_active_profile_and_the_officer_is_told_what_to_do(hall: Hall) -> None:
    first, token = hall.admit()
    moved = pb.RequestProfileRequest()
    moved.CopyFrom(JAN)
    moved.email = "jan@nowa-poczta.example"
    second = hall.request(moved)
    with pytest.raises(AlreadyExists, match="pesel-taken") as refused:
        hall.confirm(second)
    assert first in refused.value.sentence
    assert hall.whose(token) == first
    hall.desk("RevokeProfile", pb.RevokeProfileRequest(profile_id=first, reason="Nowy adres."))
    assert hall.whose(hall.confirm(second)) == second


def test_after_three_years_profile_and_token_have_ended_and_a_new_profile_can_be_had(hall: Hall) -> None:
    profile_id, token = hall.admit()
    hall.go_to(datetime(2029, 3, 2, 8, 59, 59, tzinfo=UTC))
    assert hall.whose(token) == profile_id
    hall.go_to(datetime(2029, 3, 2, 9, 0, tzinfo=UTC))
    assert hall.whose(token) == ""
    contact = hall.contact(profile_id)
    assert contact is not None
    assert not contact.active
    with pytest.raises(Invalid, match="profile-ended"):
        hall.desk("IssueToken", pb.IssueTokenRequest(profile_id=profile_id))
    renewed, _ = hall.admit()
    assert renewed != profile_id
    assert hall.events(profile_id)[-1] == "profile-expired"


def test_a_new_token_ends_the_earlier_ones_and_lasts_as_long_as_the_profile(hall: Hall) -> None:
    profile_id, first = hall.admit()
    hall.pass_time(days=100)
    issued = hall.desk("IssueToken", pb.IssueTokenRequest(profile_id=profile_id)).token
    assert hall.whose(first) == ""
    assert hall.whose(issued.token) == profile_id
    assert issued.expires_at.ToDatetime(UTC) == datetime(2029, 3, 2, 9, 0, tzinfo=UTC)
    assert hall.journal(profile_id)[-1] == ("token-issued", "unit", "SO", 1, "")


def test_a_revoked_profile_ends_with_its_tokens_and_chats_and_says_why(hall: Hall) -> None:
    profile_id, token = hall.admit()
    chat = pb.ChatAccount(channel="telegram", account="7")
    hall.call("frontdoor", "LinkChat", pb.LinkChatRequest(chat=chat, token=token))
    revocation = pb.RevokeProfileRequest(profile_id=profile_id, reason=" Utrata  telefonu. ")
    hall.desk("RevokeProfile", revocation)
    hall.desk("RevokeProfile", revocation)
    assert hall.whose(token) == ""
    assert hall.whose_chat(chat) == ""
    contact = hall.contact(profile_id)
    assert contact is not None
    assert not contact.active
    assert not contact.chats
    assert hall.journal(profile_id)[-1] == ("profile-revoked", "unit", "SO", 1, "Utrata telefonu.")
    for method, request in (
        ("ConfirmProfile", confirmation(profile_id)),
        ("IssueToken", pb.IssueTokenRequest(profile_id=profile_id)),
    ):
        with pytest.raises(Invalid, match="profile-ended"):
            hall.desk(method, request)


def test_a_request_can_be_revoked_too(hall: Hall) -> None:
    profile_id = hall.request()
    hall.desk("RevokeProfile", pb.RevokeProfileRequest(profile_id=profile_id, reason="Pomyłka."))
    with pytest.raises(Invalid, match="profile-ended"):
        hall.confirm(profile_id)
    assert hall.request() != profile_id


def test_a_revocation_needs_a_reason(hall: Hall) -> None:
    profile_id, token = hall.admit()
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(Invalid) as refused:
            hall.desk("RevokeProfile", pb.RevokeProfileRequest(profile_id=profile_id, reason=reason))
        assert set(refused.value.fields) == {"reason"}
    assert hall.whose(token) == profile_id


@pytest.mark.parametrize("profile_id", ["", "x", "0eb40552-980e-4444-835a-7bc067dc63da", "\x00" * 36])
def test_a_profile_that_does_not_exist_is_not_found(hall: Hall, profile_id: str) -> None:
    requests = {
        "ConfirmProfile": confirmation(profile_id),
        "RevokeProfile": pb.RevokeProfileRequest(profile_id=profile_id, reason="x"),
        "IssueToken": pb.IssueTokenRequest(profile_id=profile_id),
    }
    for method, request in requests.items():
        with pytest.raises(NotFound, match="profile-unknown"):
            hall.desk(method, request)
    assert hall.contact(profile_id) is None
