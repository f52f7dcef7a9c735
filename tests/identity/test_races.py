"""Two processes of identity over one database: what only one may do, one does."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from zwrotka.identity.v1 import identity_pb2 as pb

from services.chassis.database import Database
from services.chassis.errors import AlreadyExists, Refusal, Unauthenticated, Unavailable
from services.identity import chat_store, schema, store, tokens
from services.identity.chats import Chat
from services.identity.profiles import Document
from services.identity.store import Actor
from tests.identity.hall import CARD, CHAT, JAN, Hall

OFFICER = Actor("unit", "SO", 1)


@pytest.fixture
def processes(hall: Hall) -> Iterator[list[Database]]:
    """The databases of two processes: each has its own writer."""
    second = Database(hall.settings.database_of("identity"))
    yield [hall.database, second]
    second.close()


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """Runs all at the same moment; their results or refusals."""
    start = Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        start.wait(10)
        try:
            return work()
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_of_two_requests_of_one_person_confirmed_at_once_one_becomes_the_profile(
    hall: Hall, processes: list[Database]
) -> None:
    for number in range(8):
        requests = []
        for each in "ab":
            person = pb.RequestProfileRequest()
            person.CopyFrom(JAN)
            person.email = f"{each}{number}@poczta.example"
            requests.append(hall.request(person))

        def confirm(database: Database, profile_id: str) -> Any:
            document, token = Document(CARD, JAN.pesel), tokens.make()
            return database.write(
                lambda tx: store.confirm(tx, hall.pepper, profile_id, document, token, OFFICER, hall.now)
            )

        pairs = list(zip(processes, requests, strict=True))
        outcomes = at_once([lambda pair=pair: confirm(*pair) for pair in pairs])  # type: ignore[misc]
        refused = [each for each in outcomes if isinstance(each, Refusal)]
        assert len(refused) == 1
        assert isinstance(refused[0], AlreadyExists | Unavailable)
        (late,) = (pair for pair, outcome in zip(pairs, outcomes, strict=True) if outcome is refused[0])
        with pytest.raises(AlreadyExists, match="pesel-taken"):
            confirm(*late)
        (winner,) = set(requests) - {late[1]}
        hall.desk("RevokeProfile", pb.RevokeProfileRequest(profile_id=winner, reason="Koniec próby."))


def test_a_request_confirmed_twice_at_once_is_confirmed_once(hall: Hall, processes: list[Database]) -> None:
    profile_id = hall.request()

    def confirm(database: Database) -> Any:
        token = tokens.make()
        return database.write(
            lambda tx: store.confirm(tx, hall.pepper, profile_id, Document(CARD, JAN.pesel), token, OFFICER, hall.now)
        )

    outcomes = at_once([lambda database=database: confirm(database) for database in processes * 3])  # type: ignore[misc]
    assert sum(not isinstance(each, Refusal) for each in outcomes) == 1
    assert hall.events(profile_id).count("profile-confirmed") == 1
    query = sa.select(sa.func.count()).select_from(schema.tokens)
    assert hall.database.read(lambda tx: tx.execute(query).scalar_one()) == 1


def test_guesses_that_come_at_once_are_five_at_most(hall: Hall, processes: list[Database]) -> None:
    hall.admit()
    code = hall.call("frontdoor", "IssueChatCode", pb.IssueChatCodeRequest(chat=CHAT, email=JAN.email)).code
    chat, door = Chat(CHAT.channel, CHAT.account), Actor("frontdoor")
    guesses = [f"{(int(code) + number) % 10**6:06d}" for number in range(1, 11)]

    def guess(database: Database, typed: str) -> Any:
        return database.write(lambda tx: chat_store.link_by_code(tx, hall.pepper, chat, typed, door, hall.now))

    pairs = zip(processes * 5, guesses, strict=True)
    outcomes = at_once([lambda pair=pair: guess(*pair) for pair in pairs])  # type: ignore[misc]
    assert all(isinstance(each, Unauthenticated) for each in outcomes)
    with pytest.raises(Unauthenticated, match="code-unknown"):
        guess(hall.database, code)
    left = hall.database.read(lambda tx: tx.execute(sa.select(schema.chat_codes.c.tries_left)).scalar_one())
    assert left == 0
