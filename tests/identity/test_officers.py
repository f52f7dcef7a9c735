"""Officers sign in at a unit; and who may call what."""

from datetime import UTC, datetime

import pytest
from google.protobuf.message import Message
from zwrotka.identity.v1 import identity_pb2 as pb

from services.chassis.errors import Invalid, Refusal, Unauthenticated
from services.identity.enrolment import enrol
from services.identity.servicer import RIGHTS
from tests.identity.hall import CHAT, JAN, LOGIN, PASSWORD, Hall

_ID = "0eb40552-980e-4444-835a-7bc067dc63da"
REQUESTS: dict[str, Message] = {
    "AuthenticateSenders": pb.AuthenticateSendersRequest(),
    "GetContacts": pb.GetContactsRequest(),
    "IssueChatCode": pb.IssueChatCodeRequest(chat=CHAT),
    "LinkChat": pb.LinkChatRequest(chat=CHAT, code="123456"),
    "UnlinkChat": pb.UnlinkChatRequest(chat=CHAT),
    "SignInOfficer": pb.SignInOfficerRequest(login=LOGIN, password=PASSWORD),
    "RequestProfile": JAN,
    "ConfirmProfile": pb.ConfirmProfileRequest(profile_id=_ID),
    "RevokeProfile": pb.RevokeProfileRequest(profile_id=_ID),
    "IssueToken": pb.IssueTokenRequest(profile_id=_ID),
}
CALLERS = {"mailbox": "mailbox", "receipts": "receipts", "frontdoor": "frontdoor", "units/SO": "unit"}


def test_every_method_of_the_service_has_its_rights() -> None:
    methods = {method.name for method in pb.DESCRIPTOR.services_by_name["IdentityService"].methods}
    assert RIGHTS.keys() == REQUESTS.keys() == methods


def test_a_caller_without_the_right_is_refused_and_one_with_it_is_not(hall: Hall) -> None:
    for method, request in REQUESTS.items():
        for caller, role in CALLERS.items():
            refused = False
            try:
                hall.call(caller, method, request, session=hall.session)
            except Refusal as refusal:
                refused = refusal.reason == "not-for-this-caller"
            assert refused == (role not in RIGHTS[method]), (method, caller)


def test_what_an_officer_does_needs_a_live_session_of_that_unit(hall: Hall) -> None:
    assert hall.call("units/SO", "RequestProfile", JAN, session=hall.session).profile_id
    for session in ("", "x", hall.session[:-1]):
        for method in ("RequestProfile", "ConfirmProfile", "RevokeProfile", "IssueToken"):
            with pytest.raises(Unauthenticated, match="session-unknown"):
                hall.call("units/SO", method, REQUESTS[method], session=session)
    with pytest.raises(Unauthenticated, match="session-unknown"):
        hall.call("units/KD", "RequestProfile", JAN, session=hall.session)


def test_a_session_lasts_eight_hours(hall: Hall) -> None:
    request = pb.SignInOfficerRequest(login=LOGIN, password=PASSWORD)
    answer = hall.call("units/SO", "SignInOfficer", request)
    assert answer.expires_at.ToDatetime(UTC) == datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
    hall.pass_time(hours=8, seconds=-1)
    assert hall.call("units/SO", "RequestProfile", JAN, session=answer.session).profile_id
    hall.pass_time(seconds=1)
    with pytest.raises(Unauthenticated, match="session-unknown"):
        hall.call("units/SO", "RequestProfile", JAN, session=answer.session)


def test_a_wrong_login_and_a_wrong_password_are_refused_alike(hall: Hall) -> None:
    refusals = set()
    for login, password in ((LOGIN, "x"), ("nobody", PASSWORD), ("", PASSWORD), ("a\x00", "x"), (LOGIN, "x" * 2000)):
        with pytest.raises(Unauthenticated, match="sign-in-wrong") as refused:
            hall.sign_in(login=login, password=password)
        refusals.add(refused.value.sentence)
    assert len(refusals) == 1
    assert hall.sign_in(login=f" {LOGIN.upper()} ")


def test_the_journal_names_the_officer_who_acts(hall: Hall) -> None:
    enrol(hall.database, "piotr", "inne-tajne-haslo", hall.now)
    hall.session = hall.sign_in(login="piotr", password="inne-tajne-haslo")
    profile_id = hall.request()
    assert hall.journal(profile_id) == [("profile-requested", "unit", "SO", 2, "")]
    assert ("session-opened", "unit", "SO", 2, "") in hall.journal(None)


def test_enrolling_again_changes_nothing_and_a_new_password_ends_the_sessions(hall: Hall) -> None:
    assert not enrol(hall.database, LOGIN, PASSWORD, hall.now)
    assert hall.request()
    assert enrol(hall.database, LOGIN, "nowe-tajne-haslo", hall.now)
    with pytest.raises(Unauthenticated, match="session-unknown"):
        hall.request()
    with pytest.raises(Unauthenticated, match="sign-in-wrong"):
        hall.sign_in()
    assert hall.sign_in(password="nowe-tajne-haslo")
    assert hall.events(None).count("password-set") == 1


def test_a_short_password_or_an_untypable_login_is_not_enrolled(hall: Hall) -> None:
    with pytest.raises(Invalid) as refused:
        enrol(hall.database, "Jan Nowak", "krotkie", hall.now)
    assert set(refused.value.fields) == {"login", "password"}
