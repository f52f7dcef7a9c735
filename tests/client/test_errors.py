import pytest
import zwrotka_client
from google.rpc import status_pb2
from zwrotka_client import channel, errors

from services.chassis import errors as house_errors
from services.chassis import rpc

KINDS = ["Invalid", "Unauthenticated", "Forbidden", "NotFound", "AlreadyExists", "Unavailable"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_comes_out_as_the_class_it_went_in(kind: str) -> None:
    sent = getattr(house_errors, kind)("some-reason", "It was refused. Nothing was kept.", {"unit": "unknown"})
    refusal = errors.unpacked(rpc.packed(sent))
    assert type(refusal) is getattr(zwrotka_client, kind)
    assert (refusal.reason, refusal.sentence, refusal.fields) == (sent.reason, sent.sentence, {"unit": "unknown"})


def test_a_status_of_no_known_kind_is_unavailable() -> None:
    refusal = errors.refusal_of(status_pb2.Status(code=2, message="Traceback"))
    assert type(refusal) is zwrotka_client.Unavailable
    assert "Traceback" not in refusal.sentence


def test_persistence_ends_with_the_first_answer() -> None:
    troubles = [zwrotka_client.Unavailable("a", "a"), zwrotka_client.Unavailable("b", "b")]

    def attempt(_: float) -> str:
        if troubles:
            raise troubles.pop()
        return "done"

    assert channel.persistently(attempt, 5.0) == "done"


def test_persistence_does_not_repeat_what_was_refused() -> None:
    attempts = []

    def attempt(left_s: float) -> None:
        attempts.append(left_s)
        raise zwrotka_client.Forbidden("no", "No.")

    with pytest.raises(zwrotka_client.Forbidden):
        channel.persistently(attempt, 5.0)
    assert len(attempts) == 1


def test_persistence_is_bounded_tells_once_and_gives_every_attempt_a_deadline(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "zwrotka_client")
    lefts = []

    def attempt(left_s: float) -> None:
        lefts.append(left_s)
        raise zwrotka_client.Unavailable("away", "Away.")

    with pytest.raises(zwrotka_client.Unavailable, match="Away"):
        channel.persistently(attempt, 0.5)
    assert 2 <= len(lefts) <= 8
    assert all(0 < left_s <= 1 for left_s in lefts)
    assert caplog.messages == ["the service does not answer; trying again for 0.5 s"]


def test_pauses_grow_to_a_bound_and_differ_between_clients() -> None:
    first, second = ([next(pauses) for _ in range(12)] for pauses in (channel.pauses(), channel.pauses()))
    assert first != second
    assert first[0] <= 0.1
    assert all(1.5 <= pause_s <= 3.0 for pause_s in first[-3:])
