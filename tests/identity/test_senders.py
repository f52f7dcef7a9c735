"""Whose credentials these are: the look-up on every letter's path."""

import time

import pytest
import sqlalchemy as sa
from zwrotka.identity.v1 import identity_pb2 as pb

from services.chassis import rpc
from services.chassis.errors import Invalid, Unauthenticated
from services.identity import tokens
from services.identity.servicer import Servicer
from tests.identity.hall import CHAT, CITY, EWA, Hall


def test_unknown_revoked_and_expired_tokens_are_refused_with_the_same_bytes(hall: Hall) -> None:
    first, revoked = hall.admit()
    hall.desk("IssueToken", pb.IssueTokenRequest(profile_id=first))
    _, expired = hall.admit(EWA)
    hall.pass_time(days=3 * 366)
    profile_id, of_revoked_profile = hall.admit()
    hall.desk("RevokeProfile", pb.RevokeProfileRequest(profile_id=profile_id, reason="Na wniosek."))
    outcomes = hall.authenticate(
        *(pb.Credential(token=each) for each in (tokens.make(), revoked, expired, of_revoked_profile))
    )
    assert len({outcome.SerializeToString() for outcome in outcomes}) == 1
    refusal = rpc.unpacked(outcomes[0].error)
    assert isinstance(refusal, Unauthenticated)
    assert refusal.reason == "token-unknown"


def test_a_typing_slip_is_named_as_one(hall: Hall) -> None:
    _, token = hall.admit()
    slipped = token[:-1] + ("2" if token[-1] != "2" else "3")
    refusal = rpc.unpacked(hall.authenticate(pb.Credential(token=slipped))[0].error)
    assert isinstance(refusal, Invalid)
    assert refusal.reason == "token-slip"


def test_a_batch_is_answered_in_order_with_one_select_for_each_kind(hall: Hall) -> None:
    jan, token = hall.admit()
    ewa, other = hall.admit(EWA)
    hall.call("frontdoor", "LinkChat", pb.LinkChatRequest(chat=CHAT, token=other))
    asked = [
        pb.Credential(token=token.lower()),
        pb.Credential(chat=CHAT),
        pb.Credential(token=tokens.make()),
        pb.Credential(token="slip"),
        pb.Credential(token=other.replace("-", "")),
        pb.Credential(chat=pb.ChatAccount(channel="matrix", account=CHAT.account)),
        pb.Credential(),
        pb.Credential(token=token),
    ]
    statements: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        outcomes = hall.authenticate(*asked)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert [outcome.sender.profile_id for outcome in outcomes] == [jan, ewa, "", "", ewa, "", "", jan]
    assert [outcome.sender.basis for outcome in outcomes[:2]] == ["token", "chat:telegram"]
    assert [rpc.unpacked(outcome.error).reason for outcome in outcomes if outcome.error] == [
        "token-unknown",
        "token-slip",
        "chat-unlinked",
        "chat-malformed",
    ]
    assert [statement.split()[0] for statement in statements if statement != "BEGIN"] == ["SELECT", "SELECT"]


def test_a_batch_of_256_is_answered_and_a_larger_one_refused(hall: Hall) -> None:
    profile_id, token = hall.admit()
    asked = [pb.Credential(token=tokens.make()) for _ in range(255)]
    outcomes = hall.authenticate(*asked, pb.Credential(token=token))
    assert len(outcomes) == 256
    assert outcomes[-1].sender.profile_id == profile_id
    with pytest.raises(Invalid, match="too-many"):
        hall.authenticate(*asked, *asked)
    with pytest.raises(Invalid, match="too-many"):
        hall.call("mailbox", "GetContacts", pb.GetContactsRequest(profile_ids=["x"] * 257))
    assert not hall.authenticate()


def test_contacts_are_told_for_all_that_are_known(hall: Hall) -> None:
    jan, token = hall.admit()
    ewa, _ = hall.admit(EWA)
    hall.call("frontdoor", "LinkChat", pb.LinkChatRequest(chat=CHAT, token=token))
    matrix = pb.ChatAccount(channel="matrix", account="@jan:example.org")
    hall.call("frontdoor", "LinkChat", pb.LinkChatRequest(chat=matrix, token=token))
    request = pb.GetContactsRequest(profile_ids=[jan, "unknown", ewa, jan])
    contacts = {each.profile_id: each for each in hall.call("mailbox", "GetContacts", request).contacts}
    assert contacts.keys() == {jan, ewa}
    assert sorted(chat.channel for chat in contacts[jan].chats) == ["matrix", "telegram"]
    assert contacts[ewa].email == EWA.email
    assert not contacts[ewa].chats


def test_a_credential_costs_less_than_100_us_of_cpu_in_batches_of_16(hall: Hall) -> None:
    _, token = hall.admit()
    asked = [pb.Credential(token=tokens.make()) for _ in range(15)]
    request = pb.AuthenticateSendersRequest(credentials=[*asked, pb.Credential(token=token)])
    servicer = Servicer(hall.database, hall.pepper, CITY, lambda: hall.now)

    def cost_us() -> float:
        """CPU of this thread for a credential, over 50 batches."""
        began = time.thread_time()
        for _ in range(50):
            servicer.AuthenticateSenders(request, None)  # type: ignore[arg-type]
        return (time.thread_time() - began) / 50 / 16 * 1e6

    assert min(cost_us() for _ in range(5)) < 100
