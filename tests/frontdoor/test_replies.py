"""Replies are ASCII, carry an enhanced code and fit in lines."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import errors
from services.frontdoor.mail import replies

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
