"""A chat account speaks for a resident once a token or a code from the registered address has proved it."""

import pytest
from zwrotka.identity.v1 import identity_pb2 as pb

from services.chassis.errors import Invalid, Unauthenticated
from services.identity import tokens
from tests.identity.hall import CHAT, EWA, JAN, Hall

OTHER_CHAT = pb.ChatAccount(channel="telegram", account="999")


def issue(hall: Hall, email: str = JAN.email, chat: pb.ChatAccount = CHAT) -> pb.IssueChatCodeResponse:
    """What the door is told to mail."""
    answer: pb.IssueChatCodeResponse = hall.call(
        "frontdoor", "IssueChatCode", pb.IssueChatCodeRequest(chat=chat, email=email)
    )
    return answer


def link(hall: Hall, code: str, chat: pb.ChatAccount = CHAT) -> str:
    """The name of whom the chat now speaks for."""
    name: str = hall.call("frontdoor", "LinkChat", pb.LinkChatRequest(chat=chat, code=code)).name
    return name


def wrong(code: str) -> str:
    """Another code."""
    return f"{(int(code) + 1) % 10**6:06d}"


def must_be_refused(hall: Hall, code: str, chat: pb.ChatAccount = CHAT) -> None:
    """The code opens nothing, and the refusal does not say why."""
    with pytest.raises(Unauthenticated, match="code-unknown"):
        link(hall, code, chat)


def test_a_code_from_the_registered_address_links_the_chat(hall: Hall) -> None:
    profile_id, _ = hall.admit()
    issued = issue(hall, email="jan.NOWAK@poczta.example")
    assert issued.email == "Jan.Nowak@poczta.example"
    assert hall.whose_chat() == ""
    assert link(hall, issued.code) == "Jan Żegota Nowak-Gżegżółka"
    assert hall.whose_chat() == profile_id
    assert hall.journal(profile_id)[-2:] == [
        ("chat-code-issued", "frontdoor", "", None, ""),
        ("chat-linked", "frontdoor", "", None, ""),
    ]


def test_a_token_links_the_chat(hall: Hall) -> None:
    profile_id, token = hall.admit()
    request = pb.LinkChatRequest(chat=CHAT, token=token.lower())
    assert hall.call("frontdoor", "LinkChat", request).name == "Jan Żegota Nowak-Gżegżółka"
    assert hall.call("frontdoor", "LinkChat", request).name == "Jan Żegota Nowak-Gżegżółka"
    assert hall.whose_chat() == profile_id
    assert hall.events(profile_id).count("chat-linked") == 1
    with pytest.raises(Unauthenticated, match="token-unknown"):
        hall.call("frontdoor", "LinkChat", pb.LinkChatRequest(chat=CHAT, token=tokens.make()))
    with pytest.raises(Invalid, match="token-slip"):
        hall.call("frontdoor", "LinkChat", pb.LinkChatRequest(chat=CHAT, token="slip"))
    assert hall.whose_chat() == profile_id


def test_an_unknown_address_gets_an_empty_code_and_no_other_answer(hall: Hall) -> None:
    hall.admit()
    hall.request(EWA)
    for email in ("nobody@poczta.example", EWA.email, "", "\x00"):
        assert issue(hall, email) == pb.IssueChatCodeResponse()


def test_an_address_that_two_profiles_share_links_neither(hall: Hall) -> None:
    shared = pb.RequestProfileRequest()
    shared.CopyFrom(EWA)
    shared.email = JAN.email
    hall.admit()
    hall.admit(shared)
    assert issue(hall) == pb.IssueChatCodeResponse()


def test_a_code_is_bound_to_its_chat(hall: Hall) -> None:
    hall.admit()
    code = issue(hall).code
    must_be_refused(hall, code, OTHER_CHAT)
    must_be_refused(hall, code, pb.ChatAccount(channel="matrix", account=CHAT.account))
    assert link(hall, code)


def test_a_code_is_good_for_fifteen_minutes(hall: Hall) -> None:
    hall.admit()
    code = issue(hall).code
    hall.pass_time(minutes=15)
    must_be_refused(hall, code)
    code = issue(hall).code
    hall.pass_time(minutes=15, seconds=-1)
    assert link(hall, code)


def test_five_wrong_tries_end_a_code(hall: Hall) -> None:
    hall.admit()
    code = issue(hall).code
    for _ in range(4):
        must_be_refused(hall, wrong(code))
    assert link(hall, code)
    hall.call("frontdoor", "UnlinkChat", pb.UnlinkChatRequest(chat=CHAT))
    code = issue(hall).code
    for _ in range(5):
        must_be_refused(hall, wrong(code))
    must_be_refused(hall, code)
    assert link(hall, issue(hall).code)


def test_a_code_links_once_and_its_repetition_by_the_linked_chat_changes_nothing(hall: Hall) -> None:
    profile_id, _ = hall.admit()
    code = issue(hall).code
    name = link(hall, code)
    assert link(hall, code) == name  # the door lost the first answer
    assert hall.events(profile_id).count("chat-linked") == 1
    hall.call("frontdoor", "UnlinkChat", pb.UnlinkChatRequest(chat=CHAT))
    must_be_refused(hall, code)
    assert hall.whose_chat() == ""


def test_the_newest_code_counts(hall: Hall) -> None:
    hall.admit()
    first, second = issue(hall).code, issue(hall).code
    if first != second:
        must_be_refused(hall, first)
    assert link(hall, second)


def test_ten_codes_a_day_are_mailed_to_an_address(hall: Hall) -> None:
    hall.admit()
    chats = [pb.ChatAccount(channel="telegram", account=str(number)) for number in range(11)]
    issued = [issue(hall, chat=chat).code for chat in chats]
    assert all(issued[:10])
    assert issued[10] == ""
    hall.pass_time(days=1)
    assert issue(hall).code


def test_a_code_opens_nothing_once_the_profile_has_ended(hall: Hall) -> None:
    profile_id, _ = hall.admit()
    code = issue(hall).code
    hall.desk("RevokeProfile", pb.RevokeProfileRequest(profile_id=profile_id, reason="Na wniosek."))
    must_be_refused(hall, code)
    assert issue(hall) == pb.IssueChatCodeResponse()


def test_no_code_at_all_is_refused_alike(hall: Hall) -> None:
    hall.admit()
    must_be_refused(hall, "123456")
    must_be_refused(hall, "")
    issue(hall, "nobody@poczta.example")
    for code in ("", "000000", "123456"):
        must_be_refused(hall, code)


def test_a_chat_speaks_for_whom_it_was_linked_to_last(hall: Hall) -> None:
    jan, token = hall.admit()
    ewa, other = hall.admit(EWA)
    for each in (token, other):
        hall.call("frontdoor", "LinkChat", pb.LinkChatRequest(chat=CHAT, token=each))
    assert hall.whose_chat() == ewa
    assert hall.events(jan)[-1] == "chat-unlinked"
    assert hall.events(ewa)[-1] == "chat-linked"


def test_unlinking_takes_the_link_away_and_no_link_is_no_error(hall: Hall) -> None:
    profile_id, token = hall.admit()
    hall.call("frontdoor", "LinkChat", pb.LinkChatRequest(chat=CHAT, token=token))
    for _ in range(2):
        hall.call("frontdoor", "UnlinkChat", pb.UnlinkChatRequest(chat=CHAT))
    assert hall.whose_chat() == ""
    assert hall.events(profile_id).count("chat-unlinked") == 1
    assert hall.whose(token) == profile_id


def test_a_malformed_chat_account_is_refused(hall: Hall) -> None:
    with pytest.raises(Invalid, match="chat-malformed"):
        issue(hall, chat=pb.ChatAccount(channel="telegram"))
