"""A house whose Telegram door is open, towards a played Bot API."""

from collections.abc import Iterator
from itertools import count

import pytest

from tests.conftest import house_in
from tests.house import House
from tests.people import Resident
from tests.telegram.bot_api import TOKEN, BotApi, Json, played
from tests.telegram.person import Person

_NUMBERS = count(50_001)
Linked = tuple[Person, Resident]


@pytest.fixture(scope="session")
def bot_api(database: str) -> Iterator[BotApi]:
    """The played Bot API; one for each database, so that each house has its own bot."""
    assert database
    with played() as api:
        yield api


@pytest.fixture(scope="session")
def house(
    request: pytest.FixtureRequest, database: str, bot_api: BotApi, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """The house that the tests of this folder share."""
    folder = tmp_path_factory.mktemp("chat")
    shared = house_in(request, database, folder, telegram_token=TOKEN, telegram_api=bot_api.url)
    shared.open()
    yield shared
    shared.close()


@pytest.fixture
def api(house: House, bot_api: BotApi) -> BotApi:
    """The Bot API of the open house."""
    assert house
    return bot_api


@pytest.fixture
def person(api: BotApi) -> Person:
    """Somebody whom the bot does not know yet."""
    return Person(api, next(_NUMBERS))


@pytest.fixture
def linked(house: House, person: Person) -> Linked:
    """Somebody whose chat is linked, and the resident they are."""
    resident = house.resident()
    person.says(resident.token)
    person.sees(f"Połączono: {resident.name}")
    return person, resident


def preview_of(person: Person, words: str) -> Json:
    """The preview of the message with these words, once it is there."""

    def found() -> Json | None:
        for each in reversed(person.seen):
            answered = each.get("reply_to_message", {})
            if "reply_markup" in each and words in str(answered.get("text", answered.get("caption"))):
                return each
        return None

    preview: Json = person.api.wait_until(found)
    return preview
