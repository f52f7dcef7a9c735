"""The mail door of the real house, spoken to as mail servers and attackers do."""

import contextlib
import re
import smtplib
import socket
import threading
import time
from collections.abc import Iterator
from email import policy

import pytest

from services.chassis import codes
from tests.conftest import NewHouse
from tests.frontdoor.test_data import FALSE_ENDS
from tests.house import House, letter, until
from tests.people import Resident

ACCEPTED = re.compile(r"2\.0\.0 (ZW-[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}) accepted")


@pytest.fixture(scope="module")
def resident(house: House) -> Resident:
    """A resident who writes much."""
    return house.resident("Zofia")


@contextlib.contextmanager
def line(house: House) -> Iterator[socket.socket]:
    """A connection, greeting read, on which a test says what it likes."""
    with socket.create_connection(("127.0.0.1", house.settings.smtp_port), timeout=20) as connection:
        connection.recv(4096)
        yield connection


def ask(connection: socket.socket, command: bytes) -> bytes:
    """Sends something and returns what comes back first."""
    connection.sendall(command)
    return connection.recv(4096)


def rest(connection: socket.socket) -> bytes:
    """All that still comes, until the door closes."""
    said = b""
    with contextlib.suppress(ConnectionError):
        while more := connection.recv(4096):
            said += more
    return said


def opened(connection: socket.socket, to: str, size: int = 0) -> bytes:
    """The dialogue up to the answer to DATA."""
    ask(connection, b"EHLO poczta.example\r\n")
    reply = ask(connection, b"MAIL FROM:<a@poczta.example>" + (b" SIZE=%d" % size if size else b"") + b"\r\n")
    if reply.startswith(b"250"):
        reply = ask(connection, f"RCPT TO:<{to}>\r\n".encode())
    return ask(connection, b"DATA\r\n") if reply.startswith(b"250") else reply


def test_the_answer_has_the_number_and_the_mailbox_chooses_the_unit(house: House, resident: Resident) -> None:
    reply = house.send(letter(resident, "Dziura."), resident.address_of("drogi"))
    assert reply.code == 250
    assert ACCEPTED.fullmatch(reply.text)
    (mail,) = house.wait_for_mail(resident.email)[-1:]
    assert "Referat Komunikacji i Drogownictwa" in str(mail.get_body())


@pytest.mark.parametrize("place", ["subject", "text"])
def test_the_token_may_stand_in_the_letter(house: House, resident: Resident, place: str) -> None:
    words = {"subject": "Pismo", "text": "Dzień dobry."}
    words[place] = f"{resident.token} {words[place]}"
    reply = house.send(letter(resident, words["text"], subject=words["subject"]), f"pismo@{house.city.domain}")
    assert reply.code == 250
    assert ACCEPTED.fullmatch(reply.text)


def test_the_same_letter_again_keeps_its_number(house: House, resident: Resident) -> None:
    message = letter(resident, "Raz.")
    assert house.send(message, resident.letter_address) == house.send(message, resident.letter_address)


def test_one_letter_to_two_units_has_two_numbers(house: House, resident: Resident) -> None:
    with smtplib.SMTP("127.0.0.1", house.settings.smtp_port, timeout=30) as door:
        door.ehlo("poczta.example")
        door.mail("")
        for address in (resident.letter_address, resident.address_of("drogi"), resident.letter_address.lower()):
            assert door.rcpt(address)[0] == 250
        code, text = door.data(letter(resident).as_bytes(policy=policy.SMTP))
    assert code == 250
    assert len(set(re.findall(rb"ZW-[-\w]{14}", text))) == 2


def test_two_people_s_tokens_do_not_share_a_letter(house: House, resident: Resident) -> None:
    other = house.resident("Jan")
    with smtplib.SMTP("127.0.0.1", house.settings.smtp_port, timeout=30) as door:
        door.ehlo("poczta.example")
        door.mail("a@poczta.example")
        door.rcpt(resident.letter_address)
        assert door.rcpt(other.letter_address)[0] == 452


def test_a_token_that_nobody_has_is_refused_without_saying_more(house: House, resident: Resident) -> None:
    stranger = codes.grouped(codes.make(20), 5)
    reply = house.send(letter(resident), f"pismo+{stranger}@{house.city.domain}")
    assert reply.code == 550
    assert reply.text.startswith("5.7.1 ")
    assert stranger not in reply.text


def test_a_letter_without_token_is_told_how_to_write(house: House, resident: Resident) -> None:
    reply = house.send(letter(resident, "Dzień dobry."), f"pismo@{house.city.domain}")
    assert reply.code == 550
    assert "nothing was kept" in reply.text
    assert "first line" in reply.text


@pytest.mark.parametrize("sequence", FALSE_ENDS)
def test_no_false_end_of_data_smuggles_a_letter(house: House, resident: Resident, sequence: bytes) -> None:
    smuggled = f"MAIL FROM:<x@y.example>\r\nRCPT TO:<{resident.letter_address}>\r\nDATA\r\nsmuggled\r\n.\r\n".encode()
    with line(house) as connection:
        assert opened(connection, resident.letter_address).startswith(b"354")
        connection.sendall(b"Subject: x\r\n\r\none" + sequence + smuggled + b"\r\n.\r\nQUIT\r\n")
        said = rest(connection)
    if b"\0" in sequence:
        # A NUL ends no line; the letter goes on to the first true end, and what follows is no longer in it.
        assert said.count(b" accepted") <= 2
        assert not said.startswith(b"521")
    else:
        assert said.startswith(b"521 5.5.2 ")
        assert b"250" not in said


@pytest.mark.parametrize("command", [b"NOOP\n", b"NOOP\r\r\n", b"MAIL FROM:<a@b>\rRCPT\r\n"])
def test_a_command_ends_in_cr_lf_only(house: House, command: bytes) -> None:
    with line(house) as connection:
        connection.sendall(command + b"NOOP\r\n")
        assert rest(connection).startswith(b"521 5.5.2 ")


def test_text_before_it_is_asked_for_is_no_letter(house: House, resident: Resident) -> None:
    with line(house) as connection:
        ask(connection, b"EHLO a\r\n")
        ask(connection, b"MAIL FROM:<>\r\n")
        ask(connection, f"RCPT TO:<{resident.letter_address}>\r\n".encode())
        connection.sendall(b"DATA\r\nSubject: x\r\n\r\ny\r\n.\r\n")
        said = rest(connection)
    assert said.startswith(b"521 ")
    assert b"250" not in said


def test_a_browser_is_sent_away(house: House) -> None:
    with line(house) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\n\r\nEHLO a\r\nMAIL FROM:<>\r\n")
        said = rest(connection)
    assert said.startswith(b"421 ")
    assert said.count(b"\r\n") == 1


def test_every_reply_has_an_enhanced_code(house: House) -> None:
    commands = [
        b"HELP",
        b"VRFY a",
        b"EXPN a",
        b"NOOP",
        b"FOO",
        b"MAIL",
        b"MAIL FROM:<a",
        b"RCPT TO:<a>",
        b"DATA",
        b"AUTH",
    ]
    with line(house) as connection:
        assert b"250 HELP\r\n" in ask(connection, b"EHLO a\r\n")
        for command in [*commands, b"RSET", b"QUIT"]:
            assert re.match(rb"[245]\d\d [245]\.\d\.\d{1,2} ", ask(connection, command + b"\r\n")), command


def test_what_is_too_large_is_refused_before_or_after_it_came(house: House, resident: Resident) -> None:
    limit = 25 << 20
    with line(house) as connection:
        assert b"250-SIZE %d\r\n" % limit in ask(connection, b"EHLO a\r\n")
        assert ask(connection, b"MAIL FROM:<> SIZE=%d\r\n" % (limit + 1)).startswith(b"552 5.3.4 ")
        ask(connection, b"MAIL FROM:<>\r\n")
        ask(connection, f"RCPT TO:<{resident.letter_address}>\r\n".encode())
        ask(connection, b"DATA\r\n")
        connection.sendall((b"x" * 1022 + b"\r\n") * (limit // 1024 + 1))
        assert ask(connection, b".\r\n").startswith(b"552 5.3.4 ")
        assert ask(connection, b"NOOP\r\n").startswith(b"250 ")


def test_mailbox_away_means_later(house: House, resident: Resident) -> None:
    message = letter(resident, "Skrzynka stoi.")
    house.stop("mailbox")
    try:
        assert house.send(message, resident.letter_address).code == 451
    finally:
        house.start("mailbox")
    # The door's channel looks for mailbox again within a second; until then it is still "later".
    until(lambda: house.send(message, resident.letter_address).code == 250, timeout_s=10)


def test_a_closing_door_finishes_the_letter_it_is_taking(house: House, resident: Resident) -> None:
    with line(house) as busy, line(house) as idle:
        assert opened(busy, resident.letter_address).startswith(b"354")
        busy.sendall(b"Subject: x\r\n\r\nfirst half, ")
        ask(idle, b"EHLO a\r\n")
        closing = threading.Thread(target=house.stop, args=("mail",))
        closing.start()
        try:
            assert rest(idle).startswith(b"421 4.3.2 ")
            with socket.create_connection(("127.0.0.1", house.settings.smtp_port), timeout=5) as late:
                assert rest(late).startswith(b"421 4.3.2 ")
            busy.sendall(b"second half\r\n.\r\n")
            said = rest(busy)
        finally:
            closing.join()
            house.start("mail")
    assert ACCEPTED.search(said.decode())
    assert b"\r\n421 4.3.2 " in said


def test_200_idle_and_500_broken_connections_are_no_trouble(house: House, resident: Resident) -> None:
    before = len(house.logs()["mail"])
    for number in range(500):
        with socket.create_connection(("127.0.0.1", house.settings.smtp_port), timeout=20) as broken:
            if number % 2:
                broken.sendall(b"EHLO a\r\nMAIL FROM:<a@b>\r\n")
            # Closing with a reset, in the middle of whatever it was.
            broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    with contextlib.ExitStack() as lines:
        for _ in range(200):
            lines.enter_context(line(house))
        began_at = time.monotonic()
        assert house.write(resident).code == 250
        assert time.monotonic() - began_at < 5
    assert "Traceback" not in house.logs()["mail"][before:]
    assert "unexpected" not in house.logs()["mail"][before:]


def test_a_sender_that_only_errs_is_cut_off(house: House) -> None:
    with line(house) as connection:
        ask(connection, b"EHLO a\r\n")
        ask(connection, b"MAIL FROM:<>\r\n")
        connection.sendall(b"RCPT TO:<nikt@example.org>\r\n" * 30)
        said = rest(connection)
    assert said.count(b"550 5.1.1 ") == 20
    assert said.endswith(
        b"421 4.7.0 Too many errors. Please have a look at what you send, and connect again later.\r\n"
    )


def test_a_full_door_says_later_and_stays_open_for_small_letters(new_house: NewHouse) -> None:
    house = new_house(budget_bytes=1 << 20)
    house.open()
    resident = house.resident()
    with line(house) as connection:
        assert opened(connection, resident.letter_address, size=2 << 20).startswith(b"451 4.3.1 ")
    big = letter(resident, "x" * 70 + "\n" + ("y" * 70 + "\n") * 30_000).as_bytes().replace(b"\n", b"\r\n")
    with line(house) as connection:
        assert opened(connection, resident.letter_address).startswith(b"354")
        connection.sendall(big)
        assert ask(connection, b"\r\n.\r\n").startswith(b"451 4.3.1 ")
    # One that has taken its share and does not go on leaves room for others, and gives it back when it goes.
    with line(house) as connection:
        assert opened(connection, resident.letter_address, size=1_000_000).startswith(b"354")
        with line(house) as second:
            assert opened(second, resident.letter_address, size=500_000).startswith(b"451 4.3.1 ")
        assert house.write(resident).code == 250
    assert house.write(resident, "z" * 100_000).code == 250
