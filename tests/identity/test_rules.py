"""The pure rules of profiles, tokens, chats' codes and officers' passwords."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import codes
from services.chassis.errors import AlreadyExists, Invalid, NotFound, Refusal, Unauthenticated
from services.identity import chats, officers, profiles, tokens
from services.identity.profiles import ACTIVE, EXPIRED, REQUESTED, REVOKED, Person, Profile

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PEPPER = b"p" * 32
ID = "0eb40552-980e-4444-835a-7bc067dc63da"
STATED = {"first_names": "Jan", "surname": "Nowak", "pesel_number": "85123177752", "email": "jan@example.org"}


def a_person(**stated: str) -> Person:
    """A person as stated."""
    return profiles.person_of(**{**STATED, "phone": "", **stated})


def test_what_is_stated_is_kept_tidy() -> None:
    person = a_person(first_names="  Jan \t Maria ", pesel_number=" 851231 77752", phone="+48 (600) 100-200")
    assert person == Person("Jan Maria", "Nowak", "85123177752", "jan@example.org", "+48600100200")


@pytest.mark.parametrize(
    ("stated", "field"),
    [
        ({"first_names": " "}, "first_names"),
        ({"surname": ""}, "surname"),
        ({"surname": "N" * 101}, "surname"),
        ({"surname": "Nowak\x00"}, "surname"),
        ({"surname": "Nowak\u202e"}, "surname"),
        ({"pesel_number": "85123177753"}, "pesel"),
        ({"email": "jan"}, "email"),
        ({"email": "jan@localhost"}, "email"),
        ({"email": "jan@example.org\r\nBcc: all@example.org"}, "email"),
        ({"email": "jan..nowak@example.org"}, "email"),
        ({"email": "ja n@example.org"}, "email"),
        ({"email": "a@b@example.org"}, "email"),
        ({"email": f"{'j' * 65}@example.org"}, "email"),
        ({"email": "żółw@example.org"}, "email"),
        ({"phone": "12345"}, "phone"),
        ({"phone": "+48600x00200"}, "phone"),
    ],
)
def test_a_wrong_field_is_named_with_what_to_do(stated: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        a_person(**stated)
    assert refused.value.reason == "fields-wrong"
    assert list(refused.value.fields) == [field]
    assert all(text.isascii() and text.endswith(".") for text in refused.value.fields.values())
    assert not any(value and value in str(refused.value) for value in stated.values() if value.strip())


def test_all_wrong_fields_are_named_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        a_person(first_names="", surname="", pesel_number="", email="", phone="1")
    assert set(refused.value.fields) == {"first_names", "surname", "pesel", "email", "phone"}


@given(st.integers(0, 100 * 365 * 24 * 60))
def test_a_profile_lasts_three_years_to_the_minute(minutes: int) -> None:
    moment = NOW + timedelta(minutes=minutes)
    end = profiles.ends_at(moment)
    assert end.year == moment.year + 3
    assert end.timetz() == moment.timetz()
    assert (end.month, end.day) == (moment.month, moment.day) or (moment.month, moment.day) == (2, 29)
    assert timedelta(days=1094) <= end - moment <= timedelta(days=1096)


def test_a_profile_confirmed_on_29_february_ends_on_28_february() -> None:
    assert profiles.ends_at(datetime(2028, 2, 29, 12, tzinfo=UTC)) == datetime(2031, 2, 28, 12, tzinfo=UTC)


def a_profile(state: str, *, ended: bool = False) -> Profile:
    """A profile whose end is now, or in a moment."""
    return Profile(ID, state, NOW if ended else NOW + timedelta(milliseconds=1))


def test_only_a_request_that_has_not_lapsed_can_be_confirmed() -> None:
    assert profiles.must_be_confirmable(a_profile(REQUESTED), NOW).id == ID
    refusals = {
        (REQUESTED, True): NotFound,
        (ACTIVE, False): AlreadyExists,
        (ACTIVE, True): Invalid,
        (REVOKED, False): Invalid,
        (EXPIRED, True): Invalid,
    }
    for (state, ended), kind in refusals.items():
        with pytest.raises(kind):
            profiles.must_be_confirmable(a_profile(state, ended=ended), NOW)
    with pytest.raises(NotFound):
        profiles.must_be_confirmable(None, NOW)


def test_only_an_active_profile_gets_tokens() -> None:
    assert profiles.must_be_active(a_profile(ACTIVE), NOW).id == ID
    for state, ended in [(REQUESTED, False), (ACTIVE, True), (REVOKED, False), (EXPIRED, True)]:
        with pytest.raises(Invalid):
            profiles.must_be_active(a_profile(state, ended=ended), NOW)
    for missing in (None, a_profile(REQUESTED, ended=True)):
        with pytest.raises(NotFound):
            profiles.must_be_active(missing, NOW)


@given(st.builds(tokens.make))
def test_a_token_is_read_back_however_it_is_typed(token: str) -> None:
    shown = tokens.shown(token)
    assert [len(group) for group in shown.split("-")] == [5, 5, 5, 5]
    for typed in (token, shown, shown.lower(), shown.replace("-", " "), f" {shown} "):
        assert tokens.read(typed) == token


@given(st.text(max_size=200))
def test_what_is_no_token_is_named_a_slip(text: str) -> None:
    with pytest.raises(Invalid, match="token-slip"):
        tokens.read(f"{text}0")  # no token has a zero


def test_a_code_of_another_length_is_no_token() -> None:
    for length in (12, 19, 21):
        with pytest.raises(Invalid):
            tokens.read(codes.make(length))


def test_a_tokens_digest_needs_the_pepper() -> None:
    token = tokens.make()
    assert tokens.digest_of(PEPPER, token) == tokens.digest_of(PEPPER, token)
    assert tokens.digest_of(PEPPER, token) != tokens.digest_of(b"q" * 32, token)
    assert tokens.digest_of(PEPPER, token) != officers.session_digest(PEPPER, token)


def test_the_letter_address_is_one_a_mail_server_takes() -> None:
    address = tokens.letter_address("F7A8UUWK9Q2DR7W6QGCZ", "pismo", "przykladowo.example")
    assert address == "pismo+f7a8u-uwk9q-2dr7w-6qgcz@przykladowo.example"


@given(st.integers(1, 2**62))
def test_a_chats_code_has_six_digits_and_fits_itself_in_time(code_id: int) -> None:
    code = chats.code_of(PEPPER, code_id)
    assert len(code) == 6
    assert code.isdigit()
    assert chats.code_fits(PEPPER, code_id, NOW + timedelta(seconds=1), f" {code[:3]} {code[3:]} ", NOW)
    assert not chats.code_fits(PEPPER, code_id, NOW, code, NOW)
    assert not chats.code_fits(PEPPER, code_id, NOW + timedelta(seconds=1), f"{(int(code) + 1) % 10**6:06d}", NOW)
    assert not chats.code_fits(PEPPER, code_id, NOW + timedelta(seconds=1), "٦" * 6, NOW)


def test_neighbouring_codes_do_not_hang_together() -> None:
    numbers = [int(chats.code_of(PEPPER, code_id)) for code_id in range(1, 2001)]
    assert len(set(numbers)) > 1990
    assert 450_000 < sum(numbers) / len(numbers) < 550_000


@pytest.mark.parametrize(("channel", "account"), [("", "7"), ("telegram", ""), ("telegram", "7\x00"), ("t" * 256, "7")])
def test_a_malformed_chat_account_is_refused(channel: str, account: str) -> None:
    with pytest.raises(Invalid, match="chat-malformed"):
        chats.chat_of(channel, account)


def test_a_password_is_kept_as_argon2id_and_found_again() -> None:
    kept = officers.hashed("bardzo-tajne-haslo")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert officers.password_fits(kept, "bardzo-tajne-haslo")
    assert not officers.password_fits(kept, "bardzo-tajne-hasla")
    assert not officers.password_fits(kept, "x" * 1025)
    assert not officers.password_fits(None, "bardzo-tajne-haslo")


@pytest.mark.parametrize("login", ["", "Anna", "anna nowak", "-anna", "a" * 64, "anna\x00"])
def test_a_login_that_nobody_could_type_again_is_refused(login: str) -> None:
    assert officers.login_flaw(login)


def test_a_login_that_cannot_be_one_is_refused_as_a_wrong_one_is() -> None:
    assert officers.must_be_login(" Anna.Urzednik ") == "anna.urzednik"
    with pytest.raises(Unauthenticated) as refused:
        officers.must_be_login("anna\x00")
    assert str(refused.value) == str(officers.wrong_password())


@pytest.mark.parametrize(
    "refusal",
    [
        tokens.slip(),
        tokens.unknown(),
        chats.unlinked(),
        chats.wrong_code(),
        officers.wrong_password(),
        officers.no_session(),
        profiles.pesel_differs(),
        profiles.pesel_taken(ID),
    ],
    ids=lambda refusal: refusal.reason,
)
def test_a_refusal_says_what_happened_what_was_kept_and_what_to_do(refusal: Refusal) -> None:
    assert refusal.sentence.isascii()
    assert re.search("[Nn]othing|not confirmed", refusal.sentence)
    assert re.search("try again|Try again|Ask|Link|Sign in|Compare|Issue", refusal.sentence)
