"""`make run`: one command, and a house that stands, stops and goes on."""

import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.house import House, until
from tests.newcomer.conftest import Supervised, is_alive

Closed = Callable[..., House]
KEYS = {"smtp", "identity", "mailbox", "receipts", "web", "ca", "log_key", "outgoing", "resident", "units", "officer"}


@pytest.fixture
def closed(tmp_path: Path) -> Closed:
    """A house that was never opened, with the settings given."""
    return lambda **settings: House(tmp_path / "home", **settings)


def test_ready_json_tells_tools_exactly_what_was_agreed(supervised: Supervised) -> None:
    ready = supervised.house.ready
    assert set(ready) == KEYS
    assert set(ready["resident"]) == {"name", "email", "token", "letter_address"}
    assert set(ready["officer"]) == {"login", "password"}
    assert {"SO", "KD", "SP1"} <= set(ready["units"])
    for unit in ready["units"].values():
        assert set(unit) == {"address", "certificate", "key"}
        assert Path(unit["certificate"]).exists()
        assert Path(unit["key"]).exists()
    for name in ("smtp", "identity", "mailbox", "receipts"):
        host, _, port = ready[name].rpartition(":")
        socket.create_connection((host, int(port)), 5).close()
    assert Path(supervised.house.home / "ready.json").stat().st_mode & 0o777 == 0o600


def test_a_letter_gets_a_receipt_that_verifies_offline(supervised: Supervised, tmp_path: Path) -> None:
    enclosed = tmp_path / "załącznik.txt"
    enclosed.write_text("treść")
    for arguments in ([], ["--text", "Dzień dobry."], ["--file", str(enclosed)]):
        sent = supervised.house.command("letter", *arguments)
        assert "VALID: every check holds." in sent.stdout, sent.stdout + sent.stderr
        assert sent.returncode == 0
    books = supervised.house.command("books")
    assert "3 letters, 3 receipts verified, 0 to be made" in books.stdout, books.stdout
    assert "All in order." in books.stdout
    assert books.returncode == 0


def test_a_second_start_goes_on_where_the_first_ended(supervised: Supervised) -> None:
    first = supervised.house.ready
    children = supervised.children()
    assert supervised.end(signal.SIGINT) == 0
    assert not (supervised.house.home / "ready.json").exists()
    assert not any(is_alive(pid) for pid in children.values())
    supervised.run()
    assert supervised.house.ready == first
    supervised.house.command("letter").check_returncode()
    books = supervised.house.command("books")
    assert books.returncode == 0, books.stdout


def test_a_child_that_dies_is_started_again_and_that_is_said(supervised: Supervised) -> None:
    for role, pause in (("mailbox", "0.5 s"), ("mailbox", "1 s"), ("mail", "0.5 s")):
        before = supervised.children()[role]
        subprocess.run(["kill", "-9", str(before)], check=True)
        until(supervised.said(f"{role} was killed by signal 9; it is started again in {pause}."))
        until(lambda role=role, before=before: supervised.children().get(role, before) != before)  # type: ignore[misc]
    until(lambda: supervised.house.command("health").returncode == 0)
    supervised.house.command("letter").check_returncode()


def test_a_killed_supervisor_takes_its_children_along(supervised: Supervised) -> None:
    children = supervised.children()
    assert set(children) >= {"identity", "mailbox", "receipts", "mail", "courier", "web"}
    supervised.process.kill()
    supervised.process.wait()
    until(lambda: not any(is_alive(pid) for pid in children.values()), timeout_s=5)
    supervised.run()
    supervised.house.command("letter").check_returncode()


def test_a_second_house_on_the_same_home_is_refused_in_one_sentence(supervised: Supervised) -> None:
    refused = supervised.house.command("run")
    assert refused.returncode == 1
    where, who = supervised.house.home, supervised.process.pid
    assert refused.stderr.startswith(f"A house runs on {where} already, as process {who}.")
    assert refused.stderr.count("\n") == 1


def test_a_port_in_use_is_named_with_the_remedy(closed: Closed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = closed(web_port=port).command("run")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Port {port} (ZWROTKA_WEB_PORT) cannot be used: address already in use.")
    assert "ZWROTKA_WEB_PORT=" in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("variable", ["ZWROTKA_HOME=/proc/nowhere", "ZWROTKA_NONSENSE=1", "ZWROTKA_SMTP_PORT=many"])
def test_a_wrong_setting_stops_the_start_with_its_name(closed: Closed, variable: str) -> None:
    house = closed()
    name, _, value = variable.partition("=")
    house.environment[name] = value
    refused = house.command("run")
    assert refused.returncode == 1
    assert name in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_database_that_is_away_is_named_without_its_password(closed: Closed) -> None:
    house = closed(database="postgresql://zwrotka:verysecret@127.0.0.1:1/zwrotka")
    started_at = time.monotonic()
    refused = house.command("run")
    assert refused.returncode == 1
    assert "ZWROTKA_DATABASE" in refused.stderr
    assert "verysecret" not in refused.stderr + refused.stdout
    assert time.monotonic() - started_at < 10


def test_settings_are_shown_with_secrets_masked(closed: Closed) -> None:
    house = closed(relay="smtp://zwrotka:verysecret@127.0.0.1:25", telegram_token="123:verysecret")
    shown = house.command("settings")
    assert shown.returncode == 0
    assert f"ZWROTKA_SMTP_PORT         {house.settings.smtp_port}" in shown.stdout
    assert "ZWROTKA_RELAY             ****" in shown.stdout
    assert "verysecret" not in shown.stdout


def test_a_letter_to_a_house_that_does_not_run_says_how_to_start_one(closed: Closed) -> None:
    sent = closed().command("letter")
    assert sent.returncode == 1
    assert "make run" in sent.stderr
    assert sent.stdout == ""
