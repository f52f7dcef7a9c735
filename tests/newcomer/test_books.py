"""The books are worth reading: every kind of damage to a home is found and named."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from services.house.books import check_books
from tests.house import House

DAMAGE = {
    "a letter without its receipt": ("mailbox", "DELETE FROM evidence WHERE number = :first", "has 0 receipts"),
    "a letter without its content": ("mailbox", "DELETE FROM contents WHERE number = :first", "has lost its content"),
    "content that was changed": ("mailbox", "UPDATE contents SET raw = CAST(raw || 'x' AS BLOB)", "is not what came"),
    "a notice that is missing": ("mailbox", "DELETE FROM notices WHERE number = :first", "has 0 notices, and 1 due"),
    "a notice to somebody else": ("mailbox", "UPDATE notices SET profile_id = 'x'", "for somebody else"),
    "a letter shown before its receipt": ("mailbox", "UPDATE evidence SET done_at = NULL", "before its receipt"),
    "a receipt that was changed": (
        "mailbox",
        "UPDATE evidence SET xml = CAST(xml || ' ' AS BLOB)",
        "is not the one in the log",
    ),
    "a receipt nobody logged": ("mailbox", "UPDATE evidence SET evidence_id = 'x' || evidence_id", "does not have"),
    "a log entry that was changed": (
        "receipts",
        "UPDATE leaves SET entry = CAST(entry || 'x' AS BLOB)",
        "hash differs",
    ),
    "a log that was rewritten": ("receipts", "UPDATE leaves SET hash = randomblob(32)", "has another root"),
    "a log cut short": (
        "receipts",
        "DELETE FROM leaves WHERE leaf_index = (SELECT max(leaf_index) FROM leaves)",
        "covers more than there are",
    ),
    "a log entry taken out": ("receipts", "DELETE FROM leaves WHERE leaf_index = 0", "log entry 0 is missing"),
    "evidence that was changed": ("receipts", "UPDATE evidence SET xml = CAST(xml || ' ' AS BLOB)", "does not verify"),
    "evidence of no letter": ("mailbox", "DELETE FROM letters WHERE number = :first", "mailbox does not know"),
    "a checkpoint that was changed": (
        "receipts",
        "UPDATE checkpoints SET note = CAST(replace(note, 'zwrotka', 'zwrotko') AS BLOB) WHERE size > 0",
        "does not hold",
    ),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house with two letters, closed."""
    house = House(tmp_path_factory.mktemp("kept") / "home")
    house.open()
    resident = house.resident("Anna")
    for _ in range(2):
        assert house.write(resident).code == 250
    house.wait_for_mail(resident.email, 2)
    house.close()
    return house


def test_a_home_in_order_has_no_complaints(kept: House) -> None:
    assert check_books(kept.settings) == []


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named(kept: House, tmp_path: Path, damage: str) -> None:
    service, statement, complaint = DAMAGE[damage]
    house = copy_of(kept, tmp_path)
    with closing(sqlite3.connect(house.home / "data" / f"{service}.sqlite3")) as database:
        database.execute(statement.replace(":first", "(SELECT min(number) FROM letters)"))
        database.commit()
    complaints = check_books(house.settings)
    assert any(complaint in each for each in complaints), complaints


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("token=F7A8U-UWK9Q-2DR7W-6QGCZ", "a token"),
        ("to pismo+f7a8uuwk9q2dr7w6qgcz@", "a token"),
        ("pesel 85123177752.", "a PESEL"),
        ("<jan.nowak@poczta.example>", "an e-mail address"),
    ],
)
def test_what_no_log_may_hold_is_found_there(kept: House, tmp_path: Path, text: str, complaint: str) -> None:
    house = copy_of(kept, tmp_path)
    with (house.home / "logs" / "mail.log").open("a") as log:
        log.write(f'{{"event": "said", "text": "{text}"}}\n')
    complaints = check_books(house.settings)
    assert len(complaints) == 1
    assert complaint in complaints[0]
    assert text not in complaints[0]


def copy_of(house: House, folder: Path) -> House:
    """The same home elsewhere."""
    shutil.copytree(house.home, folder / "home")
    return House(folder / "home")
