"""Replies are ASCII, carry an enhanced code and fit in lines."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zwrotka.mailbox.v1 import mailbox_pb2 as pb

from services.chassis import errors
from services.frontdoor.mail import replies
from services.frontdoor.mail.door import reply_for

KINDS = [errors.Invalid, errors.Unauthenticated, errors.Forbidden, errors.NotFound, errors.AlreadyExists]


@given(st.sampled_from(KINDS), st.text(max_size=2000), st.lists(st.just("ZW-AAAA-BBBB-CCCC"), max_size=3))
def test_a_refusal_is_well_formed_whatever_its_sentence(
    kind: type[errors.Refusal], sentence: str, numbers: list[str]
) -> None:
    reply = replies.refused(kind("reason", sentence), numbers)
    lines = reply.split("\r\n")
    assert all(re.fullmatch(r"550[ -]5\.\d\.\d [\x20-\x7e]+", line) and len(line) < 510 for line in lines)
    assert [line[3] for line in lines] == ["-"] * (len(lines) - 1) + [" "]


@pytest.mark.parametrize("error", [errors.Unavailable("x", "y"), ValueError("secret"), TimeoutError()])
def test_our_own_trouble_is_later_and_says_nothing_else(error: Exception) -> None:
    assert replies.refused(error) == replies.TRY_LATER
    assert replies.TRY_LATER.startswith("451 4.3.0 ")


def test_an_acceptance_names_all_letters() -> None:
    assert replies.accepted(["ZW-A", "ZW-B"], receipt_follows=False) == "250 2.0.0 ZW-A, ZW-B accepted"
    assert replies.accepted(["ZW-A"], receipt_follows=True) == "250 2.0.0 ZW-A accepted, receipt follows"


ONE, TWO = pb.Acceptance(number="ZW-ONE"), pb.Acceptance(number="ZW-TWO", receipt_follows=True)
NO, LATER = errors.Forbidden("no", "Not for this unit."), errors.Unavailable("later", "Later.")


@pytest.mark.parametrize(
    ("outcomes", "reply"),
    [
        ([ONE], "250 2.0.0 ZW-ONE accepted"),
        ([ONE, TWO], "250 2.0.0 ZW-ONE, ZW-TWO accepted, receipt follows"),
        ([ONE, LATER, NO], replies.TRY_LATER),
        ([ONE, ValueError("secret"), NO], replies.TRY_LATER),
        ([NO, NO], "550 5.7.1 Not for this unit."),
        ([ONE, NO], "550 5.7.1 ZW-ONE accepted; for the other recipients: Not for this unit."),
    ],
)
def test_one_reply_stands_for_all_recipients(outcomes: list[pb.Acceptance | Exception], reply: str) -> None:
    assert reply_for(outcomes) == reply


@pytest.mark.parametrize(
    ("engine", "sent"),
    [
        ("250 OK", "250 2.0.0 OK"),
        ("503 Error: need MAIL command", "503 5.5.1 need MAIL command"),
        ("553 5.1.3 Error: malformed address", "553 5.1.3 Error: malformed address"),
        ("354 Go ahead", "354 Go ahead"),
        ("220 city.example ESMTP", "220 city.example ESMTP"),
    ],
)
def test_the_engine_s_replies_get_enhanced_codes(engine: str, sent: str) -> None:
    assert replies.coded(engine) == sent
